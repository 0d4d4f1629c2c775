package io.dualkey.docs;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.dualkey.secrets.InMemoryStore;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.jwt.HmacVerifier;
import java.time.Duration;
import java.util.Base64;
import java.util.HexFormat;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.Test;

/** Runs the code of docs/webhooks.md. */
class WebhookSnippetsTest {

    private static final String SECRET = "not a secret, but thirty-two bytes long";
    private static final byte[] BODY = "{\"event\":\"push\"}".getBytes(UTF_8);

    private final InMemoryStore store = new InMemoryStore();

    private static byte[] mac(String beginning) throws Exception {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(SECRET.getBytes(UTF_8), "HmacSHA256"));
        mac.update(beginning.getBytes(UTF_8));
        return mac.doFinal(BODY);
    }

    @Test
    void aSignedPushIsProcessedAndAnUnsignedOneIsNot() throws Exception {
        store.put("github-webhook", SECRET);
        try (SecretSource secrets = SecretSource.from(store)) {
            HmacVerifier github = WebhookSnippets.github(secrets);
            String header = "sha256=" + HexFormat.of().formatHex(mac(""));

            assertThat(WebhookSnippets.handle(github, BODY, header)).isEqualTo(204);
            assertThat(WebhookSnippets.handle(github, BODY, null)).isEqualTo(401);
            assertThat(WebhookSnippets.handle(github, new byte[] {'x'}, header)).isEqualTo(401);
        }
    }

    @Test
    void theOtherFormsAreUnderstood() throws Exception {
        store.put("stripe-webhook", SECRET);
        store.put("shop-webhook", SECRET);
        try (SecretSource secrets = SecretSource.from(store)) {
            HmacVerifier stripe = WebhookSnippets.stripe(secrets);
            HmacVerifier shop = WebhookSnippets.base64(secrets);
            secrets.start(Duration.ofSeconds(10));
            String time = Long.toString(System.currentTimeMillis() / 1000);

            assertThat(stripe.verify(BODY, "t=" + time + ",v1=" + HexFormat.of().formatHex(mac(time + "."))))
                    .isEqualTo(HmacVerifier.Result.ACCEPTED);
            assertThat(shop.verify(BODY, Base64.getEncoder().encodeToString(mac(""))))
                    .isEqualTo(HmacVerifier.Result.ACCEPTED);
        }
    }
}
