package io.dualkey.benchmarks;

import io.dualkey.secrets.InMemoryStore;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.jwt.JwtResult;
import io.dualkey.secrets.jwt.JwtVerifier;
import io.dualkey.secrets.jwt.VerifiedJwt;
import java.time.Duration;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** Ours, with both keys of an issuer. */
final class DualkeyVerifier implements TokenVerifier {

    private final SecretSource source;
    private final JwtVerifier verifier;

    DualkeyVerifier(JwtIssuer issuer, UnaryOperator<JwtVerifier.Builder> options) {
        InMemoryStore store = new InMemoryStore();
        store.put("key", issuer.previous.secret());
        store.put("key", issuer.current.secret());
        source = SecretSource.from(store);
        verifier = options.apply(issuer.algorithm
                        .verifier(source.secret("key"))
                        .issuer(JwtIssuer.ISSUER)
                        .audience(JwtIssuer.AUDIENCE))
                .build();
        source.start(Duration.ofSeconds(10));
    }

    @Override
    public @Nullable String subject(TokenSample sample) {
        return subject(sample.token);
    }

    @Nullable
    String subject(String token) {
        JwtResult result = verifier.check(token);
        return result instanceof VerifiedJwt jwt ? jwt.subject().orElse(null) : null;
    }

    @Override
    public void close() {
        source.close();
    }
}
