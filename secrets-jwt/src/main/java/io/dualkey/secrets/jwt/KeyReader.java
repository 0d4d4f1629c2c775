package io.dualkey.secrets.jwt;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.KeyOperation;
import com.nimbusds.jose.jwk.KeyUse;
import com.nimbusds.jose.jwk.OctetKeyPair;
import com.nimbusds.jose.jwk.OctetSequenceKey;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.util.Base64URL;
import io.dualkey.secrets.SecretValue;
import io.dualkey.secrets.UnusableSecretException;
import java.io.ByteArrayInputStream;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.Provider;
import java.security.PublicKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPrivateKey;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.EdECPrivateKey;
import java.security.interfaces.EdECPublicKey;
import java.security.interfaces.RSAPrivateCrtKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.RSAPublicKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.text.ParseException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads the keys that a secret's value holds and fixes for each the one algorithm that it may be used with, whatever a
 * token's header says later. Immutable and safe for use by several threads.
 */
final class KeyReader {

    private static final Logger log = LoggerFactory.getLogger(JwtVerifier.class);

    private static final int MIN_RSA_BITS = 2048;
    private static final int MAX_KEYS = 32;
    private static final int MAX_REASONS = 5;

    private static final Pattern PEM_BLOCK =
            Pattern.compile("-----BEGIN ([A-Z0-9 ]{1,40})-----([^-]*)-----END \\1-----", Pattern.DOTALL);

    /** {@code openssl ecparam -genkey} writes the curve in front of the key, which names it too. */
    private static final Pattern EC_PARAMETERS =
            Pattern.compile("\\A-----BEGIN EC PARAMETERS-----[^-]*-----END EC PARAMETERS-----\\s*");

    private final String secretName;
    private final @Nullable KeyFormat format;
    private final List<JwsAlgorithm> algorithms;

    /** A key and what it is for. */
    record Entry(JWK jwk, JwsAlgorithm algorithm) {

        @Override
        public String toString() { // Nimbus shows secret keys in full
            return "Entry[" + algorithm + "]";
        }
    }

    /** A key that carries its {@code kid}, {@code use} and {@code alg}. */
    record NamedKey(JWK jwk, JwsAlgorithm algorithm, KeyId id) {

        @Override
        public String toString() { // likewise
            return "NamedKey[" + algorithm + "]";
        }
    }

    /**
     * Makes a reader.
     *
     * @param secretName the secret, for messages
     * @param format how the value spells keys; null for PEM or a JWK, which cannot be mistaken for each other
     * @param algorithms those that keys may be for
     */
    KeyReader(String secretName, @Nullable KeyFormat format, List<JwsAlgorithm> algorithms) {
        this.secretName = secretName;
        this.format = format;
        this.algorithms = algorithms;
    }

    /** Fails if a format does not go with algorithms, or these not with each other. */
    static void requireMatch(KeyFormat format, List<JwsAlgorithm> algorithms) {
        if (algorithms.isEmpty()) {
            throw new IllegalArgumentException("at least one algorithm is needed");
        }
        boolean symmetric = algorithms.stream().anyMatch(JwsAlgorithm::isSymmetric);
        if (symmetric && !algorithms.stream().allMatch(JwsAlgorithm::isSymmetric)) {
            throw new IllegalArgumentException("HMAC and algorithms with public keys must not be accepted together (RFC"
                    + " 8725 section 2.1), but there are " + names(algorithms));
        }
        if (!format.isDocument() && (!symmetric || algorithms.size() > 1)) {
            throw new IllegalArgumentException("a key written as " + format
                    + " is one for HMAC and does not say for which hash: it needs exactly one algorithm of HS256, HS384 and"
                    + " HS512, but there are " + names(algorithms));
        }
        if (format == KeyFormat.PEM && symmetric) {
            throw new IllegalArgumentException("PEM holds no keys for " + names(algorithms));
        }
    }

