package io.dualkey.secrets.jwt;

import com.nimbusds.jose.Algorithm;
import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSSigner;
import com.nimbusds.jose.crypto.ECDSASigner;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jose.crypto.RSASSASigner;
import com.nimbusds.jose.jca.JCAContext;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.KeyUse;
import com.nimbusds.jose.jwk.OctetKeyPair;
import com.nimbusds.jose.jwk.OctetSequenceKey;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.util.Base64URL;
import io.dualkey.secrets.SecretValue;
import io.dualkey.secrets.UnusableSecretException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Arrays;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** One key that tokens are signed with. {@code toString} shows nothing of it. */
final class SigningKey {

    /** Signed once with each key; no token, since it has no full stop. */
    private static final String TRIAL = "dualkey trial";

    private final KeyId id;
    private final JWSSigner signer;
    private final @Nullable JWK publicKey;

    private SigningKey(KeyId id, JWSSigner signer, @Nullable JWK publicKey) {
        this.id = id;
        this.signer = signer;
        this.publicKey = publicKey;
    }

    static SigningKey ofHmac(SecretValue value, KeyFormat format, JwsAlgorithm algorithm) {
        byte[] key = HmacKey.bytes(value, format, algorithm); // the signer keeps the array
        return ofHmac(key, HmacKey.of(key, algorithm, null, null).id(), algorithm);
    }

    private static SigningKey ofHmac(byte[] key, KeyId id, JwsAlgorithm algorithm) {
        try {
            return new SigningKey(id, new MACSigner(key), null);
        } catch (JOSEException mayQuoteTheKey) {
            throw new UnusableSecretException("the HMAC key cannot be used to sign " + algorithm);
        }
    }

    static SigningKey of(KeyReader.Entry entry) {
        JwsAlgorithm algorithm = entry.algorithm();
        JWK jwk = entry.jwk();
        if (jwk instanceof OctetSequenceKey octets) {
            byte[] key = octets.toByteArray();
            return ofHmac(
                    key, HmacKey.of(key, algorithm, octets.getKeyID(), null).id(), algorithm);
        }
        KeyReader.NamedKey published = named(jwk.toPublicJWK(), algorithm);
        boolean matching;
        JWSSigner signer;
        try {
            signer = signer(jwk);
            matching = verifies(published.jwk(), signer, algorithm);
        } catch (JOSEException | GeneralSecurityException | RuntimeException mayQuoteTheKey) {
            throw new UnusableSecretException("the key cannot be used to sign " + algorithm.headerName());
        }
        if (!matching) {
            throw new UnusableSecretException("the private half of the key does not belong to its public half: nobody"
                    + " could verify what it signs");
        }
        return new SigningKey(published.id(), signer, published.jwk());
    }

    /** Whether a key verifies what its private half signs; a JWK has both and may have them from two keys. */
    private static boolean verifies(JWK publicKey, JWSSigner signer, JwsAlgorithm algorithm)
            throws JOSEException, GeneralSecurityException {
        byte[] text = TRIAL.getBytes(StandardCharsets.US_ASCII);
        byte[] signature = signer.sign(new JWSHeader(new JWSAlgorithm(algorithm.headerName())), text)
                .decode();
        return new SignatureKey(publicKey, algorithm, null).verifies(text, text.length, signature, signature.length);
    }

    private static JWSSigner signer(JWK jwk) throws JOSEException, GeneralSecurityException {
        if (jwk instanceof RSAKey rsa) {
            return new RSASSASigner(rsa);
        }
        return jwk instanceof ECKey ec ? new ECDSASigner(ec) : new Ed25519((OctetKeyPair) jwk);
    }

    /** A bare HMAC key as a JWK; it holds the key. */
    static JWK jwkOfHmac(SecretValue value, KeyFormat format, JwsAlgorithm algorithm) {
        byte[] key = HmacKey.bytes(value, format, algorithm);
        try {
            return new OctetSequenceKey.Builder(key).build();
        } finally {
            Arrays.fill(key, (byte) 0);
        }
    }

