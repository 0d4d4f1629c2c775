package io.dualkey.secrets.jwt;

import static io.dualkey.secrets.jwt.Rig.rejected;
import static io.dualkey.secrets.jwt.Tokens.base64Url;
import static io.dualkey.secrets.jwt.Tokens.hmacKey;
import static io.dualkey.secrets.jwt.Tokens.hs256;
import static io.dualkey.secrets.jwt.Tokens.pem;
import static io.dualkey.secrets.jwt.Tokens.rs256;
import static io.dualkey.secrets.jwt.Tokens.rsaKeys;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.nimbusds.jose.jwk.KeyUse;
import com.nimbusds.jose.jwk.RSAKey;
import io.dualkey.secrets.SecretStartupException;
import io.dualkey.secrets.SecretValue;
import io.dualkey.secrets.UnusableSecretException;
import java.security.KeyPair;
import java.security.MessageDigest;
import java.security.interfaces.RSAPublicKey;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** The forms in which keys are kept, and what is demanded of them. */
class KeysTest {

    private static final byte[] KEY = hmacKey(1);
    private static final String CLAIMS = "{\"exp\":1900000000}";
    private static final KeyPair RSA = rsaKeys(2048);
    private static final KeyPair OTHER_RSA = rsaKeys(2048);

    private static void with(String value, Consumer<Rig> test) {
        try (Rig rig = new Rig()) {
            rig.store.put(Rig.NAME, value);
            test.accept(rig);
        }
    }

    private static void verifiesHs256(String value, KeyFormat format, byte[] key) {
        with(value, rig -> {
            JwtVerifier verifier =
                    JwtVerifier.hs256(rig.secret, format).clock(rig.clock).build();
            rig.start();
            assertThat(verifier.check(hs256(key, CLAIMS))).isInstanceOf(VerifiedJwt.class);
        });
    }

    private static JwtResult checkRs256(String value, String token) {
        try (Rig rig = new Rig()) {
            rig.store.put(Rig.NAME, value);
            JwtVerifier verifier =
                    JwtVerifier.rs256(rig.secret).clock(rig.clock).build();
            rig.start();
            return verifier.check(token);
        }
    }

    private static String unusableHmac(String value, KeyFormat format) {
        UnusableSecretException refusal = catchThrowableOfType(
                UnusableSecretException.class, () -> HmacKey.parse(SecretValue.ofText(value), format));
        assertThat(refusal).hasNoCause();
        return refusal.getMessage();
    }

    private static String unusableRsa(String value) {
        return unusable(value, null, JwsAlgorithm.RS256);
    }

    private static String unusable(String value, KeyFormat format, JwsAlgorithm... algorithms) {
        KeyReader reader = new KeyReader(Rig.NAME, format, List.of(algorithms));
        UnusableSecretException refusal = catchThrowableOfType(
                UnusableSecretException.class, () -> reader.verificationKeys(SecretValue.ofText(value), null));
        assertThat(refusal).hasNoCause();
        return refusal.getMessage();
    }

    private static SigningKey signing(String value, KeyFormat format, JwsAlgorithm algorithm) {
        return new KeyReader(Rig.NAME, format, List.of(algorithm)).signingKey(SecretValue.ofText(value));
    }

    @Test
    void readsHmacKeysInTheFormatTold() {
        String guid = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";
        verifiesHs256(guid, KeyFormat.TEXT, guid.getBytes(UTF_8));
        verifiesHs256(guid + "\n", KeyFormat.TEXT, guid.getBytes(UTF_8));
        verifiesHs256(guid + "\r\n", KeyFormat.TEXT, guid.getBytes(UTF_8));
        verifiesHs256(Tokens.base64(KEY), KeyFormat.BASE64, KEY);
        verifiesHs256(Tokens.base64(KEY).replace("=", "") + "\n", KeyFormat.BASE64, KEY);
        verifiesHs256(base64Url(KEY), KeyFormat.BASE64URL, KEY);
        verifiesHs256(" " + HexFormat.of().formatHex(KEY) + "\n", KeyFormat.HEX, KEY);
        verifiesHs256(HexFormat.of().withUpperCase().formatHex(KEY), KeyFormat.HEX, KEY);
        verifiesHs256(Tokens.base64(KEY), KeyFormat.TEXT, Tokens.base64(KEY).getBytes(UTF_8));
    }

