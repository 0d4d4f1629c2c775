package io.dualkey.secrets.jwt;

import io.dualkey.secrets.SecretValue;
import io.dualkey.secrets.UnusableSecretException;
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
    /** 128 bits; Svix and those who build on it give out 24 bytes, others text of 20 characters. */
    private static final int SHORTEST = 16;

    private static final String ALGORITHM = "HmacSHA256";

    private final SecretKey key;
    private final Pool<Mac> macs = new Pool<>(this::newMac);

    MacKey(byte[] key) {
        this.key = new SecretKeySpec(key, ALGORITHM);
    }

    /** Holds keys to rules: no text of a PEM or JWK, and not so short that it could be guessed. The sender chooses its length. */
    static MacKey parse(SecretValue value, KeyFormat format) {
        byte[] key = HmacKey.bytesOfNoDocument(value, format, ALGORITHM);
        try {
            if (key.length < SHORTEST) {
                throw new UnusableSecretException("the webhook secret is too short: it has to have at least " + SHORTEST
                        + " bytes, counted after decoding it as " + format);
            }
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
