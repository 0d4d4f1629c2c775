package io.dualkey.secrets.jwt;

import static io.dualkey.secrets.jwt.Rig.rejected;
import static io.dualkey.secrets.jwt.Tokens.base64Url;
import static io.dualkey.secrets.jwt.Tokens.pem;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.nimbusds.jose.util.JSONObjectUtils;
import io.dualkey.secrets.Role;
import io.dualkey.secrets.SecretStartupException;
import java.math.BigInteger;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.interfaces.ECPrivateKey;
import java.security.spec.X509EncodedKeySpec;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Keys in PEM, as JWK and as JWK Set. */
class KeyDocumentsTest {

    private static final String CLAIMS = "{\"exp\":1900000000}";
    private static final TestKey RSA = TestKey.of(JwsAlgorithm.RS256);
    private static final TestKey EC = TestKey.of(JwsAlgorithm.ES256);

    private static void verifier(
            String document, KeyFormat format, Consumer<JwtVerifier> test, JwsAlgorithm... algorithms) {
        try (Rig rig = new Rig()) {
            rig.store.put(Rig.NAME, document);
            JwtVerifier verifier = JwtVerifier.builder(rig.secret, format, algorithms)
                    .clock(rig.clock)
                    .build();
            rig.start();
            test.accept(verifier);
        }
    }

    private static void accepts(TestKey key, String document, KeyFormat format) {
        verifier(
                document,
                format,
                verifier -> {
                    assertThat(verifier.check(key.token(CLAIMS))).isInstanceOf(VerifiedJwt.class);
                    assertThat(verifier.check(TestKey.other(key.algorithm).token(CLAIMS)))
                            .isEqualTo(rejected(RejectionReason.BAD_SIGNATURE));
                },
                key.algorithm);
    }

    /** What startup says of a document; it names the secret and nothing of its value. */
    private static String refusal(String document, KeyFormat format, JwsAlgorithm... algorithms) {
        try (Rig rig = new Rig()) {
            rig.store.put(Rig.NAME, document);
            JwtVerifier.builder(rig.secret, format, algorithms).build();
            String message = catchThrowableOfType(SecretStartupException.class, rig::start)
                    .getMessage();
            assertThat(message).contains(Rig.NAME);
            for (int from = 0; from + 16 <= document.length(); from += 8) {
                String part = document.substring(from, from + 16);
                if (!"-----BEGIN PUBLIC KEY----- -----END PUBLIC KEY-----".contains(part.replace('\n', ' '))) {
                    assertThat(message).doesNotContain(part);
                }
            }
            return message;
        }
    }

    private static String publicJwk(TestKey key) {
        return key.jwk(null).toPublicJWK().toJSONString();
    }

    /** A JWK with more members. */
    private static String with(String jwk, String members) {
        return "{" + members + "," + jwk.substring(1);
    }

    private static String set(String... keys) {
        return "{\"keys\":[" + String.join(",", keys) + "]}";
    }

    @ParameterizedTest
    @EnumSource(JwsAlgorithm.class)
    void readsAJwkOfEveryType(JwsAlgorithm algorithm) {
        TestKey key = TestKey.of(algorithm);

        accepts(key, key.jwk(null).toJSONString(), KeyFormat.JWK);
        accepts(key, "\n " + key.jwk(null).toJSONString() + "\n", KeyFormat.JWK);
        accepts(key, set(key.jwk(null).toJSONString()), KeyFormat.JWK_SET);
        if (!algorithm.isSymmetric()) {
            accepts(key, publicJwk(key), KeyFormat.JWK);
            accepts(key, key.document(), KeyFormat.PEM);
            accepts(key, key.document().replace("\n", "\r\n"), KeyFormat.PEM);
        }
    }

    /** PKCS#1 is what SPKI and PKCS#8 hold within. */
    @Test
    void readsRsaKeysOfPkcs1() {
        byte[] spki = RSA.publicKey.getEncoded();
        byte[] pkcs8 = RSA.signing.getEncoded();
        byte[] publicPkcs1 = Arrays.copyOfRange(spki, 24, spki.length);
        byte[] privatePkcs1 = Arrays.copyOfRange(pkcs8, 26, pkcs8.length);

        accepts(RSA, pem("RSA PUBLIC KEY", publicPkcs1), KeyFormat.PEM);
        accepts(RSA, pem("RSA PRIVATE KEY", privatePkcs1), KeyFormat.PEM);
        accepts(RSA, pem((PrivateKey) RSA.signing), KeyFormat.PEM);
        assertThat(refusal(pem("RSA PUBLIC KEY", spki), KeyFormat.PEM, JwsAlgorithm.RS256))
                .contains("valid key for RS256");
    }

