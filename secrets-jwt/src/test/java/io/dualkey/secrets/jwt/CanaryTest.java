package io.dualkey.secrets.jwt;

import static io.dualkey.secrets.jwt.Tokens.base64;
import static io.dualkey.secrets.jwt.Tokens.hs256;
import static io.dualkey.secrets.jwt.Tokens.pem;
import static io.dualkey.secrets.jwt.Tokens.rsaKeys;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.dualkey.secrets.SecretValue;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.security.KeyPair;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.slf4j.LoggerFactory;

/** Runs key material through everything that may be shown, and looks for it there. */
class CanaryTest {

    private static final String CANARY = "canary-3f2504e0-4f89-41d3-9a0c-0305e82c3301";

    private final List<String> shown = new ArrayList<>();

    private void show(Object object) {
        shown.add(String.valueOf(object));
    }

    private void showFailure(ThrowingCallable code) {
        Throwable failure = catchThrowable(code);
        assertThat(failure).isNotNull();
        StringWriter trace = new StringWriter();
        failure.printStackTrace(new PrintWriter(trace));
        show(trace);
    }

    private void showsNothingOf(String... secrets) {
        assertThat(shown).isNotEmpty();
        for (String secret : secrets) {
            for (int from = 0; from + 12 <= secret.length(); from += 6) {
                String part = secret.substring(from, from + 12);
                assertThat(shown).noneMatch(text -> text.contains(part));
            }
        }
    }

    private static KeyReader hmac(KeyFormat format) {
        return new KeyReader(Rig.NAME, format, List.of(JwsAlgorithm.HS256));
    }

    private static KeyReader rsa() {
        return new KeyReader(Rig.NAME, null, List.of(JwsAlgorithm.RS256));
    }

    @Test
    void anHmacKeyIsNeverShown() {
        ListAppender<ILoggingEvent> log = new ListAppender<>();
        Logger root = (Logger) LoggerFactory.getLogger("io.dualkey");
        Level level = root.getLevel();
        root.setLevel(Level.TRACE);
        log.start();
        root.addAppender(log);
        String kid = "kid-received-with-a-token";
        try (Rig rig = new Rig()) {
            rig.store.put(Rig.NAME, CANARY);
            JwtVerifier verifier = JwtVerifier.hs256(rig.secret, KeyFormat.TEXT)
                    .clock(rig.clock)
                    .build();
            JwtSigner signer =
                    JwtSigner.hs256(rig.secret, KeyFormat.TEXT).clock(rig.clock).build();
            var parsed = rig.secret.map(value -> HmacKey.parse(value, KeyFormat.TEXT));
            var signing = rig.secret.map(hmac(KeyFormat.TEXT)::signingKey);
            rig.start();
            VerifiedJwt jwt = verifier.verify(signer.sign(Map.of("sub", "alice")));

            show(jwt);
            show(verifier);
            show(signer);
            show(parsed);
            show(parsed.current());
            show(parsed.versions());
            show(signing.current());
            show(signer.publicKeys());
            show(rig.secret.status());
            showFailure(() -> verifier.verify(hs256("x".repeat(32).getBytes(UTF_8), rig.expiring(Rig.GRACE))));
            showFailure(() -> verifier.verify(hs256(
                    "x".repeat(32).getBytes(UTF_8),
                    "{\"alg\":\"HS256\",\"kid\":\"" + kid + "\"}",
                    rig.expiring(Rig.GRACE))));
            showFailure(() -> signer.sign(Map.of("exp", 1)));
            for (KeyFormat format : List.of(KeyFormat.BASE64, KeyFormat.BASE64URL, KeyFormat.HEX)) {
                showFailure(() -> HmacKey.parse(SecretValue.ofText(CANARY + "!"), format));
                showFailure(() -> hmac(format).signingKey(SecretValue.ofText(CANARY + "!")));
                JwtVerifier.hs256(rig.secret, format).build();
            }
            showFailure(() -> HmacKey.parse(SecretValue.ofText(CANARY.substring(0, 20)), KeyFormat.TEXT));
            rig.refresh();
            show(rig.secret.status());
        } finally {
            root.detachAppender(log);
            root.setLevel(level);
        }
        log.list.forEach(event -> show(event.getFormattedMessage()));
        byte[] key = CANARY.getBytes(UTF_8);
        showsNothingOf(CANARY, base64(key), HexFormat.of().formatHex(key), Arrays.toString(key), kid);
    }

