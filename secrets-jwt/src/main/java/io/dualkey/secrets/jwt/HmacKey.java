package io.dualkey.secrets.jwt;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.crypto.MACSigner;
import io.dualkey.secrets.SecretValue;
import io.dualkey.secrets.UnusableSecretException;
import java.nio.charset.StandardCharsets;
import java.security.DigestException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Base64;

/**
 * A key for HMAC (RFC 2104) with SHA-256. The construction is written out over a {@link MessageDigest}, because {@link
 * javax.crypto.Mac} allocates in each operation and copying a prepared digest does too.
 */
final class HmacKey implements VerificationKey {

    private static final String HASH = "SHA-256";
    private static final int HASH_LENGTH = 32;
    private static final int BLOCK_LENGTH = 64;
    private static final byte[] ID_LABEL = "dualkey kid".getBytes(StandardCharsets.US_ASCII);
    private static final int ID_LENGTH = 9;

    private final byte[] inner = new byte[BLOCK_LENGTH];
    private final byte[] outer = new byte[BLOCK_LENGTH];
    private final Pool<Digest> digests = new Pool<>(Digest::new);
    private final KeyId id;

    /** A digest with room for what it computes. */
    private static final class Digest {
        final MessageDigest hash = sha256();
        final byte[] computed = new byte[HASH_LENGTH];
        final byte[] given = new byte[HASH_LENGTH];
    }

    private HmacKey(byte[] key) {
        byte[] block = key.length > BLOCK_LENGTH ? sha256().digest(key) : key;
        for (int i = 0; i < BLOCK_LENGTH; i++) {
            int value = i < block.length ? block[i] : 0;
            inner[i] = (byte) (value ^ 0x36);
            outer[i] = (byte) (value ^ 0x5c);
        }
        this.id = new KeyId(computeId(), false);
    }

    static HmacKey parse(SecretValue value, KeyFormat format) {
        byte[] key = bytes(value, format);
        try {
            return new HmacKey(key);
        } finally {
            Arrays.fill(key, (byte) 0);
        }
    }

    static SigningKey parseForSigning(SecretValue value, KeyFormat format) {
        byte[] key = bytes(value, format); // the signer keeps the array
        try {
            return new SigningKey(new HmacKey(key).id(), new MACSigner(key), null);
        } catch (JOSEException mayQuoteTheKey) {
            throw new UnusableSecretException("the HMAC key cannot be used to sign HS256");
        }
    }

    private static byte[] bytes(SecretValue value, KeyFormat format) {
        byte[] key = format.decode(value);
        if (key.length < HASH_LENGTH) {
            Arrays.fill(key, (byte) 0);
            throw new UnusableSecretException("the HMAC key is too short: HS256 needs at least 256 bits, " + HASH_LENGTH
                    + " bytes (RFC 7518 section 3.2), counted after decoding it as " + format);
        }
        return key;
    }

    @Override
    public KeyId id() {
        return id;
    }

    @Override
    public boolean verifies(byte[] text, int textLength, byte[] signature, int signatureLength) {
        if (signatureLength != HASH_LENGTH) {
            return false;
        }
        Digest digest = digests.acquire();
        compute(digest, text, textLength);
        System.arraycopy(signature, 0, digest.given, 0, HASH_LENGTH);
        boolean good = MessageDigest.isEqual(digest.computed, digest.given);
        digests.release(digest);
        return good;
    }

    private void compute(Digest digest, byte[] text, int textLength) {
        MessageDigest hash = digest.hash;
        try {
            hash.update(inner);
            hash.update(text, 0, textLength);
            hash.digest(digest.computed, 0, HASH_LENGTH);
            hash.update(outer);
            hash.update(digest.computed);
            hash.digest(digest.computed, 0, HASH_LENGTH);
        } catch (DigestException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    /** No plain hash of a secret leaves the process: only a MAC of a text that no token's signing input can be. */
    private String computeId() {
        Digest digest = new Digest();
        compute(digest, ID_LABEL, ID_LABEL.length);
        return Base64.getUrlEncoder().withoutPadding().encodeToString(Arrays.copyOf(digest.computed, ID_LENGTH));
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance(HASH);
        } catch (NoSuchAlgorithmException everyJavaHasIt) {
            throw new IllegalStateException(everyJavaHasIt);
        }
    }
}
