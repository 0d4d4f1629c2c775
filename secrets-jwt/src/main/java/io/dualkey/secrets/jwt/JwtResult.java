package io.dualkey.secrets.jwt;

import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;

/**
 * What became of a token: it is either a {@link VerifiedJwt} or {@link Rejected}. Immutable and safe for use by several
 * threads.
 *
 * <pre>{@code
 * JwtResult result = verifier.check(token);
 * if (result instanceof VerifiedJwt jwt) {
 *     serve(jwt.subject());
 * } else if (result instanceof JwtResult.Rejected rejected) {
 *     log.debug("Refused a token: {}", rejected.reason());
 * }
 * }</pre>
 */
public sealed interface JwtResult permits VerifiedJwt, JwtResult.Rejected {

    /**
     * A token that was refused.
     *
     * @param reason why
     */
    record Rejected(RejectionReason reason) implements JwtResult {

        private static final Map<RejectionReason, Rejected> ALL = new EnumMap<>(RejectionReason.class);

        static {
            for (RejectionReason reason : RejectionReason.values()) {
                ALL.put(reason, new Rejected(reason));
            }
        }

        static Rejected of(RejectionReason reason) {
            return Objects.requireNonNull(ALL.get(reason));
        }
    }
}
