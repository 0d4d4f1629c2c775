package io.dualkey.secrets.jwt;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.crypto.RSASSASigner;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.KeyOperation;
import com.nimbusds.jose.jwk.KeyUse;
import com.nimbusds.jose.jwk.RSAKey;
import io.dualkey.secrets.SecretValue;
import io.dualkey.secrets.UnusableSecretException;
import java.security.GeneralSecurityException;
import java.security.InvalidKeyException;
import java.security.Key;
import java.security.KeyFactory;
import java.security.NoSuchAlgorithmException;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.SignatureException;
import java.security.interfaces.RSAPrivateCrtKey;
import java.security.interfaces.RSAPrivateKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.RSAPublicKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.text.ParseException;
import java.util.Base64;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A public key for RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 section 3.3). */
final class RsaKey implements VerificationKey {

    private static final int MIN_BITS = 2048;

    private final RSAPublicKey key;
    private final int length;
    private final KeyId id;
    private final Pool<Verification> verifications = new Pool<>(Verification::new);

    private RsaKey(RSAKey jwk) throws JOSEException {
        this.key = jwk.toRSAPublicKey();
        this.length = (key.getModulus().bitLength() + 7) / 8;
        this.id = idOf(jwk);
        verifications.release(new Verification()); // a provider that does not take the key says so when it is parsed
    }

    /** Takes a public key, or a private one of which it uses the public half: PEM (SPKI or PKCS#8) or JWK. */
    static RsaKey parse(SecretValue value) {
        RSAKey jwk = read(value.revealText(), KeyOperation.VERIFY);
        try {
            return new RsaKey(jwk);
        } catch (JOSEException | IllegalStateException mayQuoteTheKey) {
            throw new UnusableSecretException("the RSA key cannot be used to verify RS256");
        }
    }

    /** Takes a private key: PEM (PKCS#8) or JWK. */
    static SigningKey parseForSigning(SecretValue value) {
        RSAKey jwk = read(value.revealText(), KeyOperation.SIGN);
        if (!jwk.isPrivate()) {
            throw new UnusableSecretException("this is a public RSA key; signing needs the private one");
        }
        try {
            KeyId id = idOf(jwk);
            RSAKey published = new RSAKey.Builder(jwk.toRSAPublicKey())
                    .keyID(id.value())
                    .keyUse(KeyUse.SIGNATURE)
                    .algorithm(JWSAlgorithm.RS256)
                    .build();
            return new SigningKey(id, new RSASSASigner(jwk), published);
        } catch (JOSEException mayQuoteTheKey) {
            throw new UnusableSecretException("the RSA key cannot be used to sign RS256");
        }
    }

    @Override
    public KeyId id() {
        return id;
    }

    @Override
    public boolean verifies(byte[] text, int textLength, byte[] signature, int signatureLength) {
        if (signatureLength != length) {
            return false;
        }
        Verification verification = verifications.acquire();
        System.arraycopy(signature, 0, verification.given, 0, length);
        boolean good;
        try {
            verification.signature.update(text, 0, textLength);
            good = verification.signature.verify(verification.given);
        } catch (SignatureException notASignature) {
            return false;
        }
        verifications.release(verification);
        return good;
    }

    /** A signature object, and an array of exactly the length of a signature, which spares the JDK a copy. */
    private final class Verification {
        final Signature signature = newSignature();
        final byte[] given = new byte[length];
    }

    private Signature newSignature() {
        try {
            Signature signature = Signature.getInstance("SHA256withRSA");
            signature.initVerify(key);
            return signature;
        } catch (NoSuchAlgorithmException | InvalidKeyException unusable) {
            throw new IllegalStateException("this Java cannot verify RS256 with such a key");
        }
    }

    private static KeyId idOf(RSAKey jwk) throws JOSEException {
        return jwk.getKeyID() == null
                ? new KeyId(jwk.computeThumbprint().toString(), false)
                : new KeyId(jwk.getKeyID(), true);
    }

    private static RSAKey read(String text, KeyOperation operation) {
        String stripped = text.strip();
        RSAKey key = stripped.startsWith("{") ? readJwk(stripped, operation) : readPem(stripped);
        if (key.size() < MIN_BITS) {
            throw new UnusableSecretException("the RSA key has " + key.size() + " bits: RS256 needs at least "
                    + MIN_BITS + " (RFC 7518 section 3.3)");
        }
        return key;
    }

    private static RSAKey readJwk(String text, KeyOperation operation) {
        JWK jwk;
        try {
            jwk = JWK.parse(text);
        } catch (ParseException mayQuoteTheKey) {
            throw new UnusableSecretException("the value begins like a JWK (RFC 7517) and is not a valid one");
        }
        if (!(jwk instanceof RSAKey key)) {
            throw new UnusableSecretException("the JWK is not an RSA key ('kty' must be RSA)");
        }
        Set<KeyOperation> operations = key.getKeyOperations();
        boolean forOther = (key.getKeyUse() != null && !key.getKeyUse().equals(KeyUse.SIGNATURE))
                || (key.getAlgorithm() != null && !key.getAlgorithm().equals(JWSAlgorithm.RS256))
                || (operations != null
                        && !operations.contains(operation)
                        && !(operation == KeyOperation.VERIFY && operations.contains(KeyOperation.SIGN)));
        if (forOther) {
            throw new UnusableSecretException(
                    "the JWK is meant for something other than RS256 signatures by its 'use', 'key_ops' or 'alg'");
        }
        return key;
    }

    private static RSAKey readPem(String text) {
        byte @Nullable [] spki = pemContent(text, "PUBLIC KEY");
        byte @Nullable [] pkcs8 = spki == null ? pemContent(text, "PRIVATE KEY") : null;
        if (spki == null && pkcs8 == null) {
            throw new UnusableSecretException("the value is not an RSA key in PEM with the heading PUBLIC KEY (SPKI) or"
                    + " PRIVATE KEY (PKCS#8), nor a JWK");
        }
        try {
            KeyFactory factory = KeyFactory.getInstance("RSA");
            if (spki != null) {
                return jwk(factory.generatePublic(new X509EncodedKeySpec(spki)), null);
            }
            PrivateKey key = factory.generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
            if (key instanceof RSAPrivateCrtKey full) {
                RSAPublicKeySpec half = new RSAPublicKeySpec(full.getModulus(), full.getPublicExponent());
                return jwk(factory.generatePublic(half), full);
            }
        } catch (GeneralSecurityException mayQuoteTheKey) {
            // falls through to the message below, which does not
        }
        throw new UnusableSecretException("the PEM does not contain a valid RSA key");
    }

    private static RSAKey jwk(Key publicKey, @Nullable RSAPrivateKey privateKey) {
        RSAKey.Builder jwk = new RSAKey.Builder((RSAPublicKey) publicKey);
        return privateKey == null ? jwk.build() : jwk.privateKey(privateKey).build();
    }

    /** The bytes between a heading and its end; null if the text is something else. */
    private static byte @Nullable [] pemContent(String text, String label) {
        String begin = "-----BEGIN " + label + "-----";
        String end = "-----END " + label + "-----";
        if (!text.startsWith(begin) || !text.endsWith(end) || text.length() < begin.length() + end.length()) {
            return null;
        }
        String content = text.substring(begin.length(), text.length() - end.length());
        try {
            return Base64.getDecoder().decode(content.replaceAll("\\s", ""));
        } catch (IllegalArgumentException quotesTheKey) {
            throw new UnusableSecretException("the PEM is damaged: what is between its headings is not base64");
        }
    }
}
