package io.dualkey.examples.webhook;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import io.dualkey.secrets.InMemoryStore;
import io.dualkey.secrets.Outcome;
import io.dualkey.secrets.RefreshCause;
import io.dualkey.secrets.RotatingSecret;
import io.dualkey.secrets.SecretSource;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The example as it is run, and what it does with messages that are out of the ordinary. */
class WebhookReceiverTest {

    private static final String SECRET = "example-webhook-secret";

    private final InMemoryStore vault = new InMemoryStore();
    private final SecretSource secrets = SecretSource.from(vault);
    private final RotatingSecret secret = secrets.secret("stripe-webhook");
    private final List<String> processed = new CopyOnWriteArrayList<>();
    private volatile boolean broken;
    private HttpServer server;
    private EmbeddedSender sender;

    @BeforeEach
    void start() throws Exception {
        vault.put("stripe-webhook", SECRET);
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", new WebhookReceiver(secret, message -> {
            if (broken) {
                throw new IllegalStateException();
            }
            processed.add(message.path("id").asString());
        }));
        secrets.start(Duration.ofSeconds(10));
        server.start();
        sender = new EmbeddedSender(
                URI.create("http://127.0.0.1:" + server.getAddress().getPort()));
    }

    @AfterEach
    void stop() {
        server.stop(0);
        secrets.close();
    }

    @Test
    void acceptsBothSecretsDuringARotationAndRefusesTheRest() throws Exception {
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        WebhookReceiverDemo.run(new PrintStream(printed, true, StandardCharsets.UTF_8));
        assertThat(printed.toString(StandardCharsets.UTF_8).lines())
                .containsExactly(
                        "  processed evt_1",
                        "signed with the secret: 200",
                        "  processed evt_2",
                        "rotated, signed with the new one: 200",
                        "  processed evt_3",
                        "rotated, signed with the old one: 200",
                        "sent again: 200",
                        "old one disabled, signed with it: 401",
                        "signed an hour ago: 401",
                        "another body under the signature: 401");
    }

    @Test
    void messageThatCouldNotBeProcessedIsProcessedWhenItIsSentAgain() throws Exception {
        broken = true;
        assertThat(sender.send(SECRET, "{\"id\":\"evt_1\"}")).isEqualTo(500);
        broken = false;
        assertThat(sender.send(SECRET, "{\"id\":\"evt_1\"}")).isEqualTo(200);
        assertThat(sender.send(SECRET, "{\"id\":\"evt_1\"}")).isEqualTo(200);
        assertThat(processed).containsExactly("evt_1");
    }

    @Test
    void refusesWhatIsTooLongOrNoJsonThoughItIsSigned() throws Exception {
        assertThat(sender.send(SECRET, " ".repeat(WebhookReceiver.MAX_BODY + 1)))
                .isEqualTo(413);
        assertThat(sender.send(SECRET, "{\"id\":")).isEqualTo(400);
        assertThat(sender.send(SECRET, "")).isEqualTo(400);
        assertThat(sender.send(SECRET, "[1]")).isEqualTo(400);
        assertThat(sender.sendSigned("v1=00", "{}")).isEqualTo(401);
        assertThat(processed).isEmpty();
    }

    @Test
    void asksForPatienceWhileThereIsNoSecret() throws Exception {
        vault.failWith(Outcome.DISABLED);
        secret.refresh(RefreshCause.OPERATOR).join();
        assertThat(sender.send(SECRET, "{\"id\":\"evt_1\"}")).isEqualTo(503);
        assertThat(processed).isEmpty();
    }
}
