package io.dualkey.examples.rotation.demo;

import java.security.SecureRandom;
import java.util.Base64;

/** Fresh secrets. */
final class Generated {

    private static final SecureRandom RANDOM = new SecureRandom();

    private Generated() {}

    /** {@return a key for HS256: 32 random bytes in base64} */
    static String key() {
        return base64(32);
    }

    /** {@return a password, with the characters that have a meaning in a URL likely among its own} */
    static String password() {
        return base64(24);
    }

    private static String base64(int length) {
        byte[] bytes = new byte[length];
        RANDOM.nextBytes(bytes);
        return Base64.getEncoder().encodeToString(bytes);
    }
}
