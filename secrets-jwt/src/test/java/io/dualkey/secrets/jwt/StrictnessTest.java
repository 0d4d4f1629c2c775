package io.dualkey.secrets.jwt;

import static io.dualkey.secrets.jwt.Rig.rejected;
import static io.dualkey.secrets.jwt.Tokens.base64Url;
import static io.dualkey.secrets.jwt.Tokens.hs256;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.security.PublicKey;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The rules of RFC 7515, 7519 and 8725 on form, header and signature. Headers are written here for HS256. */
@ParameterizedClass
@EnumSource(JwsAlgorithm.class)
class StrictnessTest {

    private static final String CLAIMS = "{\"sub\":\"alice\",\"exp\":1900000000}";

    /** Refusing leaves no trace, so one verifier serves all tests of its algorithm. */
    private static final Map<JwsAlgorithm, Rig> RIGS = new EnumMap<>(JwsAlgorithm.class);

    private static final Map<JwsAlgorithm, JwtVerifier> VERIFIERS = new EnumMap<>(JwsAlgorithm.class);

    private final String name;
    private final TestKey key;
    private final JwtVerifier verifier;
    private final String token;

    StrictnessTest(JwsAlgorithm algorithm) {
        name = algorithm.headerName();
        key = TestKey.of(algorithm);
        verifier = VERIFIERS.computeIfAbsent(algorithm, unused -> started(key));
        token = key.token(CLAIMS);
    }

    private static JwtVerifier started(TestKey key) {
        Rig rig = new Rig();
        RIGS.put(key.algorithm, rig);
        JwtVerifier verifier = key.verifier(rig).build();
        rig.store.put(Rig.NAME, key.document());
        rig.start();
        assertThat(verifier.check(key.token(CLAIMS))).isInstanceOf(VerifiedJwt.class);
        return verifier;
    }

    @AfterAll
    static void close() {
        RIGS.values().forEach(Rig::close);
        RIGS.clear();
        VERIFIERS.clear();
    }

    private void refuses(RejectionReason reason, String text) {
        assertThat(verifier.check(text)).isEqualTo(rejected(reason));
    }

    private void refusesHeader(RejectionReason reason, String header) {
        refuses(reason, signed(header, CLAIMS));
    }

    private String signed(String header, String claims) {
        return key.token(header.replace("HS256", name), claims);
    }

    @ParameterizedTest
    @ValueSource(strings = {"none", "None", "NONE", "nOnE", ""})
    void refusesAlgorithmNoneInAnyCase(String algorithm) {
        String header = "{\"alg\":\"" + algorithm + "\"}";

        refuses(RejectionReason.WRONG_ALGORITHM, base64Url(header) + "." + base64Url(CLAIMS) + ".");
        refusesHeader(RejectionReason.WRONG_ALGORITHM, header);
    }

    @ParameterizedTest
    @EnumSource(JwsAlgorithm.class)
    void refusesEveryAlgorithmButItsOwn(JwsAlgorithm algorithm) {
        if (algorithm != key.algorithm) {
            refuses(
                    RejectionReason.WRONG_ALGORITHM,
                    key.token(TestKey.of(algorithm).header(), CLAIMS));
            refuses(RejectionReason.WRONG_ALGORITHM, TestKey.of(algorithm).token(CLAIMS));
        }
    }

    @Test
    void refusesItsAlgorithmInAnotherSpelling() {
        for (String spelling : new String[] {
            name.toLowerCase(Locale.ROOT),
            " " + name,
            name + " ",
            name.substring(0, name.length() - 1),
            name + "\\u0000"
        }) {
            refusesHeader(RejectionReason.WRONG_ALGORITHM, "{\"alg\":\"" + spelling + "\"}");
        }
    }

    @Test
    void readsTheAlgorithmThroughEscapes() {
        assertThat(verifier.check(key.token("{\"\\u0061lg\":\"" + escaped(name) + "\"}", CLAIMS)))
                .isInstanceOf(VerifiedJwt.class);
    }