    /** Java leaves the public half out of PKCS#8, and openssl puts it in for EC and leaves it out for Ed25519. */
    @ParameterizedTest
    @EnumSource(names = {"RS256", "ES256", "ES384", "ES512", "EDDSA"})
    void findsThePublicHalfOfAPrivateKey(JwsAlgorithm algorithm) {
        TestKey key = TestKey.of(algorithm);
        String document = pem((PrivateKey) key.signing);

        accepts(key, document, KeyFormat.PEM);
        signsAndPublishes(document, KeyFormat.PEM, algorithm);
    }

    /** In the forms of openssl 3: genpkey puts the public half into PKCS#8, ecparam -genkey the curve in front of RFC 5915. */
    @Test
    void readsPrivateKeysAsOpensslWritesThem() {
        byte[] withoutHalf = EC.signing.getEncoded();
        byte[] point = Arrays.copyOfRange(EC.publicKey.getEncoded(), 91 - 65, 91);
        byte[] number = Arrays.copyOfRange(withoutHalf, withoutHalf.length - 32, withoutHalf.length);
        byte[] curve = {0x06, 0x08, 0x2a, (byte) 0x86, 0x48, (byte) 0xce, 0x3d, 0x03, 0x01, 0x07};
        byte[] half = tlv(0xA1, tlv(0x03, new byte[1], point));
        byte[] named = tlv(0x30, tlv(0x02, new byte[] {1}), tlv(0x04, number), tlv(0xA0, curve), half);
        byte[] unnamed = tlv(0x30, tlv(0x02, new byte[] {1}), tlv(0x04, number), half);

        accepts(EC, pem("PRIVATE KEY", Der.ecPrivateKeyInfo(unnamed, curve)), KeyFormat.PEM);
        accepts(EC, pem("EC PRIVATE KEY", named), KeyFormat.PEM);
        accepts(EC, pem("EC PARAMETERS", curve) + pem("EC PRIVATE KEY", named), KeyFormat.PEM);
        signsAndPublishes(pem("EC PRIVATE KEY", named), KeyFormat.PEM, JwsAlgorithm.ES256);
        assertThat(refusal(pem("EC PRIVATE KEY", unnamed), KeyFormat.PEM, JwsAlgorithm.ES256))
                .contains("PKCS#8");
        assertThat(refusal(pem("EC PRIVATE KEY", named), KeyFormat.PEM, JwsAlgorithm.ES384))
                .contains("no curve of ES384");
        assertThat(refusal(pem("EC PRIVATE KEY", number), KeyFormat.PEM, JwsAlgorithm.ES256))
                .contains("EC PRIVATE KEY");
    }

    /** Java reads such a number as a key, and fails only when it is to make something of it. */
    @Test
    void refusesAPrivateKeyThatIsNoNumberOfItsCurve() {
        byte[] document = EC.signing.getEncoded();
        BigInteger order = ((ECPrivateKey) EC.signing).getParams().getOrder();
        for (BigInteger none : List.of(BigInteger.ZERO, order, order.add(BigInteger.ONE))) {
            byte[] number = none.toByteArray();
            int length = Math.min(32, number.length);
            Arrays.fill(document, document.length - 32, document.length, (byte) 0);
            System.arraycopy(number, number.length - length, document, document.length - length, length);
            assertThat(refusal(pem("PRIVATE KEY", document), KeyFormat.PEM, JwsAlgorithm.ES256))
                    .as(none.toString())
                    .contains("valid key for ES256");
        }
    }

    /** What such a key signed nobody could verify, and the key before, which is good, would be put aside for it. */
    @ParameterizedTest
    @EnumSource(names = {"RS256", "ES256", "EDDSA"})
    void aSignerRefusesHalvesOfTwoKeys(JwsAlgorithm algorithm) {
        Map<String, Object> mixed =
                new LinkedHashMap<>(TestKey.of(algorithm).jwk(null).toJSONObject());
        mixed.putAll(TestKey.other(algorithm).jwk(null).toPublicJWK().toJSONObject());
        try (Rig rig = new Rig()) {
            rig.store.put(Rig.NAME, JSONObjectUtils.toJSONString(mixed));
            var unused = JwtSigner.builder(rig.secret, KeyFormat.JWK, algorithm).build();
            assertThat(catchThrowableOfType(SecretStartupException.class, rig::start))
                    .hasMessageContaining(Rig.NAME)
                    .hasMessageContaining("key");
        }
    }