    /** All keys to verify with; at least one. */
    List<VerificationKey> verificationKeys(SecretValue value, @Nullable Provider provider) {
        if (isBareKey()) {
            return List.of(HmacKey.parse(value, format(), algorithms.get(0), provider));
        }
        List<VerificationKey> keys = new ArrayList<>();
        for (Entry entry : read(value, KeyOperation.VERIFY)) {
            keys.add(verificationKey(entry, provider));
        }
        return List.copyOf(keys);
    }

    private static VerificationKey verificationKey(Entry entry, @Nullable Provider provider) {
        if (entry.jwk() instanceof OctetSequenceKey octets) {
            byte[] key = octets.toByteArray();
            try {
                return HmacKey.of(key, entry.algorithm(), octets.getKeyID(), provider);
            } finally {
                Arrays.fill(key, (byte) 0);
            }
        }
        try {
            return new SignatureKey(entry.jwk(), entry.algorithm(), provider);
        } catch (GeneralSecurityException | JOSEException | RuntimeException mayQuoteTheKey) {
            throw new UnusableSecretException("a key cannot be used to verify "
                    + entry.algorithm().headerName() + ": the security provider does not take it");
        }
    }

    /** The key to sign with. */
    SigningKey signingKey(SecretValue value) {
        if (isBareKey()) {
            return SigningKey.ofHmac(value, format(), algorithms.get(0));
        }
        return SigningKey.of(read(value, KeyOperation.SIGN).get(0));
    }

    /** The keys as Nimbus has them; secret ones too. */
    List<NamedKey> namedKeys(SecretValue value) {
        if (isBareKey()) {
            return List.of(
                    SigningKey.named(SigningKey.jwkOfHmac(value, format(), algorithms.get(0)), algorithms.get(0)));
        }
        return read(value, KeyOperation.VERIFY).stream()
                .map(entry -> SigningKey.named(entry.jwk(), entry.algorithm()))
                .toList();
    }

    private boolean isBareKey() {
        return format != null && !format.isDocument();
    }

    private KeyFormat format() {
        if (format == null) {
            throw new IllegalStateException();
        }
        return format;
    }

    private List<Entry> read(SecretValue value, KeyOperation operation) {
        String text = value.revealText().strip();
        if (format == KeyFormat.JWK_SET) {
            return readSet(text, operation);
        }
        if (format == KeyFormat.JWK || (format == null && text.startsWith("{"))) {
            Map<String, Object> json = readJson(text);
            if (json == null) {
                throw new UnusableSecretException("the value is not a valid JWK (RFC 7517): it is not one JSON object"
                        + " without duplicate members");
            }
            return List.of(entry(readJwk(json), "the JWK", operation));
        }
        return List.of(entry(readPem(text), "the key", operation));
    }

    private static @Nullable Map<String, Object> readJson(String text) {
        byte[] bytes = text.getBytes(UTF_8);
        try {
            return JsonCursor.readObject(bytes);
        } finally {
            Arrays.fill(bytes, (byte) 0);
        }
    }

    private static JWK readJwk(Map<String, Object> json) {
        try {
            return JWK.parse(json);
        } catch (ParseException | RuntimeException mayQuoteTheKey) {
            throw new UnusableSecretException("the value is not a valid JWK (RFC 7517): a member is missing or damaged,"
                    + " or its 'kty' is unknown");
        }
    }