    /** As openssl rand and xxd write them. */
    @Test
    void readsEncodedKeysOfSeveralLines() {
        byte[] key = new byte[100];
        new Random(4).nextBytes(key);
        String base64 = Tokens.base64(key);
        String hex = HexFormat.of().formatHex(key);

        verifiesHs256(base64.substring(0, 64) + "\n" + base64.substring(64) + "\n", KeyFormat.BASE64, key);
        verifiesHs256(
                base64Url(key).substring(0, 76) + "\r\n" + base64Url(key).substring(76), KeyFormat.BASE64URL, key);
        verifiesHs256(hex.substring(0, 60) + "\n" + hex.substring(60) + "\n", KeyFormat.HEX, key);
    }

    @Test
    void readsHmacKeysLongerThanABlock() {
        byte[] key = new byte[100];
        new Random(3).nextBytes(key);

        verifiesHs256(Tokens.base64(key), KeyFormat.BASE64, key);
    }

    @Test
    void refusesHmacKeysUnder256Bits() {
        assertThat(unusableHmac("0123456789012345678901234567890", KeyFormat.TEXT))
                .contains("256 bits")
                .contains("RFC 7518")
                .doesNotContain("0123456789");
        assertThat(unusableHmac("00".repeat(31), KeyFormat.HEX)).contains("256 bits");
        // 32 characters, but only 24 bytes
        assertThat(unusableHmac("A".repeat(32), KeyFormat.BASE64)).contains("256 bits");
        verifiesHs256("\u00e4".repeat(16), KeyFormat.TEXT, "\u00e4".repeat(16).getBytes(UTF_8));
    }

    @Test
    void refusesHmacKeysInAnotherFormatThanTold() {
        assertThat(unusableHmac("-_".repeat(30), KeyFormat.BASE64)).contains("not valid BASE64");
        assertThat(unusableHmac("+/".repeat(30), KeyFormat.BASE64URL)).contains("not valid BASE64URL");
        assertThat(unusableHmac("xy".repeat(40), KeyFormat.HEX)).contains("not valid HEX");
        assertThat(unusableHmac("abc".repeat(33), KeyFormat.HEX)).contains("not valid HEX");
    }

