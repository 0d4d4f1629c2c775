package io.dualkey.docs;

import static org.assertj.core.api.Assertions.assertThat;

import io.dualkey.secrets.DirectoryStore;
import io.dualkey.secrets.InMemoryStore;
import io.dualkey.secrets.RefreshResult;
import io.dualkey.secrets.RotatingSecret;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.jwt.JwtSigner;
import io.dualkey.secrets.jwt.JwtVerifier;
import io.dualkey.secrets.jwt.RejectionReason;
import io.dualkey.secrets.jwt.VerifiedJwt;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Security;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs the code of docs/jwt.md, and compares its table of reasons with the code. */
class JwtSnippetsTest {

    private static final Pattern ROW = Pattern.compile("^\\| `([A-Z_]+)` \\|", Pattern.MULTILINE);

    private final InMemoryStore store = new InMemoryStore();

    @TempDir
    private Path directory;

    private static String key(int value) {
        byte[] key = new byte[32];
        Arrays.fill(key, (byte) value);
        return Base64.getEncoder().encodeToString(key);
    }

    @Test
    void aRotationLogsNobodyOutAndAnEmergencyDoes() {
        String old = store.put("jwt-key", key(1));
        try (SecretSource secrets = SecretSource.from(store)) {
            RotatingSecret secret = secrets.secret("jwt-key");
            JwtSigner signer = JwtSnippets.signer(secrets);
            JwtVerifier verifier = JwtSnippets.hs256(secrets);
            String token = JwtSnippets.sign(signer);
            assertThat(JwtSnippets.handle(verifier, token)).isEqualTo("alice");

            store.put("jwt-key", key(2));
            assertThat(JwtSnippets.emergency(secret)).isEqualTo(RefreshResult.CHANGED);
            assertThat(JwtSnippets.handle(verifier, token)).isEqualTo("alice");
            assertThat(JwtSnippets.oldKeyCanGo(secret, Duration.ofHours(8), Instant.now()))
                    .isFalse();
            assertThat(JwtSnippets.oldKeyCanGo(
                            secret, Duration.ofHours(8), Instant.now().plus(Duration.ofHours(9))))
                    .isTrue();

            store.disable("jwt-key", old);
            assertThat(JwtSnippets.emergency(secret)).isEqualTo(RefreshResult.CHANGED);
            assertThat(JwtSnippets.handle(verifier, token)).startsWith("refused: ");
            assertThat(JwtSnippets.handle(verifier, JwtSnippets.sign(signer))).isEqualTo("alice");
            assertThat(JwtSnippets.reactive(verifier, "nonsense")).isCompleted();
        }
    }

    @Test
    void theCompanionIsAcceptedWhileItIsThere() throws IOException {
        Files.writeString(directory.resolve("JWT_SIGNING_KEY"), key(2));
        Files.writeString(directory.resolve("JWT_PREVIOUS_SIGNING_KEY"), key(1));
        try (SecretSource secrets = JwtSnippets.companion(DirectoryStore.at(directory))) {
            RotatingSecret secret = secrets.secret("JWT_SIGNING_KEY");
            secrets.start(Duration.ofSeconds(10));
            assertThat(secret.versions().accepted()).hasSize(2);
        }
    }

    @Test
    void theOthersAreBuiltAsTheyStand() throws GeneralSecurityException {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(new ECGenParameterSpec("secp256r1"));
        KeyPair pair = generator.generateKeyPair();
        String pem = "-----BEGIN PUBLIC KEY-----\n"
                + Base64.getMimeEncoder().encodeToString(pair.getPublic().getEncoded())
                + "\n-----END PUBLIC KEY-----\n";
        store.put("jwt-public-key", pem);
        try (SecretSource secrets = SecretSource.from(store)) {
            JwtVerifier cached = JwtSnippets.cached(secrets, Security.getProvider("SunEC"));
            secrets.start(Duration.ofSeconds(10));
            assertThat(cached.check("nonsense")).isNotInstanceOf(VerifiedJwt.class);
            assertThat(JwtSnippets.jwkSet(secrets)).hasToString("JwtVerifier[ES256, RS256, issuer-keys]");
        }
    }

    @Test
    void thePageExplainsEveryReasonInTheirOrder() throws IOException {
        String page = Files.readString(Path.of("jwt.md"), StandardCharsets.UTF_8);

        String reasons = page.substring(page.indexOf("## What each reason means"));
        List<String> rows =
                ROW.matcher(reasons).results().map(MatchResult::group).toList();

        assertThat(rows)
                .isEqualTo(Arrays.stream(RejectionReason.values())
                        .map(reason -> "| `" + reason + "` |")
                        .toList());
    }
}
