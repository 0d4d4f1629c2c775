package io.dualkey.secrets.jwt;

import static io.dualkey.secrets.jwt.Tokens.base64Url;
import static java.nio.charset.StandardCharsets.ISO_8859_1;

import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.KeyUse;
import com.nimbusds.jose.jwk.OctetKeyPair;
import com.nimbusds.jose.jwk.OctetSequenceKey;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.util.Base64URL;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PSSParameterSpec;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/** A key for one algorithm that signs whatever it is given, by the JDK alone. */
final class TestKey {

    private static final Map<JwsAlgorithm, TestKey> FIRST = new EnumMap<>(JwsAlgorithm.class);
    private static final Map<JwsAlgorithm, TestKey> SECOND = new EnumMap<>(JwsAlgorithm.class);
    private static final Map<JwsAlgorithm, TestKey> THIRD = new EnumMap<>(JwsAlgorithm.class);

    /** One for all algorithms of RSA: they take a while to make, and must be told apart by more than their keys. */
    private static final Map<Integer, KeyPair> RSA = new HashMap<>();

    final JwsAlgorithm algorithm;
    final Key signing;
    final @Nullable PublicKey publicKey;

    private TestKey(JwsAlgorithm algorithm, Key signing, @Nullable PublicKey publicKey) {
        this.algorithm = algorithm;
        this.signing = signing;
        this.publicKey = publicKey;
    }

    /** The key that tests trust. */
    static synchronized TestKey of(JwsAlgorithm algorithm) {
        return FIRST.computeIfAbsent(algorithm, made -> make(made, 1));
    }

    /** Another one. */
    static synchronized TestKey other(JwsAlgorithm algorithm) {
        return SECOND.computeIfAbsent(algorithm, made -> make(made, 2));
    }

    /** One that nobody trusts. */
    static synchronized TestKey stranger(JwsAlgorithm algorithm) {
        return THIRD.computeIfAbsent(algorithm, made -> make(made, 3));
    }

    private static TestKey make(JwsAlgorithm algorithm, int seed) {
        if (algorithm.isSymmetric()) {
            byte[] key = new byte[algorithm.hashBits / 8];
            new Random(seed).nextBytes(key);
            return new TestKey(algorithm, new SecretKeySpec(key, "HmacSHA" + algorithm.hashBits), null);
        }
        KeyPair pair = switch (algorithm) {
            case ES256 -> ecKeys("secp256r1");
            case ES384 -> ecKeys("secp384r1");
            case ES512 -> ecKeys("secp521r1");
            case EDDSA -> generate("Ed25519");
            default -> RSA.computeIfAbsent(seed, unused -> Tokens.rsaKeys(2048));
        };
        return new TestKey(algorithm, pair.getPrivate(), pair.getPublic());
    }

    static KeyPair ecKeys(String curve) {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec(curve));
            return generator.generateKeyPair();
        } catch (GeneralSecurityException impossible) {
            throw new AssertionError(impossible);
        }
    }

    static KeyPair generate(String type) {
        try {
            return KeyPairGenerator.getInstance(type).generateKeyPair();
        } catch (GeneralSecurityException impossible) {
            throw new AssertionError(impossible);
        }
    }

    /** What a verifier's secret holds. */
    String document() {
        return publicKey == null ? Tokens.base64(signing.getEncoded()) : Tokens.pem(publicKey);
    }

    /** How the document is written. */
    KeyFormat format() {
        return publicKey == null ? KeyFormat.BASE64 : KeyFormat.PEM;
    }

    JwtVerifier.Builder verifier(Rig rig) {
        return JwtVerifier.builder(rig.secret, format(), algorithm).clock(rig.clock);
    }

    /** As a JWK, with the secret half. */
    JWK jwk(@Nullable String keyId) {
        if (publicKey == null) {
            return new OctetSequenceKey.Builder(signing.getEncoded())
                    .keyID(keyId)
                    .build();
        } else if (publicKey instanceof RSAPublicKey rsa) {
            return new RSAKey.Builder(rsa)
                    .privateKey((PrivateKey) signing)
                    .keyID(keyId)
                    .keyUse(KeyUse.SIGNATURE)
                    .build();
        } else if (publicKey instanceof ECPublicKey ec) {
            return new ECKey.Builder(Curve.forECParameterSpec(ec.getParams()), ec)
                    .privateKey((PrivateKey) signing)
                    .keyID(keyId)
                    .build();
        }
        return new OctetKeyPair.Builder(Curve.Ed25519, last32(publicKey))
                .d(last32(signing))
                .keyID(keyId)
                .build();
    }

    private static Base64URL last32(Key key) {
        byte[] encoded = key.getEncoded();
        return Base64URL.encode(Arrays.copyOfRange(encoded, encoded.length - 32, encoded.length));
    }

    String header() {
        return "{\"alg\":\"" + algorithm.headerName() + "\"}";
    }

    String header(String keyId) {
        return "{\"alg\":\"" + algorithm.headerName() + "\",\"kid\":\"" + keyId + "\"}";
    }

    String token(String claims) {
        return token(header(), claims);
    }

    String token(String header, String claims) {
        return signed(base64Url(header) + "." + base64Url(claims));
    }

    /** Adds the right signature to whatever stands before it. */
    String signed(String signingInput) {
        return signingInput + "." + base64Url(signature(signingInput));
    }

    byte[] signature(String signingInput) {
        byte[] input = signingInput.getBytes(ISO_8859_1);
        try {
            if (publicKey == null) {
                Mac mac = Mac.getInstance(signing.getAlgorithm());
                mac.init(signing);
                return mac.doFinal(input);
            }
            Signature signature = primitive(algorithm);
            signature.initSign((PrivateKey) signing);
            signature.update(input);
            return signature.sign();
        } catch (GeneralSecurityException impossible) {
            throw new AssertionError(impossible);
        }
    }

    /** The JDK's signature for an algorithm that is not HMAC. */
    static Signature primitive(JwsAlgorithm algorithm) throws GeneralSecurityException {
        String hash = "SHA" + algorithm.hashBits;
        switch (algorithm.family) {
            case RSA -> {
                return Signature.getInstance(hash + "withRSA");
            }
            case RSA_PSS -> {
                Signature signature = Signature.getInstance("RSASSA-PSS");
                String name = "SHA-" + algorithm.hashBits;
                signature.setParameter(
                        new PSSParameterSpec(name, "MGF1", new MGF1ParameterSpec(name), algorithm.hashBits / 8, 1));
                return signature;
            }
            case EC -> {
                return Signature.getInstance(hash + "withECDSAinP1363Format");
            }
            default -> {
                return Signature.getInstance("Ed25519");
            }
        }
    }
}