    private static String escaped(String text) {
        return text.chars().mapToObj(unit -> String.format("\\u%04x", unit)).collect(Collectors.joining());
    }

    /** RFC 8725 section 2.1: the public key, which everybody has, must not serve as an HMAC key. */
    @Test
    void refusesAMacMadeWithTheBytesOfAPublicKey() {
        PublicKey publicKey = key.publicKey;
        if (publicKey == null) {
            return;
        }
        for (byte[] bytes : new byte[][] {
            key.document().getBytes(UTF_8), key.document().strip().getBytes(UTF_8), publicKey.getEncoded()
        }) {
            refuses(RejectionReason.WRONG_ALGORITHM, hs256(bytes, CLAIMS));
            refuses(RejectionReason.BAD_SIGNATURE, hs256(bytes, key.header(), CLAIMS));
        }
    }

    @Test
    void refusesATamperedPayloadOrSignature() {
        String forged = base64Url(key.header()) + "." + base64Url(CLAIMS.replace("alice", "admin"))
                + token.substring(token.lastIndexOf('.'));
        refuses(RejectionReason.BAD_SIGNATURE, forged);

        int at = token.lastIndexOf('.') + 1;
        char other = token.charAt(at) == 'A' ? 'B' : 'A';
        refuses(RejectionReason.BAD_SIGNATURE, token.substring(0, at) + other + token.substring(at + 1));
    }

    @Test
    void refusesSignaturesOfTheWrongLength() {
        String signed = token.substring(0, token.lastIndexOf('.'));
        byte[] good = key.signature(signed);

        for (int length : new int[] {0, 1, 16, good.length / 2, good.length - 1, good.length + 1, 2 * good.length}) {
            refuses(RejectionReason.BAD_SIGNATURE, signed + "." + base64Url(Arrays.copyOf(good, length)));
        }
        byte[] shifted = new byte[good.length + 1];
        System.arraycopy(good, 0, shifted, 1, good.length);
        refuses(RejectionReason.BAD_SIGNATURE, signed + "." + base64Url(shifted));
    }

    @Test
    void refusesOtherThanThreeParts() {
        refuses(RejectionReason.MALFORMED, "");
        refuses(RejectionReason.MALFORMED, ".");
        refuses(RejectionReason.MALFORMED, "..");
        refuses(RejectionReason.MALFORMED, token.substring(0, token.lastIndexOf('.')));
        refuses(RejectionReason.MALFORMED, token + ".");
        refuses(RejectionReason.MALFORMED, token + ".AAAA.AAAA");
        refuses(RejectionReason.MALFORMED, "." + token);
    }

    @Test
    void refusesJsonSerialization() {
        String[] parts = token.split("\\.", -1);
        refuses(
                RejectionReason.MALFORMED,
                "{\"protected\":\"" + parts[0] + "\",\"payload\":\"" + parts[1] + "\",\"signature\":\"" + parts[2]
                        + "\"}");
    }

    /** Where the signature does not end with a whole group of four, the last character has bits that must be zero. */
    @Test
    void refusesNonZeroTrailingBitsInTheSignature() {
        String alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        int tail = (token.length() - token.lastIndexOf('.') - 1) % 4;
        int spellings = tail == 0 ? 1 : tail == 2 ? 16 : 4;
        int last = alphabet.indexOf(token.charAt(token.length() - 1));
        assertThat(last % spellings).isZero();
        for (int bits = 1; bits < spellings; bits++) {
            refuses(RejectionReason.MALFORMED, token.substring(0, token.length() - 1) + alphabet.charAt(last + bits));
        }
    }

    /** The MAC covers the text, so only a sloppy issuer can make these, and accepting them would hurt all the same. */
    @Test
    void refusesNonCanonicalHeaderAndPayload() {
        String header = base64Url(padded("{\"alg\":\"" + name + "\"", "}", 1));
        String payload = base64Url(padded("{\"exp\":1900000000", "}", 2));
        assertThat(header.length() % 4).isEqualTo(2);
        assertThat(payload.length() % 4).isEqualTo(3);
        assertThat(verifier.check(key.signed(header + "." + payload))).isInstanceOf(VerifiedJwt.class);

        String looseHeader = loosen(header);
        String loosePayload = loosen(payload);
        refuses(RejectionReason.MALFORMED, key.signed(looseHeader + "." + payload));
        refuses(RejectionReason.MALFORMED_CLAIMS, key.signed(header + "." + loosePayload));
        refuses(RejectionReason.MALFORMED, key.signed(header + "==." + payload));
        refuses(RejectionReason.MALFORMED_CLAIMS, key.signed(header + "." + payload + "="));
    }

