package io.dualkey.examples.rotation.demo;

import io.dualkey.secrets.DirectoryStore;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.jwt.JwtSigner;
import io.dualkey.secrets.jwt.KeyFormat;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;

/**
 * Where the clients sign in: a service of its own, which reads the signing key from the same directory at its own time.
 * Safe for use by several threads.
 */
final class TokenIssuer implements AutoCloseable {

    private static final JsonMapper JSON = new JsonMapper();

    private final SecretSource secrets;
    private final JwtSigner signer;
    private final Map<String, Integer> generations = new LinkedHashMap<>();

    private TokenIssuer(SecretSource secrets, JwtSigner signer) {
        this.secrets = secrets;
        this.signer = signer;
    }

    static TokenIssuer over(Path directory, Duration refreshInterval) {
        SecretSource secrets = SecretSource.builder(DirectoryStore.at(directory))
                .refreshInterval(refreshInterval)
                .build();
        JwtSigner signer = JwtSigner.hs256(secrets.secret("jwt-key"), KeyFormat.BASE64)
                .issuer("https://login.example.com")
                .ttl(Duration.ofHours(1))
                // All verifiers are on this machine, and their clocks are the same.
                .propagation(refreshInterval.multipliedBy(2))
                .build();
        secrets.start(Duration.ofSeconds(10));
        return new TokenIssuer(secrets, signer);
    }

    /**
     * A token.
     *
     * @param value what to send
     * @param generation the number of the key that signed it: 1 for the first, and one more with each rotation
     */
    record Token(String value, int generation) {

        /** The generation alone. */
        @Override
        public String toString() {
            return "Token[generation " + generation + "]";
        }
    }

    Token signIn(String subject) {
        String token = signer.sign(Map.of("sub", subject, "aud", "guestbook"));
        String header = new String(
                Base64.getUrlDecoder().decode(token.substring(0, token.indexOf('.'))), StandardCharsets.UTF_8);
        return new Token(token, generationOf(JSON.readTree(header).path("kid").asString()));
    }

    private int generationOf(String keyId) {
        synchronized (generations) {
            return generations.computeIfAbsent(keyId, fresh -> generations.size() + 1);
        }
    }

    @Override
    public void close() {
        secrets.close();
    }
}
