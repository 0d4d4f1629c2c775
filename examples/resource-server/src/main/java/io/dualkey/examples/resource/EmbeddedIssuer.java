package io.dualkey.examples.resource;

import io.dualkey.secrets.InMemoryStore;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.jwt.JwtSigner;
import java.security.Key;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.Base64;
import java.util.Map;

/** Stands in for the service where people sign in: it alone has the private key. */
final class EmbeddedIssuer {

    private final KeyPair keys;

    EmbeddedIssuer() throws NoSuchAlgorithmException {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
        generator.initialize(2048);
        keys = generator.generateKeyPair();
    }

    /** What the resource server is given. */
    String publicKey() {
        return pem("PUBLIC KEY", keys.getPublic());
    }

    String token(String scope) {
        InMemoryStore store = new InMemoryStore();
        store.put("signing-key", pem("PRIVATE KEY", keys.getPrivate()));
        try (SecretSource secrets = SecretSource.from(store)) {
            JwtSigner signer = JwtSigner.rs256(secrets.secret("signing-key"))
                    .issuer("https://login.example.com")
                    .ttl(Duration.ofMinutes(15))
                    .build();
            secrets.start(Duration.ofSeconds(10));
            return signer.sign(Map.of("sub", "alice", "aud", "notes", "scope", scope));
        }
    }

    private static String pem(String what, Key key) {
        String body = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(key.getEncoded());
        return "-----BEGIN " + what + "-----\n" + body + "\n-----END " + what + "-----\n";
    }
}
