package io.dualkey.secrets.jwt;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a verifier asks of claims. Immutable. */
final class ClaimRules {

    final byte @Nullable [] issuer;
    final byte[][] audiences;
    final boolean anyAudience;
    final boolean expirationRequired;
    final long skewMillis;

    ClaimRules(
            @Nullable String issuer,
            List<String> audiences,
            boolean anyAudience,
            boolean expirationRequired,
            Duration skew) {
        this.issuer = issuer == null ? null : issuer.getBytes(UTF_8);
        this.audiences =
                audiences.stream().map(audience -> audience.getBytes(UTF_8)).toArray(byte[][]::new);
        this.anyAudience = anyAudience;
        this.expirationRequired = expirationRequired;
        this.skewMillis = skew.toMillis();
    }
}
