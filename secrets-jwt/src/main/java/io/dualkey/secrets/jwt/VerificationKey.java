package io.dualkey.secrets.jwt;

/**
 * One key that signatures are verified with, by the one algorithm that it is for. Safe for use by several threads;
 * {@code toString} shows nothing of the key.
 */
interface VerificationKey {

    /** What names this key in a token's header. */
    KeyId id();

    /** The only algorithm that it is used with. */
    JwsAlgorithm algorithm();

    /** Whether another key has the same material, algorithm and id, so that trying both is pointless. */
    boolean isSameAs(VerificationKey other);

    /**
     * Whether a signature is good. It takes the same time whatever a signature of the right length contains.
     *
     * @param text begins with the signing input (RFC 7515 section 5.1), which ends at {@code textLength}
     * @param signature begins with the decoded signature, which ends at {@code signatureLength}
     */
    boolean verifies(byte[] text, int textLength, byte[] signature, int signatureLength);
}