    /** A key by the name that it came with, or else by the one that is derived from it. */
    static KeyReader.NamedKey named(JWK jwk, JwsAlgorithm algorithm) {
        boolean told = jwk.getKeyID() != null;
        KeyId id = new KeyId(told ? jwk.getKeyID() : derivedId(jwk, algorithm), told);
        return new KeyReader.NamedKey(labelled(jwk, algorithm, id.value()), algorithm, id);
    }

    private static String derivedId(JWK jwk, JwsAlgorithm algorithm) {
        if (jwk instanceof OctetSequenceKey octets) {
            byte[] key = octets.toByteArray();
            try {
                return HmacKey.of(key, algorithm, null, null).id().value();
            } finally {
                Arrays.fill(key, (byte) 0);
            }
        }
        return thumbprint(jwk);
    }

    /** A key with all that those need to know who choose one: {@code kid}, {@code use} and {@code alg}. */
    static JWK labelled(JWK jwk, JwsAlgorithm algorithm, String keyId) {
        Algorithm name = new JWSAlgorithm(algorithm.headerName());
        if (jwk instanceof OctetSequenceKey octets) {
            return new OctetSequenceKey.Builder(octets)
                    .keyID(keyId)
                    .keyUse(KeyUse.SIGNATURE)
                    .algorithm(name)
                    .build();
        } else if (jwk instanceof RSAKey rsa) {
            return new RSAKey.Builder(rsa)
                    .keyID(keyId)
                    .keyUse(KeyUse.SIGNATURE)
                    .algorithm(name)
                    .build();
        } else if (jwk instanceof ECKey ec) {
            return new ECKey.Builder(ec)
                    .keyID(keyId)
                    .keyUse(KeyUse.SIGNATURE)
                    .algorithm(name)
                    .build();
        }
        return new OctetKeyPair.Builder((OctetKeyPair) jwk)
                .keyID(keyId)
                .keyUse(KeyUse.SIGNATURE)
                .algorithm(name)
                .build();
    }

    private static String thumbprint(JWK jwk) {
        try {
            return jwk.computeThumbprint().toString();
        } catch (JOSEException everyJavaHasTheHash) {
            throw new IllegalStateException(everyJavaHasTheHash);
        }
    }

    KeyId id() {
        return id;
    }

    JWSSigner signer() {
        return signer;
    }

    /** What may be published; null for a symmetric key. */
    @Nullable
    JWK publicKey() {
        return publicKey;
    }

    /** Nimbus signs with Ed25519 by an optional library; the JDK can do it since 15. */
    private static final class Ed25519 implements JWSSigner {

        /** RFC 8410 section 7: what stands before the 32 bytes of a private key in PKCS#8. */
        private static final byte[] PREFIX = {
            0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20
        };

        private final PrivateKey key;
        private final JCAContext context = new JCAContext();

        Ed25519(OctetKeyPair jwk) throws GeneralSecurityException {
            byte[] seed = jwk.getDecodedD();
            byte[] encoded = Arrays.copyOf(PREFIX, PREFIX.length + seed.length);
            System.arraycopy(seed, 0, encoded, PREFIX.length, seed.length);
            this.key = KeyFactory.getInstance("Ed25519").generatePrivate(new PKCS8EncodedKeySpec(encoded));
            Arrays.fill(seed, (byte) 0);
            Arrays.fill(encoded, (byte) 0);
        }

        @Override
        public Base64URL sign(JWSHeader header, byte[] signingInput) throws JOSEException {
            try {
                Signature signature = Signature.getInstance("Ed25519");
                signature.initSign(key);
                signature.update(signingInput);
                return Base64URL.encode(signature.sign());
            } catch (GeneralSecurityException failure) {
                throw new JOSEException("Ed25519 failed", failure);
            }
        }

        @Override
        public Set<JWSAlgorithm> supportedJWSAlgorithms() {
            return Set.of(JWSAlgorithm.EdDSA);
        }

        @Override
        public JCAContext getJCAContext() {
            return context;
        }
    }
}
