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

    /** Documents that are no HMAC keys. A text that only starts with a brace may well be one that was drawn at random. */
    private static final byte[] PEM = "-----BEGIN ".getBytes(StandardCharsets.US_ASCII);

    private static final byte[] JWK = "\"kty\"".getBytes(StandardCharsets.US_ASCII);

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

    static byte[] bytes(SecretValue value, KeyFormat format) {
        byte[] key = format.decode(value);
        if (contains(key, PEM) || (firstCharacter(key) == '{' && contains(key, JWK))) {
            Arrays.fill(key, (byte) 0);
            throw new UnusableSecretException("the HMAC key is a PEM or JWK document, whose text must not be a key for"
                    + " HS256: if it is a public key, everybody could sign tokens; use RS256 for an RSA key, and of a"
                    + " JWK of type oct only the member 'k', as BASE64URL");
        }
        if (key.length < HASH_LENGTH) {
            Arrays.fill(key, (byte) 0);
            throw new UnusableSecretException("the HMAC key is too short: HS256 needs at least 256 bits, " + HASH_LENGTH
                    + " bytes (RFC 7518 section 3.2), counted after decoding it as " + format);
        }
        return key;
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

    private static boolean contains(byte[] text, byte[] part) {
        for (int i = 0; i <= text.length - part.length; i++) {
            if (Arrays.equals(text, i, i + part.length, part, 0, part.length)) {
                return true;
            }
        }
        return false;
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
