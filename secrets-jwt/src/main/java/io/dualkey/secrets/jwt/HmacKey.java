package io.dualkey.secrets.jwt;

import io.dualkey.secrets.SecretValue;
import io.dualkey.secrets.UnusableSecretException;
import java.nio.charset.StandardCharsets;
import java.security.DigestException;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.Provider;
import java.util.Arrays;
import java.util.Base64;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * A key for HMAC (RFC 2104) with SHA-256, SHA-384 or SHA-512. The construction is written out over a {@link
 * MessageDigest}, because {@link Mac} allocates in each operation and copying a prepared digest does too. Where the user
 * names a provider, its {@link Mac} computes.
 */
final class HmacKey implements VerificationKey {

    private static final byte[] ID_LABEL = "dualkey kid".getBytes(StandardCharsets.US_ASCII);
    private static final int ID_LENGTH = 9;

    /** Documents that are no HMAC keys. A text that only starts with a brace may well be one that was drawn at random. */
    private static final byte[] PEM = "-----BEGIN ".getBytes(StandardCharsets.US_ASCII);

    private static final byte[] JWK = "\"kty\"".getBytes(StandardCharsets.US_ASCII);

    /** The least that a public key takes in DER: one of Ed25519. */
    private static final int PUBLIC_KEY_LENGTH = 44;

    private final JwsAlgorithm algorithm;
    private final int length;
    private final KeyId id;
    private final String derivedId; // stands for the material
    private final Pool<Computation> computations;

    private HmacKey(byte[] key, JwsAlgorithm algorithm, @Nullable String toldId, @Nullable Provider provider) {
        this.algorithm = algorithm;
        this.length = algorithm.hashBits / 8;
        Pads pads = new Pads(key, algorithm);
        this.derivedId = deriveId(pads);
        this.id = toldId == null ? new KeyId(derivedId, false) : new KeyId(toldId, true);
        if (provider == null) {
            this.computations = new Pool<>(() -> new DigestComputation(pads));
        } else {
            SecretKeySpec spec = new SecretKeySpec(key, macName(algorithm));
            this.computations = new Pool<>(() -> new MacComputation(spec, length, provider));
            computations.release(computations.acquire()); // a provider that does not take the key says so now
        }
    }

    /** A key of these bytes, which are copied. */
    static HmacKey of(byte[] key, JwsAlgorithm algorithm, @Nullable String toldId, @Nullable Provider provider) {
        return new HmacKey(key, algorithm, toldId, provider);
    }

    static HmacKey parse(SecretValue value, KeyFormat format) {
        return parse(value, format, JwsAlgorithm.HS256, null);
    }

    static HmacKey parse(SecretValue value, KeyFormat format, JwsAlgorithm algorithm, @Nullable Provider provider) {
        byte[] key = bytes(value, format, algorithm);
        try {
            return new HmacKey(key, algorithm, null, provider);
        } finally {
            Arrays.fill(key, (byte) 0);
        }
    }

    /** The bytes of a key that is fit for an algorithm. */
    static byte[] bytes(SecretValue value, KeyFormat format, JwsAlgorithm algorithm) {
        byte[] key = bytesOfNoDocument(value, format, algorithm.toString());
        if (key.length < algorithm.hashBits / 8) {
            Arrays.fill(key, (byte) 0);
            throw new UnusableSecretException("the HMAC key is too short: " + algorithm + " needs at least "
                    + algorithm.hashBits + " bits, " + algorithm.hashBits / 8
                    + " bytes (RFC 7518 section 3.2), counted after decoding it as " + format);
        }
        return key;
    }

    /** The bytes of a key that is not the text of another kind of key. */
    static byte[] bytesOfNoDocument(SecretValue value, KeyFormat format, String use) {
        byte[] key = format.decode(value);
        if (isOtherKey(key)) {
            Arrays.fill(key, (byte) 0);
            throw new UnusableSecretException("the HMAC key is a PEM or JWK document, or the content of one, which must"
                    + " not be a key for " + use + ": if it is a public key, everybody could sign tokens; use RS256 for"
                    + " an RSA key, and the KeyFormat JWK for a JWK of type oct");
        }
        return key;
    }

    /** Also where the lines of a PEM were joined and its headings left out, as issuers show their public keys. */
    private static boolean isOtherKey(byte[] key) {
        if (Der.contains(key, PEM) || (firstCharacter(key) == '{' && Der.contains(key, JWK))) {
            return true;
        }
        if (Der.isKeyOrCertificate(key)) {
            return true;
        }
        try {
            return key.length >= PUBLIC_KEY_LENGTH
                    && Der.isKeyOrCertificate(Base64.getMimeDecoder().decode(key));
        } catch (IllegalArgumentException notBase64) {
            return false;
        }
    }