    /** With so many spaces that its length leaves this remainder when divided by three. */
    private static String padded(String begin, String end, int remainder) {
        String text = begin + end;
        return text.length() % 3 == remainder ? text : padded(begin + " ", end, remainder);
    }

    /** Sets the lowest bit of the last character, which no byte needs. */
    private static String loosen(String text) {
        return text.substring(0, text.length() - 1) + (char) (text.charAt(text.length() - 1) + 1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"=", " ", "\n", "\r\n", "\t", "+", "/", "\0", "!", "\u00e4", "\u0141", "\uff21"})
    void refusesForeignCharactersAnywhere(String foreign) {
        int firstDot = token.indexOf('.');
        int lastDot = token.lastIndexOf('.');
        for (int at : new int[] {0, 4, firstDot, lastDot + 1, token.length() - 1, token.length()}) {
            refuses(RejectionReason.MALFORMED, token.substring(0, at) + foreign + token.substring(at));
        }
        String payload = token.substring(firstDot + 1, lastDot);
        String input = base64Url(key.header()) + "." + payload.substring(0, 8) + foreign + payload.substring(8);
        assertThat(verifier.check(key.signed(input)))
                .isIn(rejected(RejectionReason.MALFORMED), rejected(RejectionReason.MALFORMED_CLAIMS));
    }

