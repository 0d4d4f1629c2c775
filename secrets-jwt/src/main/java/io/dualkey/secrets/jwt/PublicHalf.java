package io.dualkey.secrets.jwt;

import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.ProviderException;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.interfaces.ECPrivateKey;
import java.security.interfaces.EdECPrivateKey;
import java.security.spec.AlgorithmParameterSpec;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Finds the public half of a private key on an elliptic curve, which most files in PEM leave out. There is no arithmetic
 * of ours here: Java's own generator of keys computes the public half of whatever private number chance gives it, so it is
 * given this one. It does not promise how it uses chance, and so what it made is compared with what was given: another Java
 * may not find the public half, but none finds a wrong one.
 */
final class PublicHalf {

    private static final String PROVIDER = "SunEC";

    private PublicHalf() {}

    /** Whether a private key is one at all: a number from one to the order of the curve less one (RFC 5915 section 3). */
    static boolean exists(ECPrivateKey key) {
        return key.getS().signum() > 0 && key.getS().compareTo(key.getParams().getOrder()) < 0;
    }

    /** The public half of a key that {@linkplain #exists is one}; null if this Java does not compute it. */
    static @Nullable PublicKey of(ECPrivateKey key) {
        byte[] number = key.getS().toByteArray();
        byte[] littleEndian = new byte[number.length];
        for (int i = 0; i < number.length; i++) {
            littleEndian[i] = number[number.length - 1 - i];
        }
        Arrays.fill(number, (byte) 0);
        KeyPair made = generate("EC", key.getParams(), littleEndian);
        Arrays.fill(littleEndian, (byte) 0);
        return made != null
                        && made.getPrivate() instanceof ECPrivateKey same
                        && same.getS().equals(key.getS())
                ? made.getPublic()
                : null;
    }

    /** The public half; null if this Java does not compute it. */
    static @Nullable PublicKey of(EdECPrivateKey key) {
        byte[] seed = key.getBytes().orElseGet(() -> new byte[0]);
        KeyPair made = generate("EdDSA", key.getParams(), seed);
        return made != null && isSame(made.getPrivate(), seed) ? made.getPublic() : null;
    }

    private static boolean isSame(PrivateKey made, byte[] seed) {
        return made instanceof EdECPrivateKey same
                && same.getBytes().filter(bytes -> Arrays.equals(bytes, seed)).isPresent();
    }

    private static @Nullable KeyPair generate(String type, AlgorithmParameterSpec parameters, byte[] number) {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance(type, PROVIDER);
            generator.initialize(parameters, new Chosen(number));
            return generator.generateKeyPair();
        } catch (GeneralSecurityException | ProviderException anotherJava) {
            return null;
        }
    }

    /** Chance that is none: always the same number, and zeros after it. */
    private static final class Chosen extends SecureRandom {

        private static final long serialVersionUID = 1L;

        private final transient byte[] number;

        Chosen(byte[] number) {
            this.number = number;
        }

        @Override
        public void nextBytes(byte[] bytes) {
            int length = Math.min(bytes.length, number.length);
            System.arraycopy(number, 0, bytes, 0, length);
            Arrays.fill(bytes, length, bytes.length, (byte) 0);
        }
    }
}
