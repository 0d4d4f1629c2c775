package io.dualkey.benchmarks;

import com.amazon.corretto.crypto.provider.AmazonCorrettoCryptoProvider;
import com.google.crypto.tink.subtle.Ed25519Verify;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.security.Signature;
import java.util.Arrays;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.conscrypt.Conscrypt;

/** Who computes a signature. */
public enum SignatureProvider {
    /** What comes with Java. */
    JDK,
    /** Bouncy Castle, in Java. */
    BOUNCY_CASTLE,
    /** Amazon Corretto Crypto Provider, over AWS-LC. */
    CORRETTO,
    /** Conscrypt, over BoringSSL. */
    CONSCRYPT,
    /** Tink, in Java; here for Ed25519 alone. */
    TINK;

    /** Judges signatures with one key, for one thread. */
    interface Verification {

        /** Whether the signature is good. */
        boolean isGood(byte[] text, byte[] signature) throws GeneralSecurityException;
    }

    /** Whether this one is measured with an algorithm, and its native code, if it has any, runs on this machine. */
    boolean has(SignatureAlgorithm algorithm) {
        return switch (this) {
            case JDK, BOUNCY_CASTLE -> true;
            case CORRETTO -> AmazonCorrettoCryptoProvider.INSTANCE.getLoadingError() == null;
            case CONSCRYPT -> Conscrypt.isAvailable();
            case TINK -> algorithm == SignatureAlgorithm.ED25519;
        };
    }

    /** The way of an application that keeps its instance. */
    Verification verification(SignatureAlgorithm algorithm, PublicKey key) throws GeneralSecurityException {
        if (!has(algorithm)) {
            throw new GeneralSecurityException(this + " is not measured with " + algorithm);
        }
        return this == TINK ? tink(key) : jca(instance(algorithm.jcaName()), key);
    }

    private Signature instance(String name) throws GeneralSecurityException {
        return switch (this) {
            case BOUNCY_CASTLE -> Signature.getInstance(name, new BouncyCastleProvider());
            case CORRETTO -> Signature.getInstance(name, AmazonCorrettoCryptoProvider.INSTANCE);
            case CONSCRYPT -> Signature.getInstance(name, Conscrypt.newProvider());
            case JDK, TINK -> Signature.getInstance(name);
        };
    }

    private static Verification jca(Signature reused, PublicKey key) throws GeneralSecurityException {
        reused.initVerify(key);
        return (text, signature) -> {
            reused.update(text);
            return reused.verify(signature);
        };
    }

    private static Verification tink(PublicKey key) throws GeneralSecurityException {
        byte[] encoded = key.getEncoded(); // RFC 8410: the key is the last 32 bytes
        Ed25519Verify verify = new Ed25519Verify(Arrays.copyOfRange(encoded, encoded.length - 32, encoded.length));
        return (text, signature) -> {
            try {
                verify.verify(signature, text);
                return true;
            } catch (GeneralSecurityException refused) {
                return false;
            }
        };
    }
}
