package io.dualkey.benchmarks;

import io.dualkey.secrets.RotatingSecret;
import io.dualkey.secrets.jwt.JwsAlgorithm;
import io.dualkey.secrets.jwt.JwtSigner;
import io.dualkey.secrets.jwt.JwtVerifier;
import io.dualkey.secrets.jwt.KeyFormat;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.util.Base64;
import javax.crypto.Mac;
import javax.crypto.SecretKey;
import javax.crypto.spec.SecretKeySpec;

/** Algorithms that tokens are signed by. To measure another one, add it here and where the compiler then asks for it. */
public enum JwtAlgorithm {
    /** HMAC with SHA-256. */
    HS256(JwsAlgorithm.HS256, "HmacSHA256", 256, "HmacSHA256"),
    /** RSASSA-PKCS1-v1_5 with SHA-256, 2048 bits. */
    RS256(JwsAlgorithm.RS256, "RSA", 2048, "SHA256withRSA"),
    /** ECDSA on P-256 with SHA-256. */
    ES256(JwsAlgorithm.ES256, "EC", 256, "SHA256withECDSAinP1363Format"),
    /** EdDSA with Ed25519. */
    EDDSA(JwsAlgorithm.EDDSA, "Ed25519", 255, "Ed25519");

    private final JwsAlgorithm told;
    private final String keys;
    private final int bits;
    private final String jcaName;

    JwtAlgorithm(JwsAlgorithm told, String keys, int bits, String jcaName) {
        this.told = told;
        this.keys = keys;
        this.bits = bits;
        this.jcaName = jcaName;
    }

    /** What ours is told. */
    JwtVerifier.Builder verifier(RotatingSecret secret) {
        return JwtVerifier.builder(secret, symmetric() ? KeyFormat.BASE64 : KeyFormat.PEM, told);
    }

    /** What ours is told to sign. */
    JwtSigner.Builder signer(RotatingSecret secret) {
        return JwtSigner.builder(secret, symmetric() ? KeyFormat.BASE64 : KeyFormat.PEM, told);
    }

    /** As the header of a token has it. */
    String headerName() {
        return told.headerName();
    }

    /** How many tokens there are: as few as a set-up can check quickly, where one takes most of a millisecond. */
    int tokens() {
        return this == HS256 || this == RS256 ? 4096 : 512;
    }

    /** The JDK's name of the signature. */
    String jcaName() {
        return jcaName;
    }

    private boolean symmetric() {
        return jcaName.startsWith("Hmac");
    }

    /**
     * Keys as a vault and as the JDK have them.
     *
     * @param secret the text in the vault: base64 or PEM
     */
    record Keys(String secret, Key signing, Key verification) {}

    /** Makes new ones. */
    Keys newKeys() throws GeneralSecurityException {
        if (symmetric()) {
            byte[] random = new byte[bits / 8];
            new SecureRandom().nextBytes(random);
            SecretKey key = new SecretKeySpec(random, keys);
            return new Keys(Base64.getEncoder().encodeToString(random), key, key);
        }
        KeyPairGenerator generator = KeyPairGenerator.getInstance(keys);
        generator.initialize(bits);
        KeyPair pair = generator.generateKeyPair();
        String content = Base64.getMimeEncoder(64, new byte[] {'\n'})
                .encodeToString(pair.getPrivate().getEncoded());
        String pem = "-----BEGIN PRIVATE KEY-----\n" + content + "\n-----END PRIVATE KEY-----\n";
        return new Keys(pem, pair.getPrivate(), pair.getPublic());
    }

    /** Signs with the JDK. */
    byte[] sign(Key key, byte[] text) throws GeneralSecurityException {
        if (symmetric()) {
            return mac(key).doFinal(text);
        }
        Signature signature = Signature.getInstance(jcaName);
        signature.initSign((PrivateKey) key);
        signature.update(text);
        return signature.sign();
    }

    /** The JDK's verification of a signature, whose instance is reused. For one thread. */
    SignatureProvider.Verification verification(Key key) throws GeneralSecurityException {
        if (symmetric()) {
            Mac mac = mac(key);
            return (text, signature) -> MessageDigest.isEqual(mac.doFinal(text), signature);
        }
        Signature reused = Signature.getInstance(jcaName);
        reused.initVerify((PublicKey) key);
        return (text, signature) -> {
            reused.update(text);
            return reused.verify(signature);
        };
    }

    private Mac mac(Key key) throws GeneralSecurityException {
        Mac mac = Mac.getInstance(jcaName);
        mac.init(key);
        return mac;
    }
}