    /** Of a key that is a point of small order everybody has the private half. */
    @Test
    void refusesKeysOfEd25519ThatVerifyEverything() throws Exception {
        byte[] identity = new byte[32];
        identity[0] = 1;
        byte[] prefix = Arrays.copyOf(TestKey.of(JwsAlgorithm.EDDSA).publicKey.getEncoded(), 44);
        System.arraycopy(identity, 0, prefix, 12, 32);
        Signature java = Signature.getInstance("Ed25519");
        java.initVerify(KeyFactory.getInstance("Ed25519").generatePublic(new X509EncodedKeySpec(prefix)));
        java.update("anything".getBytes(UTF_8));
        assertThat(java.verify(Arrays.copyOf(identity, 64))).isTrue(); // so Java does not look at it

        for (String y : new String[] {
            "0100000000000000000000000000000000000000000000000000000000000000",
            "0100000000000000000000000000000000000000000000000000000000000080",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "0000000000000000000000000000000000000000000000000000000000000000",
            "0000000000000000000000000000000000000000000000000000000000000080",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"
        }) {
            assertThat(refusal(
                            "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\""
                                    + base64Url(HexFormat.of().parseHex(y)) + "\"}",
                            KeyFormat.JWK,
                            JwsAlgorithm.EDDSA))
                    .contains("does not take it");
        }
    }

    /** Expired years ago, and signed by nobody: the certificate only carries the key. */
    @Test
    void readsTheKeyOfACertificate() {
        for (JwsAlgorithm algorithm : List.of(JwsAlgorithm.RS256, JwsAlgorithm.ES256, JwsAlgorithm.EDDSA)) {
            TestKey key = TestKey.of(algorithm);
            accepts(key, TestCertificate.of(key, null), KeyFormat.PEM);
            accepts(key, TestCertificate.of(key, 0x80), KeyFormat.PEM);
        }
        assertThat(refusal(TestCertificate.of(RSA, 0x20), KeyFormat.PEM, JwsAlgorithm.RS256))
                .contains("key usage");
    }