    /** What is of no use in a set is passed over, as RFC 7517 section 5 asks; a set without any use is not. */
    private List<Entry> readSet(String text, KeyOperation operation) {
        Map<String, Object> json = readJson(text);
        if (json == null || !(json.get("keys") instanceof List<?> keys)) {
            throw new UnusableSecretException(
                    "the value is not a valid JWK Set (RFC 7517 section 5): it is not one JSON"
                            + " object without duplicate members that has an array 'keys'");
        }
        List<Entry> usable = new ArrayList<>();
        List<String> reasons = new ArrayList<>();
        for (int i = 0; i < keys.size(); i++) {
            try {
                if (!(keys.get(i) instanceof Map<?, ?> key)) {
                    throw new UnusableSecretException("it is not an object");
                }
                Map<String, Object> members = new LinkedHashMap<>();
                key.forEach((name, member) -> members.put((String) name, member));
                usable.add(entry(readJwk(members), "the JWK", operation));
            } catch (UnusableSecretException unusable) {
                reasons.add("key " + (i + 1) + ": " + unusable.getMessage());
            }
        }
        String passedOver = reasons.stream().limit(MAX_REASONS).collect(Collectors.joining("; "));
        if (usable.isEmpty()) {
            throw new UnusableSecretException("the JWK Set has no key that is fit for " + names(algorithms)
                    + (reasons.isEmpty() ? "; it is empty" : ": " + passedOver));
        }
        if (usable.size() > MAX_KEYS) {
            throw new UnusableSecretException("the JWK Set has " + usable.size() + " keys; at most " + MAX_KEYS
                    + " are accepted, because a token without 'kid' is tried with each");
        }
        if (!reasons.isEmpty()) {
            log.info(
                    "Secret '{}': of the {} keys of the JWK Set {} are passed over: {}",
                    secretName,
                    keys.size(),
                    reasons.size(),
                    passedOver);
        }
        return usable;
    }

    /** Fixes the algorithm of a key and refuses keys that are too short or meant for something else. */
    private Entry entry(JWK jwk, String what, KeyOperation operation) {
        if (jwk.getKeyUse() != null && !jwk.getKeyUse().equals(KeyUse.SIGNATURE)) {
            throw new UnusableSecretException(what + " is not meant for signatures by its 'use'");
        }
        Set<KeyOperation> operations = jwk.getKeyOperations();
        boolean allowed = operations == null
                || operations.contains(operation)
                || (operation == KeyOperation.VERIFY && jwk.isPrivate() && operations.contains(KeyOperation.SIGN));
        if (!allowed) {
            throw new UnusableSecretException(what + " is not meant to "
                    + (operation == KeyOperation.SIGN ? "sign" : "verify") + " signatures by its 'key_ops'");
        }
        if (operation == KeyOperation.SIGN && !jwk.isPrivate()) {
            throw new UnusableSecretException(what + " is a public one; signing needs the private one");
        }
        List<JwsAlgorithm> fitting = algorithms.stream()
                .filter(algorithm -> jwk.getAlgorithm() == null
                        || jwk.getAlgorithm().getName().equals(algorithm.headerName()))
                .toList();
        if (fitting.isEmpty()) {
            throw new UnusableSecretException(
                    what + " is meant for something other than " + names(algorithms) + " by its 'alg'");
        }
        fitting = fitting.stream().filter(algorithm -> isOfType(jwk, algorithm)).toList();
        if (fitting.isEmpty()) {
            throw new UnusableSecretException(what + " is not one for " + names(algorithms) + ": its type ('kty' or"
                    + " what it is called in PEM) is " + typeOf(jwk));
        }
        if (fitting.size() > 1) {
            throw new UnusableSecretException(what + " could be used for each of " + names(fitting)
                    + ", but a key must be for one algorithm alone: say which with 'alg' in a JWK, or tell the verifier"
                    + " only one of them");
        }
        JwsAlgorithm algorithm = fitting.get(0);
        requireSize(jwk, what, algorithm);
        return new Entry(jwk, algorithm);
    }

    private static void requireSize(JWK jwk, String what, JwsAlgorithm algorithm) {
        // Nimbus counts whole bytes, those in front that are zero too.
        int bits = jwk instanceof RSAKey rsa
                ? rsa.getModulus().decodeToBigInteger().bitLength()
                : jwk.size();
        if (jwk instanceof RSAKey && bits < MIN_RSA_BITS) {
            throw new UnusableSecretException(what + " has " + bits + " bits: " + algorithm + " needs at least "
                    + MIN_RSA_BITS + " (RFC 7518 section 3.3)");
        }
        if (jwk instanceof OctetSequenceKey && bits < algorithm.hashBits) {
            throw new UnusableSecretException(what + " is too short: " + algorithm + " needs at least "
                    + algorithm.hashBits + " bits (RFC 7518 section 3.2)");
        }
    }