    /** Fails if the provider does not know the algorithm. */
    static void requireSupport(JwsAlgorithm algorithm, Provider provider) {
        try {
            Mac.getInstance(macName(algorithm), provider);
        } catch (NoSuchAlgorithmException unknown) {
            throw new IllegalArgumentException(
                    "the provider " + provider.getName() + " does not compute " + algorithm, unknown);
        }
    }

    private static String macName(JwsAlgorithm algorithm) {
        return "HmacSHA" + algorithm.hashBits;
    }

    /** The first byte that is neither white space nor of a byte order mark; -1 if there is none. */
    private static int firstCharacter(byte[] text) {
        for (byte one : text) {
            if (one > ' ') {
                return one;
            }
        }
        return -1;
    }

    @Override
    public KeyId id() {
        return id;
    }

    @Override
    public JwsAlgorithm algorithm() {
        return algorithm;
    }

    @Override
    public boolean isSameAs(VerificationKey other) {
        return other instanceof HmacKey same
                && same.algorithm == algorithm
                && same.id.equals(id)
                && same.derivedId.equals(derivedId);
    }

    @Override
    public boolean verifies(byte[] text, int textLength, byte[] signature, int signatureLength) {
        if (signatureLength != length) {
            return false;
        }
        Computation computation = computations.acquire();
        computation.compute(text, textLength);
        System.arraycopy(signature, 0, computation.given, 0, length);
        boolean good = MessageDigest.isEqual(computation.computed, computation.given);
        computations.release(computation);
        return good;
    }

    /** No plain hash of a secret leaves the process: only a MAC of a text that no token's signing input can be. */
    private static String deriveId(Pads pads) {
        Computation computation = new DigestComputation(pads);
        computation.compute(ID_LABEL, ID_LABEL.length);
        return Base64.getUrlEncoder().withoutPadding().encodeToString(Arrays.copyOf(computation.computed, ID_LENGTH));
    }

    /** The key as HMAC uses it. */
    private static final class Pads {

        final String hashName;
        final int hashLength;
        final byte[] inner;
        final byte[] outer;

        Pads(byte[] key, JwsAlgorithm algorithm) {
            this.hashName = algorithm.hashName();
            this.hashLength = algorithm.hashBits / 8;
            int blockLength = algorithm.hashBits == 256 ? 64 : 128;
            this.inner = new byte[blockLength];
            this.outer = new byte[blockLength];
            byte[] block = key.length > blockLength ? digest(hashName).digest(key) : key;
            for (int i = 0; i < blockLength; i++) {
                int value = i < block.length ? block[i] : 0;
                inner[i] = (byte) (value ^ 0x36);
                outer[i] = (byte) (value ^ 0x5c);
            }
        }
    }

    /** What computes, with room for what it computes and what that is compared with. */
    private abstract static class Computation {

        final byte[] computed;
        final byte[] given;

        Computation(int length) {
            this.computed = new byte[length];
            this.given = new byte[length];
        }

        abstract void compute(byte[] text, int textLength);
    }

    private static final class DigestComputation extends Computation {

        private final MessageDigest hash;
        private final Pads pads;

        DigestComputation(Pads pads) {
            super(pads.hashLength);
            this.hash = digest(pads.hashName);
            this.pads = pads;
        }

        @Override
        void compute(byte[] text, int textLength) {
            try {
                hash.update(pads.inner);
                hash.update(text, 0, textLength);
                hash.digest(computed, 0, computed.length);
                hash.update(pads.outer);
                hash.update(computed);
                hash.digest(computed, 0, computed.length);
            } catch (DigestException impossible) {
                throw new IllegalStateException(impossible);
            }
        }
    }

    private static final class MacComputation extends Computation {

        private final Mac mac;

        MacComputation(SecretKeySpec key, int length, Provider provider) {
            super(length);
            try {
                mac = Mac.getInstance(key.getAlgorithm(), provider);
                mac.init(key);
            } catch (GeneralSecurityException mayQuoteTheKey) {
                throw new UnusableSecretException("the security provider does not take the HMAC key");
            }
        }

        @Override
        void compute(byte[] text, int textLength) {
            mac.update(text, 0, textLength);
            byte[] result = mac.doFinal();
            System.arraycopy(result, 0, computed, 0, computed.length);
        }
    }

    private static MessageDigest digest(String name) {
        try {
            return MessageDigest.getInstance(name);
        } catch (NoSuchAlgorithmException everyJavaHasIt) {
            throw new IllegalStateException(everyJavaHasIt);
        }
    }

    /** The algorithm; nothing of the key. */
    @Override
    public String toString() {
        return "HmacKey[" + algorithm + "]";
    }
}