    @Test
    void anRsaPrivateKeyIsNeverShown() {
        KeyPair pair = rsaKeys(2048);
        String pem = pem(pair.getPrivate());
        String content = base64(pair.getPrivate().getEncoded());
        try (Rig rig = new Rig()) {
            rig.store.put(Rig.NAME, pem);
            JwtVerifier verifier =
                    JwtVerifier.rs256(rig.secret).clock(rig.clock).build();
            JwtSigner signer = JwtSigner.rs256(rig.secret).clock(rig.clock).build();
            var parsed = rig.secret.map(value -> rsa().verificationKeys(value, null));
            var signing = rig.secret.map(rsa()::signingKey);
            rig.start();

            show(verifier.verify(signer.sign(Map.of("sub", "alice"))));
            show(verifier);
            show(signer);
            show(parsed.current());
            show(signing.current());
            show(signing.versions());
            showFailure(() ->
                    rsa().verificationKeys(SecretValue.ofText(pem.replace("PRIVATE KEY", "EC PRIVATE KEY")), null));
            showFailure(
                    () -> rsa().verificationKeys(SecretValue.ofText(pem.replace("PRIVATE KEY", "PUBLIC KEY")), null));
            showFailure(() -> rsa().verificationKeys(SecretValue.ofText(pem.replaceFirst("MII", "M?I")), null));
            showFailure(() -> rsa().signingKey(SecretValue.ofText(pem.replaceFirst("MII", "MIA"))));
            showFailure(() ->
                    rsa().verificationKeys(SecretValue.ofText("{\"kty\":\"RSA\",\"d\":\"" + content + "\"}"), null));
            show(rig.secret.status());
        }
        showsNothingOf(content.substring(64)); // before that is the same in every key
    }

    @ParameterizedTest
    @EnumSource(JwsAlgorithm.class)
    void noKeyOfAnyAlgorithmIsEverShown(JwsAlgorithm algorithm) {
        TestKey key = TestKey.of(algorithm);
        String document = key.jwk(null).toJSONString();
        KeyReader reader = new KeyReader(Rig.NAME, KeyFormat.JWK, List.of(algorithm));
        SecretValue value = SecretValue.ofText(document);
        try (Rig rig = new Rig()) {
            rig.store.put(Rig.NAME, document);
            JwtVerifier verifier = JwtVerifier.builder(rig.secret, KeyFormat.JWK, algorithm)
                    .clock(rig.clock)
                    .cache(1 << 16)
                    .build();
            JwtSigner signer = JwtSigner.builder(rig.secret, KeyFormat.JWK, algorithm)
                    .clock(rig.clock)
                    .build();
            NimbusJwkSource source = NimbusJwkSource.of(rig.secret, KeyFormat.JWK, algorithm);
            rig.start();

            show(verifier.verify(signer.sign(Map.of("sub", "alice"))));
            show(verifier);
            show(signer);
            show(source);
            show(reader.verificationKeys(value, null));
            show(reader.signingKey(value));
            show(reader.namedKeys(value));
            show(signer.publicKeys());
            for (KeyFormat format : List.of(KeyFormat.PEM, KeyFormat.JWK, KeyFormat.JWK_SET)) {
                KeyReader other = new KeyReader(Rig.NAME, format, List.of(algorithm));
                showFailure(
                        () -> other.verificationKeys(SecretValue.ofText(document.replace("\"kty\"", "\"x\"")), null));
                showFailure(() -> other.signingKey(SecretValue.ofText("x" + document)));
            }
            show(rig.secret.status());
        }
        Map<String, Object> members = key.jwk(null).toJSONObject();
        for (String secret : List.of("k", "d", "p", "q", "dp", "dq", "qi")) {
            if (members.get(secret) instanceof String text) {
                showsNothingOf(text);
            }
        }
    }
}