    @Test
    void refusesOtherBlocksOfPem() {
        String ec = pem((PrivateKey) EC.signing);
        assertThat(refusal(ec.replace("PRIVATE KEY", "DSA PRIVATE KEY"), KeyFormat.PEM, JwsAlgorithm.ES256))
                .contains("heading is not supported");
        assertThat(refusal(ec.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"), KeyFormat.PEM, JwsAlgorithm.ES256))
                .contains("not encrypted");
        assertThat(refusal(EC.document() + EC.document(), KeyFormat.PEM, JwsAlgorithm.ES256))
                .contains("more than one block");
        assertThat(refusal("x" + EC.document(), KeyFormat.PEM, JwsAlgorithm.ES256))
                .contains("begins with");
        assertThat(refusal(publicJwk(EC), KeyFormat.PEM, JwsAlgorithm.ES256)).contains("begins with");
        assertThat(refusal(EC.document(), KeyFormat.JWK, JwsAlgorithm.ES256)).contains("JWK");
        assertThat(refusal(publicJwk(EC), KeyFormat.JWK_SET, JwsAlgorithm.ES256))
                .contains("JWK Set");
        assertThat(refusal(set(publicJwk(EC)), KeyFormat.JWK, JwsAlgorithm.ES256))
                .contains("JWK");
    }

    @Test
    void refusesKeysOfAnotherTypeOrCurve() {
        assertThat(refusal(publicJwk(EC), KeyFormat.JWK, JwsAlgorithm.ES384))
                .contains("ES384")
                .contains("P-256");
        assertThat(refusal(EC.document(), KeyFormat.PEM, JwsAlgorithm.ES512)).contains("P-256");
        assertThat(refusal(EC.document(), KeyFormat.PEM, JwsAlgorithm.RS256)).contains("valid key for RS256");
        assertThat(refusal(publicJwk(EC), KeyFormat.JWK, JwsAlgorithm.EDDSA)).contains("EC");
        assertThat(refusal(publicJwk(RSA), KeyFormat.JWK, JwsAlgorithm.HS256)).contains("RSA");
        KeyPair ed448 = TestKey.generate("Ed448");
        assertThat(refusal(pem(ed448.getPublic()), KeyFormat.PEM, JwsAlgorithm.EDDSA))
                .contains("valid key for EdDSA");
        assertThat(refusal(
                        "{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"" + base64Url(new byte[32]) + "\"}",
                        KeyFormat.JWK,
                        JwsAlgorithm.EDDSA))
                .contains("X25519");
    }

    @Test
    void refusesPointsThatAreNotOnTheirCurve() {
        String jwk = "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" + base64Url(number(5)) + "\",\"y\":\""
                + base64Url(number(7)) + "\"}";
        assertThat(refusal(jwk, KeyFormat.JWK, JwsAlgorithm.ES256)).contains("JWK");
        assertThat(refusal(
                        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" + base64Url(new byte[31]) + "\"}",
                        KeyFormat.JWK,
                        JwsAlgorithm.EDDSA))
                .contains("does not take it");
        byte[] spki = EC.publicKey.getEncoded();
        spki[spki.length - 1] ^= 1;
        assertThat(refusal(pem("PUBLIC KEY", spki), KeyFormat.PEM, JwsAlgorithm.ES256))
                .contains("valid key for ES256");
    }

    private static byte[] number(int value) {
        byte[] bytes = new byte[32];
        bytes[31] = (byte) value;
        return bytes;
    }

    @Test
    void refusesKeysThatAreTooShort() {
        PublicKey weak = Tokens.rsaKeys(1024).getPublic();
        assertThat(refusal(pem(weak), KeyFormat.PEM, JwsAlgorithm.PS512))
                .contains("1024 bits")
                .contains("PS512 needs at least 2048");
        for (JwsAlgorithm algorithm : List.of(JwsAlgorithm.HS256, JwsAlgorithm.HS384, JwsAlgorithm.HS512)) {
            byte[] tooShort = new byte[algorithm.hashBits / 8 - 1];
            Arrays.fill(tooShort, (byte) 7);
            assertThat(refusal(Tokens.base64(tooShort), KeyFormat.BASE64, algorithm))
                    .contains(algorithm + " needs at least " + algorithm.hashBits + " bits");
            assertThat(refusal("{\"kty\":\"oct\",\"k\":\"" + base64Url(tooShort) + "\"}", KeyFormat.JWK, algorithm))
                    .contains(algorithm + " needs at least " + algorithm.hashBits + " bits");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\"use\":\"enc\"",
                "\"key_ops\":[\"encrypt\"]",
                "\"key_ops\":[\"sign\"]",
                "\"key_ops\":[\"deriveBits\",\"wrapKey\"]",
                "\"key_ops\":[]",
                "\"alg\":\"ES384\"",
                "\"alg\":\"ECDH-ES\"",
                "\"alg\":\"es256\"",
                "\"use\":\"sig\",\"alg\":\"RS256\"",
            })
    void refusesJwksThatForbidVerification(String members) {
        String jwk = with(publicJwk(EC), members);
        assertThat(refusal(jwk, KeyFormat.JWK, JwsAlgorithm.ES256)).containsAnyOf("'use'", "'key_ops'", "'alg'");

        // In a set such a key is passed over, and the others serve.
        TestKey other = TestKey.other(JwsAlgorithm.ES256);
        assertThat(refusal(set(jwk), KeyFormat.JWK_SET, JwsAlgorithm.ES256)).contains("key 1:");
        verifier(
                set(jwk, publicJwk(other)),
                KeyFormat.JWK_SET,
                verifier -> {
                    assertThat(verifier.check(other.token(CLAIMS))).isInstanceOf(VerifiedJwt.class);
                    assertThat(verifier.check(EC.token(CLAIMS))).isEqualTo(rejected(RejectionReason.BAD_SIGNATURE));
                },
                JwsAlgorithm.ES256);
    }

    @Test
    void acceptsJwksThatAllowVerification() {
        accepts(EC, with(publicJwk(EC), "\"use\":\"sig\",\"alg\":\"ES256\",\"key_ops\":[\"verify\"]"), KeyFormat.JWK);
        accepts(EC, with(EC.jwk(null).toJSONString(), "\"key_ops\":[\"sign\"]"), KeyFormat.JWK);
    }

    @Test
    void refusesAKeyThatCouldBeForSeveralAlgorithms() {
        JwsAlgorithm[] both = {JwsAlgorithm.RS256, JwsAlgorithm.PS256};
        assertThat(refusal(publicJwk(RSA), KeyFormat.JWK, both)).contains("RS256, PS256");
        assertThat(refusal(RSA.document(), KeyFormat.PEM, both)).contains("one algorithm alone");
        verifier(
                with(publicJwk(RSA), "\"alg\":\"RS256\""),
                KeyFormat.JWK,
                verifier -> assertThat(verifier.check(RSA.token(CLAIMS))).isInstanceOf(VerifiedJwt.class),
                both);
        verifier(
                EC.document(),
                KeyFormat.PEM,
                verifier -> assertThat(verifier.check(EC.token(CLAIMS))).isInstanceOf(VerifiedJwt.class),
                JwsAlgorithm.RS256,
                JwsAlgorithm.ES256,
                JwsAlgorithm.ES384,
                JwsAlgorithm.EDDSA);
    }

    @Test
    void eachKeyOfASetIsACandidateByItsKid() {
        TestKey other = TestKey.other(JwsAlgorithm.ES256);
        String keys = set(
                with(publicJwk(EC), "\"kid\":\"a\""),
                with(publicJwk(other), "\"kid\":\"b\""),
                with(publicJwk(RSA), "\"kid\":\"c\""),
                "{\"kty\":\"future\",\"kid\":\"d\"}",
                "7");
        verifier(
                keys,
                KeyFormat.JWK_SET,
                verifier -> {
                    assertThat(verifier.check(EC.token(EC.header("a"), CLAIMS))).isInstanceOf(VerifiedJwt.class);
                    assertThat(verifier.check(other.token(EC.header("b"), CLAIMS)))
                            .isInstanceOf(VerifiedJwt.class);
                    assertThat(verifier.check(other.token(CLAIMS))).isInstanceOf(VerifiedJwt.class);
                    assertThat(verifier.check(EC.token(EC.header("b"), CLAIMS)))
                            .isEqualTo(rejected(RejectionReason.BAD_SIGNATURE));
                    assertThat(verifier.check(EC.token(EC.header("x"), CLAIMS)))
                            .isEqualTo(rejected(RejectionReason.UNKNOWN_KEY));
                    assertThat(verifier.check(RSA.token(RSA.header("c"), CLAIMS)))
                            .isEqualTo(rejected(RejectionReason.WRONG_ALGORITHM));
                },
                JwsAlgorithm.ES256);
    }

    /** Else a forged token with its kid would cost as many signatures as the set had versions within the grace. */
    @ParameterizedTest
    @EnumSource(names = {"ES256", "RS256", "HS256"})
    void aKeyThatStaysInItsSetIsTriedOnce(JwsAlgorithm algorithm) {
        String first = with(TestKey.of(algorithm).jwk(null).toJSONString(), "\"kid\":\"a\"");
        String second = with(TestKey.other(algorithm).jwk(null).toJSONString(), "\"kid\":\"b\"");
        try (Rig rig = new Rig()) {
            KeyReader reader = new KeyReader(Rig.NAME, KeyFormat.JWK_SET, List.of(algorithm));
            var keys = rig.secret.map(value -> reader.verificationKeys(value, null));
            JwtVerifier verifier = JwtVerifier.builder(rig.secret, KeyFormat.JWK_SET, algorithm)
                    .clock(rig.clock)
                    .cache(1 << 20)
                    .build();
            rig.store.put(Rig.NAME, set(first));
            rig.start();
            TestKey key = TestKey.of(algorithm);
            String token = key.token(key.header("a"), CLAIMS);
            assertThat(verifier.verify(token).keyRole()).isEqualTo(Role.CURRENT);

            rotate(rig, set(first, second));
            assertThat(new KeyRing(keys.versions()).keys()).hasSize(2);
            assertThat(new KeyRing(keys.versions()).candidates(algorithm, "a").keys())
                    .hasSize(1);
            assertThat(verifier.verify(token).keyRole()).isEqualTo(Role.CURRENT);

            rotate(rig, set(second));
            assertThat(new KeyRing(keys.versions()).keys()).hasSize(2);
            assertThat(verifier.verify(token).keyRole()).isEqualTo(Role.PREVIOUS);
        }
    }

    private static void rotate(Rig rig, String value) {
        rig.clock.advance(Duration.ofMinutes(5));
        rig.store.put(Rig.NAME, value);
        rig.refresh();
    }

    @Test
    void refusesSetsThatAreEmptyTooLargeOrAmbiguous() {
        assertThat(refusal("{\"keys\":[]}", KeyFormat.JWK_SET, JwsAlgorithm.ES256))
                .contains("empty");
        assertThat(refusal("{\"keys\":[" + publicJwk(EC) + "],\"keys\":[]}", KeyFormat.JWK_SET, JwsAlgorithm.ES256))
                .contains("duplicate");
        String many = IntStream.range(0, 33)
                .mapToObj(i -> with(publicJwk(EC), "\"kid\":\"k" + i + "\""))
                .collect(Collectors.joining(",", "{\"keys\":[", "]}"));
        assertThat(refusal(many, KeyFormat.JWK_SET, JwsAlgorithm.ES256)).contains("at most 32");
        assertThat(refusal(with(publicJwk(EC), "\"kty\":\"EC\""), KeyFormat.JWK, JwsAlgorithm.ES256))
                .contains("duplicate");
    }

    @ParameterizedTest
    @EnumSource(JwsAlgorithm.class)
    void signsWithEveryAlgorithmAndPublishesItsKeys(JwsAlgorithm algorithm) {
        signsAndPublishes(TestKey.of(algorithm).jwk(null).toJSONString(), KeyFormat.JWK, algorithm);
    }

    private static void signsAndPublishes(String document, KeyFormat format, JwsAlgorithm algorithm) {
        List<String> published = new ArrayList<>();
        try (Rig rig = new Rig()) {
            rig.store.put(Rig.NAME, document);
            JwtSigner signer = JwtSigner.builder(rig.secret, format, algorithm)
                    .clock(rig.clock)
                    .build();
            JwtVerifier verifier = JwtVerifier.builder(rig.secret, format, algorithm)
                    .clock(rig.clock)
                    .build();
            rig.start();
            published.add(signer.sign(Map.of("sub", "alice")));
            published.add(signer.publicKeys());
            assertThat(verifier.verify(published.get(0)).subject()).contains("alice");
        }
        if (algorithm.isSymmetric()) {
            assertThat(published.get(1)).isEqualTo("{\"keys\":[]}");
        } else {
            assertThat(published.get(1))
                    .contains("\"alg\":\"" + algorithm.headerName() + "\"")
                    .doesNotContain("\"d\"");
            try (Rig rig = new Rig()) {
                rig.store.put(Rig.NAME, published.get(1));
                JwtVerifier verifier = JwtVerifier.builder(rig.secret, KeyFormat.JWK_SET, algorithm)
                        .clock(rig.clock)
                        .build();
                rig.start();
                assertThat(verifier.verify(published.get(0)).subject()).contains("alice");
            }
        }
    }

    /** Certificates that a test signs itself, written byte by byte because the JDK has no public way to make them. */
    private static final class TestCertificate {

        private static final byte[] ED25519 = {0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70};

        static String of(TestKey key, Integer keyUsage) {
            byte[] algorithm = ED25519; // of the certificate's own signature, which nobody checks here
            byte[] name = tlv(
                    0x30,
                    tlv(0x31, tlv(0x30, new byte[] {0x06, 0x03, 0x55, 0x04, 0x03}, tlv(0x0C, "test".getBytes(UTF_8)))));
            byte[] validity =
                    tlv(0x30, tlv(0x17, "200101000000Z".getBytes(UTF_8)), tlv(0x17, "210101000000Z".getBytes(UTF_8)));
            byte[] extensions = keyUsage == null
                    ? new byte[0]
                    : tlv(
                            0xA3,
                            tlv(
                                    0x30,
                                    tlv(
                                            0x30,
                                            new byte[] {0x06, 0x03, 0x55, 0x1d, 0x0f},
                                            tlv(0x04, tlv(0x03, new byte[] {0, keyUsage.byteValue()})))));
            byte[] content = tlv(
                    0x30,
                    tlv(0xA0, Der.integer(BigInteger.TWO)),
                    Der.integer(BigInteger.ONE),
                    algorithm,
                    name,
                    validity,
                    name,
                    key.publicKey.getEncoded(),
                    extensions);
            byte[] certificate = tlv(0x30, content, algorithm, tlv(0x03, new byte[65]));
            return "-----BEGIN CERTIFICATE-----\n"
                    + Base64.getMimeEncoder().encodeToString(certificate)
                    + "\n-----END CERTIFICATE-----\n";
        }
    }

    private static byte[] tlv(int tag, byte[]... parts) {
        byte[] sequence = Der.sequence(parts);
        sequence[0] = (byte) tag;
        return sequence;
    }
}
