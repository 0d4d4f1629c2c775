package io.dualkey.benchmarks;

import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.Signature;

/** Algorithms whose cost depends much on who computes them. */
public enum SignatureAlgorithm {
    /** ECDSA on P-256; signatures in DER, because Conscrypt does not know the form of RFC 7518. */
    ES256("EC", 256, "SHA256withECDSA"),
    /** EdDSA with Curve25519 (RFC 8032). */
    ED25519("Ed25519", 255, "Ed25519"),
    /** RSASSA-PKCS1-v1_5, 2048 bits, for comparison. */
    RS256("RSA", 2048, "SHA256withRSA");

    private final String keys;
    private final int bits;
    private final String jcaName;

    SignatureAlgorithm(String keys, int bits, String jcaName) {
        this.keys = keys;
        this.bits = bits;
        this.jcaName = jcaName;
    }

    String jcaName() {
        return jcaName;
    }

    /** Makes keys with the JDK. */
    KeyPair newKeys() throws GeneralSecurityException {
        KeyPairGenerator generator = KeyPairGenerator.getInstance(keys);
        generator.initialize(bits);
        return generator.generateKeyPair();
    }

    /** Signs with the JDK. */
    byte[] sign(PrivateKey key, byte[] text) throws GeneralSecurityException {
        Signature signature = Signature.getInstance(jcaName);
        signature.initSign(key);
        signature.update(text);
        return signature.sign();
    }
}
