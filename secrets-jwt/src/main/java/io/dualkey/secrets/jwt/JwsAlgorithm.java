package io.dualkey.secrets.jwt;

/**
 * How a token is signed (RFC 7518 section 3.1, RFC 8037 section 3.1). A verifier is told which of these it accepts, and
 * each of its keys is good for exactly one of them (RFC 8725 section 3.1).
 */
public enum JwsAlgorithm {
    /** HMAC with SHA-256; keys of at least 256 bits. */
    HS256(Family.HMAC, 256),
    /** HMAC with SHA-384; keys of at least 384 bits. */
    HS384(Family.HMAC, 384),
    /** HMAC with SHA-512; keys of at least 512 bits. */
    HS512(Family.HMAC, 512),
    /** RSASSA-PKCS1-v1_5 with SHA-256; keys of at least 2048 bits. */
    RS256(Family.RSA, 256),
    /** RSASSA-PKCS1-v1_5 with SHA-384; keys of at least 2048 bits. */
    RS384(Family.RSA, 384),
    /** RSASSA-PKCS1-v1_5 with SHA-512; keys of at least 2048 bits. */
    RS512(Family.RSA, 512),
    /** RSASSA-PSS with SHA-256, also in MGF1; keys of at least 2048 bits. */
    PS256(Family.RSA_PSS, 256),
    /** RSASSA-PSS with SHA-384, also in MGF1; keys of at least 2048 bits. */
    PS384(Family.RSA_PSS, 384),
    /** RSASSA-PSS with SHA-512, also in MGF1; keys of at least 2048 bits. */
    PS512(Family.RSA_PSS, 512),
    /** ECDSA on the curve P-256 with SHA-256. */
    ES256(Family.EC, 256),
    /** ECDSA on the curve P-384 with SHA-384. */
    ES384(Family.EC, 384),
    /** ECDSA on the curve P-521 with SHA-512. */
    ES512(Family.EC, 512),
    /** EdDSA on the curve Ed25519. */
    EDDSA(Family.EDDSA, 512);

    /** Algorithms that share a kind of key. */
    enum Family {
        HMAC,
        RSA,
        RSA_PSS,
        EC,
        EDDSA
    }

    final Family family;

    /** The length of the hash. */
    final int hashBits;

    JwsAlgorithm(Family family, int hashBits) {
        this.family = family;
        this.hashBits = hashBits;
    }

    /** {@return how the header of a token spells it, {@code alg}} That is the constant's name, but for {@code EdDSA}. */
    public String headerName() {
        return this == EDDSA ? "EdDSA" : name();
    }

    boolean isSymmetric() {
        return family == Family.HMAC;
    }

    /** The hash as {@link java.security.MessageDigest} spells it. */
    String hashName() {
        return "SHA-" + hashBits;
    }
}