    private static boolean isOfType(JWK jwk, JwsAlgorithm algorithm) {
        return switch (algorithm.family) {
            case HMAC -> jwk instanceof OctetSequenceKey;
            case RSA, RSA_PSS -> jwk instanceof RSAKey;
            case EC -> jwk instanceof ECKey key && key.getCurve().equals(curve(algorithm));
            case EDDSA -> jwk instanceof OctetKeyPair key && key.getCurve().equals(Curve.Ed25519);
        };
    }

    /** RFC 7518 section 3.4: each of these algorithms has one curve. */
    private static Curve curve(JwsAlgorithm algorithm) {
        return switch (algorithm) {
            case ES256 -> Curve.P_256;
            case ES384 -> Curve.P_384;
            default -> Curve.P_521;
        };
    }

    private static String typeOf(JWK jwk) {
        String type = jwk.getKeyType().getValue();
        if (jwk instanceof ECKey key) {
            return type + " on the curve " + key.getCurve().getName();
        }
        return jwk instanceof OctetKeyPair key
                ? type + " on the curve " + key.getCurve().getName()
                : type;
    }

    static String names(List<JwsAlgorithm> algorithms) {
        return algorithms.stream().map(JwsAlgorithm::headerName).collect(Collectors.joining(", "));
    }

    private JWK readPem(String text) {
        Matcher block = PEM_BLOCK.matcher(EC_PARAMETERS.matcher(text).replaceFirst(""));
        if (!block.matches()) {
            throw new UnusableSecretException(
                    text.startsWith("-----BEGIN ")
                            ? "the PEM is damaged, or has more than one block: exactly one key is needed, and its lines"
                                    + " must end with line breaks, not with a backslash and an n"
                            : "the value is not a key in PEM, which begins with -----BEGIN");
        }
        byte[] content;
        try {
            content = Base64.getDecoder().decode(block.group(2).replaceAll("\\s", ""));
        } catch (IllegalArgumentException quotesTheKey) {
            throw new UnusableSecretException("the PEM is damaged: what is between its headings is not base64");
        }
        JWK key;
        try {
            key = readBlock(block.group(1), content);
        } catch (IllegalStateException | IllegalArgumentException notOnItsCurve) {
            key = null;
        }
        if (key == null) {
            throw new UnusableSecretException("the PEM does not contain a valid key for " + names(algorithms));
        }
        return key;
    }

    private @Nullable JWK readBlock(String label, byte[] content) {
        return switch (label) {
            case "PUBLIC KEY" -> readPublic(content);
            case "RSA PUBLIC KEY" -> readPublic(Der.rsaPublicKeyInfo(content));
            case "PRIVATE KEY" -> readPrivate(content);
            case "RSA PRIVATE KEY" -> readPrivate(Der.rsaPrivateKeyInfo(content));
            case "EC PRIVATE KEY" -> readPrivate(Der.ecPrivateKeyInfo(content, curveIn(content)));
            case "CERTIFICATE" -> readCertificate(content);
            default ->
                throw new UnusableSecretException("a block of PEM with this heading is not supported; use PUBLIC KEY"
                        + " (SPKI), RSA PUBLIC KEY, CERTIFICATE, PRIVATE KEY (PKCS#8), RSA PRIVATE KEY or EC PRIVATE KEY,"
                        + " not encrypted");
        };
    }

    private @Nullable JWK readPublic(byte[] info) {
        for (String type : keyTypes()) {
            try {
                JWK key = jwk(KeyFactory.getInstance(type).generatePublic(new X509EncodedKeySpec(info)));
                if (key != null) {
                    return key;
                }
            } catch (GeneralSecurityException anotherTypeOrDamaged) {
                // the next type may fit; what none of them takes is refused by the caller
            }
        }
        return null;
    }

    private @Nullable JWK readPrivate(byte[] info) {
        for (String type : keyTypes()) {
            try {
                return jwk(KeyFactory.getInstance(type).generatePrivate(new PKCS8EncodedKeySpec(info)));
            } catch (GeneralSecurityException anotherTypeOrDamaged) {
                // the next type may fit; what none of them takes is refused by the caller
            }
        }
        return null;
    }

