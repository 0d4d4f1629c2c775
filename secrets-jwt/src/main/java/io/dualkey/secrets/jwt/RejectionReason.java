package io.dualkey.secrets.jwt;

/**
 * Why a token was refused. The reasons are meant for logs and meters of the service; the {@link #description} of each
 * is a fixed text that tells nothing about keys or the token and may be shown to the client.
 *
 * <p>Form, header and signature are looked at first. A reason that concerns claims, {@link #MALFORMED_CLAIMS} and those
 * after it, is given only for tokens whose signature is good.
 */
public enum RejectionReason {
    /**
     * Not a compact JWS (RFC 7515 section 7.1): other than three parts, not canonical base64url, or a header that is
     * not a JSON object with a text as {@code alg}, has duplicate members, or is followed by other bytes.
     */
    MALFORMED("it is not a well-formed compact JWS"),
    /** Longer than the verifier's limit. */
    TOO_LONG("it is too long"),
    /** The header's {@code alg} is not exactly one of the algorithms that the verifier was told; {@code none} never is. */
    WRONG_ALGORITHM("its algorithm is not accepted"),
    /** The header has {@code crit} (RFC 7515 section 4.1.11) or {@code b64} (RFC 7797); no extension is known here. */
    UNKNOWN_EXTENSION("it needs an extension that is not supported"),
    /**
     * The header's {@code typ} names another kind of token (RFC 8725 section 3.11) than JWT or at+jwt; or another than the
     * one that the verifier requires, or none.
     */
    WRONG_TYPE("its type is not accepted"),
    /** Its {@code kid} names none of the accepted keys of its algorithm, and none that may be tried verifies it. */
    UNKNOWN_KEY("its signature cannot be verified"),
    /** The signature is not good: by the key that its {@code kid} names or, without a {@code kid}, by any accepted key. */
    BAD_SIGNATURE("its signature cannot be verified"),
    /**
     * The payload is not canonical base64url, or not a JSON object without duplicate members and without other bytes
     * after it, or a registered claim has the wrong type: a time outside the years 1970 to 9999, say.
     */
    MALFORMED_CLAIMS("its claims are not well-formed"),
    /** There is no {@code exp}, and the verifier requires one. */
    MISSING_EXPIRATION("it has no expiration time"),
    /** Its {@code exp} has passed by more than the clock skew. */
    EXPIRED("it has expired"),
    /** Its {@code nbf} is further ahead than the clock skew. */
    NOT_YET_VALID("it is not valid yet"),
    /** Its {@code iat} is further ahead than the clock skew. */
    ISSUED_IN_FUTURE("it was issued in the future"),
    /** Its {@code iss} is absent or not exactly the one expected. */
    WRONG_ISSUER("its issuer is not accepted"),
    /** Its {@code aud} is absent or contains none of those expected, or is present where none was configured. */
    WRONG_AUDIENCE("its audience is not accepted"),
    /** A condition of the service's own, set by {@link JwtVerifier.Builder#require}, does not hold for it. */
    REQUIREMENT_NOT_MET("it does not meet a requirement of this service");

    private final String description;

    RejectionReason(String description) {
        this.description = description;
    }

    /** {@return what is wrong, in fixed words that continue "the token is refused:"} */
    public String description() {
        return description;
    }
}