    /** Who configures an RSA key as HS256 would let everybody sign who has the public key (RFC 8725 section 2.1). */
    @Test
    void refusesDocumentsWithPublicKeysAsHmacKeys() {
        String jwk = new RSAKey.Builder((RSAPublicKey) RSA.getPublic()).build().toJSONString();
        for (String document : new String[] {
            pem(RSA.getPublic()),
            pem(RSA.getPrivate()),
            " \r\n\t" + pem(RSA.getPublic()),
            "\ufeff" + pem(RSA.getPublic()),
            "Bag Attributes: <none>\n" + pem(RSA.getPublic()),
            jwk,
            "\ufeff\n " + jwk,
            "{\"keys\":[" + jwk + "]}",
            "{\"kty\":\"oct\",\"k\":\"" + base64Url(KEY) + "\"}"
        }) {
            for (String refusal : new String[] {
                unusableHmac(document, KeyFormat.TEXT),
                unusableHmac(Tokens.base64(document.getBytes(UTF_8)), KeyFormat.BASE64),
                unusableHmac(HexFormat.of().formatHex(document.getBytes(UTF_8)), KeyFormat.HEX)
            }) {
                assertThat(refusal)
                        .contains("PEM or JWK")
                        .doesNotContain("BEGIN")
                        .doesNotContain("kty")
                        .doesNotContain(base64Url(KEY));
            }
            assertThatThrownBy(() -> signing(document, KeyFormat.TEXT, JwsAlgorithm.HS256))
                    .isInstanceOf(UnusableSecretException.class)
                    .hasMessageContaining("PEM or JWK");
        }
        byte[] spki = RSA.getPublic().getEncoded();
        byte[] pkcs8 = RSA.getPrivate().getEncoded();
        for (byte[] content : new byte[][] {
            spki,
            Arrays.copyOfRange(spki, 24, spki.length), // PKCS#1
            pkcs8,
            Arrays.copyOfRange(pkcs8, 26, pkcs8.length), // PKCS#1
            TestKey.of(JwsAlgorithm.ES256).publicKey.getEncoded(),
            TestKey.of(JwsAlgorithm.ES512).publicKey.getEncoded(),
            TestKey.of(JwsAlgorithm.EDDSA).publicKey.getEncoded()
        }) {
            String lines = pem("X", content).replaceAll("-----[^-]*-----\n", "");
            for (String refusal : new String[] {
                unusableHmac(Tokens.base64(content), KeyFormat.BASE64),
                unusableHmac(HexFormat.of().formatHex(content), KeyFormat.HEX),
                unusableHmac(Tokens.base64(content), KeyFormat.TEXT),
                unusableHmac(lines, KeyFormat.TEXT),
                unusableHmac(Tokens.base64(lines.getBytes(UTF_8)), KeyFormat.BASE64)
            }) {
                assertThat(refusal).contains("everybody could sign");
            }
        }
        String random = "{Zq8-----v1>k\"T0}m4(x7W)c2~R9&n6^L3";
        verifiesHs256(random, KeyFormat.TEXT, random.getBytes(UTF_8));
    }

    @Test
    void readsRsaKeysFromPemAndJwk() {
        String token = rs256(RSA.getPrivate(), "{\"alg\":\"RS256\"}", CLAIMS);
        RSAKey publicJwk = new RSAKey.Builder((RSAPublicKey) RSA.getPublic()).build();
        RSAKey privateJwk =
                new RSAKey.Builder(publicJwk).privateKey(RSA.getPrivate()).build();

        for (String key : new String[] {
            pem(RSA.getPublic()),
            pem(RSA.getPublic()).replace("\n", "\r\n"),
            pem(RSA.getPrivate()),
            publicJwk.toJSONString(),
            privateJwk.toJSONString()
        }) {
            assertThat(checkRs256(key, token)).isInstanceOf(VerifiedJwt.class);
        }
        assertThat(checkRs256(pem(OTHER_RSA.getPublic()), token)).isEqualTo(rejected(RejectionReason.BAD_SIGNATURE));
    }

    @Test
    void refusesRsaKeysUnder2048Bits() {
        assertThat(unusableRsa(pem(rsaKeys(1024).getPublic())))
                .contains("1024 bits")
                .contains("2048");
        RSAPublicKey almost = (RSAPublicKey) rsaKeys(2047).getPublic();
        assertThat(unusableRsa(pem(almost))).contains("2047 bits").contains("2048");
        byte[] modulus = Arrays.copyOf(new byte[1], 300);
        byte[] digits = almost.getModulus().toByteArray();
        System.arraycopy(digits, 0, modulus, modulus.length - digits.length, digits.length);
        assertThat(unusableRsa("{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"" + base64Url(modulus) + "\"}"))
                .contains("2047 bits");
    }

    @Test
    void refusesWhatIsNoRsaKey() {
        assertThat(unusableRsa("nonsense")).contains("PEM");
        assertThat(unusableRsa("-----BEGIN PUBLIC KEY-----\n????\n-----END PUBLIC KEY-----"))
                .contains("damaged");
        assertThat(unusableRsa("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"))
                .contains("valid key for RS256");
        assertThat(unusableRsa("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"))
                .contains("valid key for RS256");
        assertThat(unusableRsa(pem(RSA.getPublic()).replace("\n", "\\n"))).contains("backslash");
        assertThat(unusableRsa("{\"kty\":\"RSA\"}")).contains("JWK");
        assertThat(unusableRsa("{\"kty\":\"oct\",\"k\":\"" + base64Url(KEY) + "\"}"))
                .contains("kty");
    }

