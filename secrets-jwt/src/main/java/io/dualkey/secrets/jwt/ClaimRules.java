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

    /** Why a token is refused at a moment, given its times or {@link JsonCursor#NO_DATE}; null if it is not. */
    @Nullable
    RejectionReason refusalAt(long now, long expiresAt, long notBefore, long issuedAt) {
        if (expiresAt == JsonCursor.NO_DATE) {
            if (expirationRequired) {
                return RejectionReason.MISSING_EXPIRATION;
            }
        } else if (now - skewMillis >= expiresAt) {
            return RejectionReason.EXPIRED;
        }
        if (notBefore != JsonCursor.NO_DATE && now + skewMillis < notBefore) {
            return RejectionReason.NOT_YET_VALID;
        }
        return issuedAt != JsonCursor.NO_DATE && now + skewMillis < issuedAt ? RejectionReason.ISSUED_IN_FUTURE : null;
    }
}