    private static @Nullable JWK jwk(PrivateKey key) throws GeneralSecurityException {
        if (key instanceof RSAPrivateCrtKey rsa) {
            RSAPublicKeySpec half = new RSAPublicKeySpec(rsa.getModulus(), rsa.getPublicExponent());
            return new RSAKey.Builder(
                            (RSAPublicKey) KeyFactory.getInstance("RSA").generatePublic(half))
                    .privateKey(rsa)
                    .build();
        }
        PublicKey half = null;
        if (key instanceof ECPrivateKey ec) {
            if (Curve.forECParameterSpec(ec.getParams()) == null || !PublicHalf.exists(ec)) {
                return null;
            }
            half = PublicHalf.of(ec);
        } else if (key instanceof EdECPrivateKey edwards) {
            half = PublicHalf.of(edwards);
        }
        JWK published = half == null ? null : jwk(half);
        if (published instanceof ECKey ec) {
            return new ECKey.Builder(ec).privateKey(key).build();
        } else if (published instanceof OctetKeyPair pair && key instanceof EdECPrivateKey edwards) {
            byte[] seed = edwards.getBytes().orElseThrow();
            return new OctetKeyPair.Builder(pair).d(Base64URL.encode(seed)).build();
        }
        throw new UnusableSecretException("the private key in PEM does not tell its public half, and this Java does not"
                + " compute it: give the public key (PUBLIC KEY) to verifiers, and a JWK, which has both, to signers");
    }

    /** The encoded identifier of the curve that a private key of RFC 5915 names. */
    private byte[] curveIn(byte[] content) {
        return algorithms.stream()
                .filter(algorithm -> algorithm.family == JwsAlgorithm.Family.EC)
                .map(KeyReader::curveId)
                .filter(id -> Der.contains(content, id))
                .findFirst()
                .orElseThrow(() -> new UnusableSecretException("the EC PRIVATE KEY names no curve of "
                        + names(algorithms) + "; if it is one, write it as PKCS#8 with openssl pkcs8 -topk8 -nocrypt"));
    }

    /** RFC 5480 section 2.1.1.1. */
    private static byte[] curveId(JwsAlgorithm algorithm) {
        return switch (algorithm) {
            case ES256 -> new byte[] {0x06, 0x08, 0x2a, (byte) 0x86, 0x48, (byte) 0xce, 0x3d, 0x03, 0x01, 0x07};
            case ES384 -> new byte[] {0x06, 0x05, 0x2b, (byte) 0x81, 0x04, 0x00, 0x22};
            default -> new byte[] {0x06, 0x05, 0x2b, (byte) 0x81, 0x04, 0x00, 0x23};
        };
    }

    private @Nullable JWK readCertificate(byte[] content) {
        try {
            var certificate = (X509Certificate)
                    CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(content));
            boolean[] usage = certificate.getKeyUsage();
            if (usage != null && !usage[0]) {
                throw new UnusableSecretException(
                        "the certificate's key is not meant for signatures by its key usage extension");
            }
            return jwk(certificate.getPublicKey());
        } catch (GeneralSecurityException damaged) {
            return null;
        }
    }

    /** The kinds of keys that the algorithms need. */
    private Set<String> keyTypes() {
        return algorithms.stream()
                .map(algorithm -> switch (algorithm.family) {
                    case EC -> "EC";
                    case EDDSA -> "Ed25519";
                    default -> "RSA";
                })
                .collect(Collectors.toSet());
    }

    private static @Nullable JWK jwk(PublicKey key) {
        if (key instanceof RSAPublicKey rsa) {
            return new RSAKey.Builder(rsa).build();
        }
        if (key instanceof ECPublicKey ec) {
            Curve curve = Curve.forECParameterSpec(ec.getParams());
            return curve == null ? null : new ECKey.Builder(curve, ec).build();
        }
        if (key instanceof EdECPublicKey edwards
                && edwards.getParams().getName().equals(Curve.Ed25519.getName())) {
            byte[] info = edwards.getEncoded();
            byte[] point = Arrays.copyOfRange(info, info.length - 32, info.length);
            return new OctetKeyPair.Builder(Curve.Ed25519, Base64URL.encode(point)).build();
        }
        return null;
    }
}
