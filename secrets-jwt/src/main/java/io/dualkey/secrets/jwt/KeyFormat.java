package io.dualkey.secrets.jwt;

import io.dualkey.secrets.SecretValue;
import io.dualkey.secrets.UnusableSecretException;
import java.util.Arrays;
import java.util.Base64;

/**
 * How a secret's value spells a key. It is told and never guessed, because most HMAC keys can be read in several ways: 44
 * characters of base64 are also a text of 44 bytes, and another key.
 *
 * <p>White space in and around an encoded key does not count: editors put a line break at the end of a file, and tools
 * such as {@code openssl rand -base64 64} write several lines.
 */
public enum KeyFormat {
    /** The bytes of the value are the key, apart from one line break at its end, if there is one. */
    TEXT {
        @Override
        byte[] decode(byte[] value) {
            int length = value.length;
            if (length > 0 && value[length - 1] == '\n') {
                length--;
                if (length > 0 && value[length - 1] == '\r') {
                    length--;
                }
            }
            return Arrays.copyOf(value, length);
        }
    },
    /** Base64 with the characters {@code +} and {@code /} (RFC 4648 section 4), with or without padding. */
    BASE64 {
        @Override
        byte[] decode(byte[] value) {
            return Base64.getDecoder().decode(withoutSpace(value));
        }
    },
    /** Base64 with the characters {@code -} and {@code _} (RFC 4648 section 5), with or without padding. */
    BASE64URL {
        @Override
        byte[] decode(byte[] value) {
            return Base64.getUrlDecoder().decode(withoutSpace(value));
        }
    },
    /** Two hexadecimal digits for each byte, in either case. */
    HEX {
        @Override
        byte[] decode(byte[] value) {
            byte[] digits = withoutSpace(value);
            if (digits.length % 2 != 0) {
                throw new IllegalArgumentException("odd number of digits");
            }
            byte[] key = new byte[digits.length / 2];
            for (int i = 0; i < key.length; i++) {
                int high = Character.digit(digits[2 * i], 16);
                int low = Character.digit(digits[2 * i + 1], 16);
                if (high < 0 || low < 0) {
                    throw new IllegalArgumentException("not a digit");
                }
                key[i] = (byte) (high << 4 | low);
            }
            return key;
        }
    },
    /**
     * One key, not of HMAC, in a block of PEM (RFC 7468): {@code PUBLIC KEY} (SPKI), {@code RSA PUBLIC KEY} (PKCS#1),
     * {@code CERTIFICATE} (X.509, which only carries the key here: neither its chain nor its validity is looked at), or
     * {@code PRIVATE KEY} (PKCS#8), {@code RSA PRIVATE KEY} (PKCS#1) or {@code EC PRIVATE KEY} (RFC 5915), of which a
     * verifier uses the public half. Encrypted keys are not read.
     */
    PEM {
        @Override
        byte[] decode(byte[] value) {
            throw new IllegalArgumentException("no bare key");
        }
    },
    /** One JSON Web Key (RFC 7517 section 4) of any type. */
    JWK {
        @Override
        byte[] decode(byte[] value) {
            throw new IllegalArgumentException("no bare key");
        }
    },
    /** A JWK Set (RFC 7517 section 5): all its keys that are meant for the verifier's algorithms are accepted. */
    JWK_SET {
        @Override
        byte[] decode(byte[] value) {
            throw new IllegalArgumentException("no bare key");
        }
    };

    /** Whether the value is a document that says itself what kind of key it holds, not the bytes of an HMAC key. */
    boolean isDocument() {
        return this == PEM || this == JWK || this == JWK_SET;
    }

    /** Decodes a value; an IllegalArgumentException may quote it and must not be shown. */
    abstract byte[] decode(byte[] value);

    /** The key's bytes, which the caller should clear after use. */
    byte[] decode(SecretValue value) {
        byte[] bytes = value.revealBytes();
        try {
            return decode(bytes);
        } catch (IllegalArgumentException quotesTheValue) {
            throw new UnusableSecretException("the HMAC key is not valid " + this
                    + "; correct the value, or tell the KeyFormat in which it is really written");
        } finally {
            Arrays.fill(bytes, (byte) 0);
        }
    }

    private static byte[] withoutSpace(byte[] value) {
        byte[] kept = new byte[value.length];
        int length = 0;
        for (byte character : value) {
            if (!isSpace(character)) {
                kept[length++] = character;
            }
        }
        byte[] exact = Arrays.copyOf(kept, length);
        Arrays.fill(kept, (byte) 0);
        return exact;
    }

    private static boolean isSpace(byte character) {
        return character == ' ' || character == '\n' || character == '\r' || character == '\t';
    }
}