    /** U+0141 and 'A' have the same low byte. */
    @Test
    void refusesCharactersWhoseLowByteWouldFit() {
        for (int at = 0; at < token.length(); at++) {
            char wide = (char) (token.charAt(at) + 0x100);
            JwtResult result = verifier.check(token.substring(0, at) + wide + token.substring(at + 1));
            assertThat(result).isEqualTo(rejected(RejectionReason.MALFORMED));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"alg\":\"HS256\",\"alg\":\"HS256\"}",
                "{\"alg\":\"none\",\"alg\":\"HS256\"}",
                "{\"alg\":\"HS256\",\"\\u0061lg\":\"HS256\"}",
                "{\"alg\":\"HS256\",\"x\":{\"a\":1,\"a\":1}}",
                "{\"alg\":\"HS256\"} x",
                "{\"alg\":\"HS256\"}{}",
                "{\"alg\":\"HS256\",}",
                "{\"alg\":\"HS256\"",
                "{'alg':'HS256'}",
                "[\"HS256\"]",
                "\"HS256\"",
                "{}",
                "{\"alg\":256}",
                "{\"alg\":null}",
                "{\"alg\":\"HS256\",\"kid\":1}",
                "{\"alg\":\"HS256\",\"typ\":1}",
                "",
            })
    void refusesMalformedHeaders(String header) {
        refusesHeader(RejectionReason.MALFORMED, header);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"exp\":1900000000,\"exp\":1900000000}",
                "{\"exp\":1900000000,\"sub\":\"a\",\"sub\":\"b\"}",
                "{\"exp\":1900000000,\"sub\":\"a\",\"s\\u0075b\":\"b\"}",
                "{\"exp\":1900000000,\"deep\":[{\"a\":1,\"b\":2,\"a\":3}]}",
                "{\"exp\":1900000000}x",
                "{\"exp\":1900000000}{}",
                "{\"exp\":1900000000}\0",
                "{\"exp\":01900000000}",
                "{\"exp\":1900000000.}",
                "{\"exp\":+1900000000}",
                "{\"exp\":1900000000,\"x\":NaN}",
                "{\"exp\":1900000000,\"x\":1e999}",
                "{\"exp\":1900000000,\"x\":\"\t\"}",
                "{\"exp\":1900000000,\"x\":\"\\x\"}",
                "{\"exp\":1900000000,\"x\":\"\\ud800\"}",
                "{\"exp\":1900000000,\"x\":[1,]}",
                "{\"exp\":1900000000,\"x\":[1}}",
                "{\"exp\":1900000000 \"x\":1}",
                "/* */{\"exp\":1900000000}",
                "[{\"exp\":1900000000}]",
                "null",
                "",
            })
    void refusesMalformedClaims(String claims) {
        refuses(RejectionReason.MALFORMED_CLAIMS, key.token(claims));
    }

    @Test
    void acceptsSameNamesInDifferentObjects() {
        assertThat(verifier.check(key.token("{\"exp\":1900000000,\"a\":{\"exp\":1},\"b\":[{\"exp\":1},{\"exp\":2}]}")))
                .isInstanceOf(VerifiedJwt.class);
    }

    @Test
    void refusesDeepNesting() {
        assertThat(verifier.check(key.token(nested(15)))).isInstanceOf(VerifiedJwt.class);
        refuses(RejectionReason.MALFORMED_CLAIMS, key.token(nested(16)));
        refuses(RejectionReason.MALFORMED_CLAIMS, key.token(nested(2000)));
    }

    private static String nested(int depth) {
        return "{\"exp\":1900000000,\"x\":" + "[".repeat(depth) + "]".repeat(depth) + "}";
    }

    @Test
    void refusesIllFormedUtf8() {
        byte[][] illFormed = {
            {(byte) 0xC0, (byte) 0x80},
            {(byte) 0xC3},
            {(byte) 0x80},
            {(byte) 0xED, (byte) 0xA0, (byte) 0x80},
            {(byte) 0xE0, (byte) 0x80, (byte) 0x80},
            {(byte) 0xF0, (byte) 0x80, (byte) 0x80, (byte) 0x80},
            {(byte) 0xF4, (byte) 0x90, (byte) 0x80, (byte) 0x80},
            {(byte) 0xF5, (byte) 0x80, (byte) 0x80, (byte) 0x80},
            {(byte) 0xFF},
        };
        for (byte[] bytes : illFormed) {
            String claims = "{\"exp\":1900000000,\"x\":\"" + new String(bytes, ISO_8859_1) + "\"}";
            refuses(
                    RejectionReason.MALFORMED_CLAIMS,
                    key.signed(base64Url(key.header()) + "." + base64Url(claims.getBytes(ISO_8859_1))));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"alg\":\"HS256\",\"crit\":[\"exp\"]}",
                "{\"alg\":\"HS256\",\"crit\":[]}",
                "{\"alg\":\"HS256\",\"crit\":null}",
                "{\"crit\":[\"b64\"],\"b64\":false,\"alg\":\"HS256\"}",
                "{\"alg\":\"HS256\",\"b64\":false}",
                "{\"alg\":\"HS256\",\"c\\u0072it\":[\"exp\"]}",
            })
    void refusesCriticalExtensions(String header) {
        refusesHeader(RejectionReason.UNKNOWN_EXTENSION, header);
    }

    @Test
    void acceptsTheTypesOfAccessTokensOnly() {
        for (String type : new String[] {"JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt"}) {
            assertThat(verifier.check(signed("{\"alg\":\"HS256\",\"typ\":\"" + type + "\"}", CLAIMS)))
                    .isInstanceOf(VerifiedJwt.class);
        }
        for (String type : new String[] {"", "JOSE", "JWT\\u0000", "logout+jwt", "secevent+jwt", "dpop+jwt", "JWT "}) {
            refusesHeader(RejectionReason.WRONG_TYPE, "{\"alg\":\"HS256\",\"typ\":\"" + type + "\"}");
        }
    }

    /** RFC 8725 section 3.10: a key that comes with the token proves nothing. */
    @Test
    void ignoresKeysAndAddressesInTheHeader() {
        TestKey mine = TestKey.other(key.algorithm);
        String jwk = mine.jwk("mine").toJSONString();
        String header = "{\"alg\":\"" + name + "\",\"jwk\":" + jwk
                + ",\"jku\":\"https://evil\",\"x5u\":\"https://evil\",\"x5c\":[\"AAAA\"],\"x5t\":\"AAAA\"}";

        refuses(RejectionReason.BAD_SIGNATURE, mine.token(header, CLAIMS));
        assertThat(verifier.check(key.token(header, CLAIMS))).isInstanceOf(VerifiedJwt.class);
    }

    /** RFC 8725 section 3.11: where a kind of token is required, others and those that do not say are refused. */
    @Test
    void acceptsOnlyTheTypeThatIsRequired() {
        JwtVerifier accessTokens =
                key.verifier(RIGS.get(key.algorithm)).type("at+jwt").build();
        JwtVerifier logoutTokens = key.verifier(RIGS.get(key.algorithm))
                .type("application/logout+JWT")
                .build();

        for (String type : new String[] {"at+jwt", "AT+JWT", "application/at+jwt"}) {
            assertThat(accessTokens.check(key.token(typed(type), CLAIMS))).isInstanceOf(VerifiedJwt.class);
        }
        for (String type : new String[] {"JWT", "logout+jwt", "at+jwt ", "application/application/at+jwt", ""}) {
            assertThat(accessTokens.check(key.token(typed(type), CLAIMS)))
                    .isEqualTo(rejected(RejectionReason.WRONG_TYPE));
        }
        assertThat(accessTokens.check(token)).isEqualTo(rejected(RejectionReason.WRONG_TYPE));
        assertThat(logoutTokens.check(key.token(typed("logout+jwt"), CLAIMS))).isInstanceOf(VerifiedJwt.class);
        assertThat(logoutTokens.check(key.token(typed("JWT"), CLAIMS))).isEqualTo(rejected(RejectionReason.WRONG_TYPE));
    }

    private String typed(String type) {
        return "{\"alg\":\"" + name + "\",\"typ\":\"" + type + "\"}";
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"exp\":\"1900000000\"}",
                "{\"exp\":null}",
                "{\"exp\":true}",
                "{\"exp\":[1900000000]}",
                "{\"exp\":-1}",
                "{\"exp\":1e300}",
                "{\"exp\":253402300800}",
                "{\"exp\":1900000000000}",
                "{\"exp\":99999999999999999999999999999999}",
                "{\"exp\":1900000000,\"nbf\":\"0\"}",
                "{\"exp\":1900000000,\"iat\":{}}",
                "{\"exp\":1900000000,\"sub\":7}",
                "{\"exp\":1900000000,\"iss\":[\"a\"]}",
                "{\"exp\":1900000000,\"jti\":7}",
                "{\"exp\":1900000000,\"aud\":7}",
                "{\"exp\":1900000000,\"aud\":[7]}",
            })
    void refusesRegisteredClaimsOfAnotherType(String claims) {
        refuses(RejectionReason.MALFORMED_CLAIMS, key.token(claims));
    }

    @Test
    void refusesWhatIsTooLong() {
        String padding = "x".repeat(10_000);
        refuses(RejectionReason.TOO_LONG, key.token("{\"exp\":1900000000,\"x\":\"" + padding + "\"}"));
        refuses(RejectionReason.TOO_LONG, "a".repeat(8193));
        refuses(RejectionReason.MALFORMED, "a".repeat(8192));

        JwtVerifier generous =
                key.verifier(RIGS.get(key.algorithm)).maxLength(20_000).build();
        assertThat(generous.check(key.token("{\"exp\":1900000000,\"x\":\"" + padding + "\"}")))
                .isInstanceOf(VerifiedJwt.class);
    }

    @Test
    void judgesClaimsOnlyAfterTheSignature() {
        TestKey other = TestKey.other(key.algorithm);
        refuses(RejectionReason.BAD_SIGNATURE, other.token("{\"exp\":1}"));
        refuses(RejectionReason.BAD_SIGNATURE, other.token("not json"));
        refuses(RejectionReason.EXPIRED, key.token("{\"exp\":1}"));
    }
}
