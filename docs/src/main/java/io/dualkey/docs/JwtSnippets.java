package io.dualkey.docs;

import static io.dualkey.secrets.jwt.JwsAlgorithm.ES256;
import static io.dualkey.secrets.jwt.JwsAlgorithm.RS256;
import static io.dualkey.secrets.jwt.KeyFormat.BASE64;
import static io.dualkey.secrets.jwt.KeyFormat.JWK_SET;
import static io.dualkey.secrets.jwt.KeyFormat.PEM;

import io.dualkey.secrets.DirectoryStore;
import io.dualkey.secrets.RefreshCause;
import io.dualkey.secrets.RefreshResult;
import io.dualkey.secrets.Role;
import io.dualkey.secrets.RotatingSecret;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.jwt.JwtResult;
import io.dualkey.secrets.jwt.JwtSigner;
import io.dualkey.secrets.jwt.JwtVerifier;
import io.dualkey.secrets.jwt.VerifiedJwt;
import java.security.Provider;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** The code of {@code docs/jwt.md}; a test runs it and compares it with the page. */
final class JwtSnippets {

    private JwtSnippets() {}

    static JwtVerifier hs256(SecretSource secrets) {
        // snippet: hs256
        var verifier = JwtVerifier.hs256(secrets.secret("jwt-key"), BASE64)
                .issuer("https://login.example.com")
                .audience("web")
                .build();
        secrets.start(Duration.ofSeconds(10));
        // end
        return verifier;
    }

    static JwtVerifier jwkSet(SecretSource secrets) {
        // snippet: jwk-set
        var verifier = JwtVerifier.builder(secrets.secret("issuer-keys"), JWK_SET, ES256, RS256)
                .issuer("https://login.example.com")
                .audience("web")
                .type("at+jwt") // no ID token, no logout token
                .require(jwt -> jwt.claim("tenant").isPresent())
                .build();
        // end
        return verifier;
    }

    static JwtSigner signer(SecretSource secrets) {
        // snippet: signer
        var signer = JwtSigner.hs256(secrets.secret("jwt-key"), BASE64)
                .issuer("https://login.example.com")
                .ttl(Duration.ofHours(8))
                .propagation(Duration.ofMinutes(10))
                .build();
        // end
        return signer;
    }

    static String sign(JwtSigner signer) {
        return signer.sign(Map.of("sub", "alice", "aud", "web"));
    }

    static SecretSource companion(DirectoryStore store) {
        // snippet: companion
        var secrets = SecretSource.builder(store)
                .grace(Duration.ofHours(24))
                .secret("JWT_SIGNING_KEY", key -> key.companion("JWT_PREVIOUS_SIGNING_KEY"))
                .build();
        // end
        return secrets;
    }

    static boolean oldKeyCanGo(RotatingSecret secret, Duration longestToken, Instant now) {
        // snippet: unused
        Optional<Instant> lastUse =
                Optional.ofNullable(secret.status().lastUses().get(Role.PREVIOUS));
        boolean unused =
                lastUse.map(last -> last.isBefore(now.minus(longestToken))).orElse(true);
        // end
        return unused;
    }

    static RefreshResult emergency(RotatingSecret secret) {
        // snippet: emergency
        RefreshResult result = secret.refresh(RefreshCause.OPERATOR).join();
        // end
        return result;
    }

    static String handle(JwtVerifier verifier, String token) {
        // snippet: check
        JwtResult result = verifier.check(token);
        if (result instanceof VerifiedJwt jwt) {
            return jwt.subject().orElseThrow();
        }
        return "refused: " + ((JwtResult.Rejected) result).reason();
        // end
    }

    static CompletableFuture<JwtResult> reactive(JwtVerifier verifier, String token) {
        // snippet: async
        CompletableFuture<JwtResult> result = verifier.checkAsync(token);
        // end
        return result;
    }

    static JwtVerifier cached(SecretSource secrets, Provider provider) {
        // snippet: cached
        var verifier = JwtVerifier.builder(secrets.secret("jwt-public-key"), PEM, ES256)
                .issuer("https://login.example.com")
                .audience("web")
                .provider(provider) // an instance that you made, not one that happens to be installed
                .cache(16 << 20) // 16 MiB
                .build();
        // end
        return verifier;
    }
}
