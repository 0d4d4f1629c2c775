package io.dualkey.secrets.jwt;

import io.dualkey.secrets.SecretValue;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import javax.crypto.Mac;
import javax.crypto.SecretKey;
import javax.crypto.spec.SecretKeySpec;

/**
 * A key that whole messages are authenticated with: HMAC (RFC 2104) with SHA-256. Safe for use by several threads;
 * {@code toString} shows nothing of the key.
 */
final class MacKey {

    static final int LENGTH = 32;

    private static final String ALGORITHM = "HmacSHA256";

    private final SecretKey key;
    private final Pool<Mac> macs = new Pool<>(this::newMac);

    MacKey(byte[] key) {
        this.key = new SecretKeySpec(key, ALGORITHM);
    }

    /** Holds keys to the rules that hold for HS256 too: not under 256 bits, and no text of a PEM or JWK. */
    static MacKey parse(SecretValue value, KeyFormat format) {
        byte[] key = HmacKey.bytes(value, format);
        try {
            return new MacKey(key);
        } finally {
            Arrays.fill(key, (byte) 0);
        }
    }

    /** The MAC of a message in two parts. */
    byte[] compute(byte[] beginning, byte[] rest) {
        Mac mac = macs.acquire();
        mac.update(beginning);
        byte[] computed = mac.doFinal(rest);
        macs.release(mac);
        return computed;
    }

    private Mac newMac() {
        try {
            Mac mac = Mac.getInstance(ALGORITHM);
            mac.init(key);
            return mac;
        } catch (GeneralSecurityException everyJavaHasIt) {
            throw new IllegalStateException("this Java has no " + ALGORITHM);
        }
    }
}