    @Test
    void refusesJwksMeantForSomethingElse() {
        RSAKey.Builder jwk = new RSAKey.Builder((RSAPublicKey) RSA.getPublic());

        assertThat(unusableRsa(jwk.keyUse(KeyUse.ENCRYPTION).build().toJSONString()))
                .contains("'use'");
        assertThat(unusableRsa("{\"alg\":\"PS256\","
                        + new RSAKey.Builder((RSAPublicKey) RSA.getPublic())
                                .build()
                                .toJSONString()
                                .substring(1)))
                .contains("'alg'");
    }

    @Test
    void signingNeedsAPrivateKey() {
        assertThatThrownBy(() -> signing(pem(RSA.getPublic()), KeyFormat.PEM, JwsAlgorithm.RS256))
                .isInstanceOf(UnusableSecretException.class)
                .hasMessageContaining("private");
    }

    @Test
    void startupTellsWhatIsWrongWithAKey() {
        with("short", rig -> {
            JwtVerifier.hs256(rig.secret, KeyFormat.TEXT).build();
            assertThatThrownBy(rig::start)
                    .isInstanceOf(SecretStartupException.class)
                    .hasMessageContaining(Rig.NAME)
                    .hasMessageContaining("HS256 needs at least 256 bits");
        });
    }

    @Test
    void triesAllKeysForAForeignKidAndOnlyTheNamedOneForItsOwn() {
        String own = HmacKey.parse(SecretValue.of(KEY), KeyFormat.TEXT).id().value();
        with(Tokens.base64(KEY), rig -> {
            JwtVerifier verifier = rig.hs256().build();
            rig.start();

            assertThat(verifier.check(hs256(KEY, header("HS256", own), CLAIMS))).isInstanceOf(VerifiedJwt.class);
            assertThat(verifier.check(hs256(KEY, header("HS256", "foreign"), CLAIMS)))
                    .isInstanceOf(VerifiedJwt.class);
            assertThat(verifier.check(hs256(hmacKey(2), header("HS256", "foreign"), CLAIMS)))
                    .isEqualTo(rejected(RejectionReason.UNKNOWN_KEY));
            assertThat(verifier.check(hs256(hmacKey(2), header("HS256", own), CLAIMS)))
                    .isEqualTo(rejected(RejectionReason.BAD_SIGNATURE));
        });
    }

    @Test
    void takesTheKidThatAJwkTellsAsStrict() {
        String jwk = new RSAKey.Builder((RSAPublicKey) RSA.getPublic())
                .keyID("2026-11")
                .build()
                .toJSONString();

        assertThat(checkRs256(jwk, rs256(RSA.getPrivate(), header("RS256", "2026-11"), CLAIMS)))
                .isInstanceOf(VerifiedJwt.class);
        assertThat(checkRs256(jwk, rs256(RSA.getPrivate(), "{\"alg\":\"RS256\"}", CLAIMS)))
                .isInstanceOf(VerifiedJwt.class);
        assertThat(checkRs256(jwk, rs256(RSA.getPrivate(), header("RS256", "2026-10"), CLAIMS)))
                .isEqualTo(rejected(RejectionReason.UNKNOWN_KEY));
    }

    @Test
    void theKidOfAnHmacKeyIsNoHashOfIt() throws Exception {
        String own = HmacKey.parse(SecretValue.of(KEY), KeyFormat.TEXT).id().value();

        assertThat(own).hasSize(12);
        for (String hash : new String[] {"SHA-1", "SHA-256", "SHA-384", "SHA-512", "MD5"}) {
            assertThat(base64Url(MessageDigest.getInstance(hash).digest(KEY))).doesNotContain(own);
        }
    }

    private static String header(String algorithm, String keyId) {
        return "{\"alg\":\"" + algorithm + "\",\"kid\":\"" + keyId + "\"}";
    }
}
