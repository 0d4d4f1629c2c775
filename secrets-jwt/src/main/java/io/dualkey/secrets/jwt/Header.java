package io.dualkey.secrets.jwt;

import static java.nio.charset.StandardCharsets.US_ASCII;

import org.jspecify.annotations.Nullable;

/** Reads and checks the header of a token (RFC 7515 section 4). */
final class Header {

    private static final byte[] ALG = "alg".getBytes(US_ASCII);
    private static final byte[] KID = "kid".getBytes(US_ASCII);
    private static final byte[] TYP = "typ".getBytes(US_ASCII);
    private static final byte[] CRIT = "crit".getBytes(US_ASCII);
    private static final byte[] B64 = "b64".getBytes(US_ASCII);

    /** Why it is refused; null if it is not. */
    final @Nullable RejectionReason refusal;

    /** The {@code alg}; null if it is refused. */
    final @Nullable JwsAlgorithm algorithm;

    /** The {@code kid}; null if there is none. */
    final @Nullable String keyId;

    private Header(@Nullable RejectionReason refusal, @Nullable JwsAlgorithm algorithm, @Nullable String keyId) {
        this.refusal = refusal;
        this.algorithm = algorithm;
        this.keyId = keyId;
    }

    /**
     * Reads a header in base64url. Other members than those checked, {@code jwk} and {@code jku} too, mean nothing.
     *
     * @param json reads it; given, because a forged token must not cost more memory than a good one
     * @param room for the decoded header; it is overwritten
     */
    static Header read(byte[] text, int length, HeaderRules rules, JsonCursor json, byte[] room) {
        int decodedLength = Base64Url.decode(text, 0, length, room);
        json.reset(room, Math.max(0, decodedLength));
        if (json.next() != JsonCursor.BEGIN_OBJECT) {
            return refused(RejectionReason.MALFORMED);
        }
        boolean algorithmPresent = false;
        JwsAlgorithm algorithm = null;
        boolean typeAccepted = !rules.typeRequired;
        boolean extended = false;
        String keyId = null;
        int token = json.next();
        while (token == JsonCursor.NAME) {
            boolean valid;
            if (json.is(ALG)) {
                algorithmPresent = json.next() == JsonCursor.STRING;
                algorithm = algorithmPresent ? rules.algorithm(json) : null;
                valid = algorithmPresent;
            } else if (json.is(KID)) {
                int value = json.next();
                valid = value == JsonCursor.STRING;
                keyId = valid ? json.string(value) : null;
            } else if (json.is(TYP)) {
                valid = json.next() == JsonCursor.STRING;
                typeAccepted = valid && rules.isAcceptedType(json);
            } else {
                extended |= json.is(CRIT) || json.is(B64);
                valid = json.skip(json.next());
            }
            if (!valid) {
                return refused(RejectionReason.MALFORMED);
            }
            token = json.next();
        }
        if (token != JsonCursor.END_OBJECT || json.next() != JsonCursor.END || !algorithmPresent) {
            return refused(RejectionReason.MALFORMED);
        } else if (algorithm == null) {
            return refused(RejectionReason.WRONG_ALGORITHM);
        } else if (extended) {
            return refused(RejectionReason.UNKNOWN_EXTENSION);
        } else if (!typeAccepted) {
            return refused(RejectionReason.WRONG_TYPE);
        }
        return new Header(null, algorithm, keyId);
    }

    private static Header refused(RejectionReason reason) {
        return new Header(reason, null, null);
    }
}
