package io.dualkey.secrets.jwt;

import static io.dualkey.secrets.jwt.Rig.rejected;
import static io.dualkey.secrets.jwt.Tokens.base64Url;
import static io.dualkey.secrets.jwt.Tokens.hmacKey;
import static io.dualkey.secrets.jwt.Tokens.hs256;
import static io.dualkey.secrets.jwt.Tokens.macced;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.security.KeyPair;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The rules of RFC 7515, 7519 and 8725 on form, header and signature. */
class StrictnessTest {

    private static final byte[] KEY = hmacKey(1);
    private static final String HEADER = "{\"alg\":\"HS256\"}";
    private static final String CLAIMS = "{\"sub\":\"alice\",\"exp\":1900000000}";

    private final Rig rig = new Rig();
    private final JwtVerifier verifier = rig.hs256().build();
    private final String token = hs256(KEY, CLAIMS);

    @BeforeEach
    void start() {
        rig.put(KEY);
        rig.start();
        assertThat(verifier.check(token)).isInstanceOf(VerifiedJwt.class);
    }

    @AfterEach
    void close() {
        rig.close();
    }

    private void refuses(RejectionReason reason, String text) {
        assertThat(verifier.check(text)).isEqualTo(rejected(reason));
    }

    private void refusesHeader(RejectionReason reason, String header) {
        refuses(reason, hs256(KEY, header, CLAIMS));
    }

    @ParameterizedTest
    @ValueSource(strings = {"none", "None", "NONE", "nOnE", ""})
    void refusesAlgorithmNoneInAnyCase(String algorithm) {
        String header = "{\"alg\":\"" + algorithm + "\"}";

        refuses(RejectionReason.WRONG_ALGORITHM, base64Url(header) + "." + base64Url(CLAIMS) + ".");
        refusesHeader(RejectionReason.WRONG_ALGORITHM, header);
    }

    @ParameterizedTest
    @ValueSource(strings = {"hs256", "HS256 ", "HS512", "RS256", "ES256", "HS25"})
    void refusesEveryAlgorithmButItsOwn(String algorithm) {
        refusesHeader(RejectionReason.WRONG_ALGORITHM, "{\"alg\":\"" + algorithm + "\"}");
    }

    @Test
    void readsTheAlgorithmThroughEscapes() {
        assertThat(verifier.check(hs256(KEY, "{\"\\u0061lg\":\"\\u0048S256\"}", CLAIMS)))
                .isInstanceOf(VerifiedJwt.class);
    }

    /** RFC 8725 section 2.1: the public key, which everybody has, must not serve as an HMAC key. */
    @Test
    void refusesAMacMadeWithTheBytesOfAPublicKey() {
        KeyPair pair = Tokens.rsaKeys(2048);
        String pem = Tokens.pem(pair.getPublic());
        try (Rig rsa = new Rig()) {
            rsa.store.put(Rig.NAME, pem);
            JwtVerifier rs256 = JwtVerifier.rs256(rsa.secret).clock(rsa.clock).build();
            rsa.start();

            for (byte[] key : new byte[][] {
                pem.getBytes(UTF_8),
                pem.strip().getBytes(UTF_8),
                pair.getPublic().getEncoded()
            }) {
                assertThat(rs256.check(hs256(key, CLAIMS))).isEqualTo(rejected(RejectionReason.WRONG_ALGORITHM));
                assertThat(rs256.check(hs256(key, "{\"alg\":\"RS256\"}", CLAIMS)))
                        .isEqualTo(rejected(RejectionReason.BAD_SIGNATURE));
            }
            assertThat(rs256.check(Tokens.rs256(pair.getPrivate(), "{\"alg\":\"RS256\"}", CLAIMS)))
                    .isInstanceOf(VerifiedJwt.class);
        }
    }

    @Test
    void refusesATamperedPayloadOrSignature() {
        String forged = base64Url(HEADER) + "." + base64Url(CLAIMS.replace("alice", "admin"))
                + token.substring(token.lastIndexOf('.'));
        refuses(RejectionReason.BAD_SIGNATURE, forged);

        int at = token.lastIndexOf('.') + 1;
        char other = token.charAt(at) == 'A' ? 'B' : 'A';
        refuses(RejectionReason.BAD_SIGNATURE, token.substring(0, at) + other + token.substring(at + 1));
    }

    @Test
    void refusesSignaturesOfTheWrongLength() {
        String signed = token.substring(0, token.lastIndexOf('.'));
        byte[] mac = Tokens.mac(KEY, signed);

        refuses(RejectionReason.BAD_SIGNATURE, signed + ".");
        refuses(RejectionReason.BAD_SIGNATURE, signed + "." + base64Url(Arrays.copyOf(mac, 16)));
        refuses(RejectionReason.BAD_SIGNATURE, signed + "." + base64Url(Arrays.copyOf(mac, 33)));
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

    /** The last character of 43 carries four bits of the MAC and two that must be zero: three other spellings. */
    @Test
    void refusesNonZeroTrailingBitsInTheSignature() {
        String alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        int last = alphabet.indexOf(token.charAt(token.length() - 1));
        assertThat(last % 4).isZero();
        for (int bits = 1; bits < 4; bits++) {
            refuses(RejectionReason.MALFORMED, token.substring(0, token.length() - 1) + alphabet.charAt(last + bits));
        }
    }

    /** The MAC covers the text, so only a sloppy issuer can make these, and accepting them would hurt all the same. */
    @Test
    void refusesNonCanonicalHeaderAndPayload() {
        String header = base64Url("{\"alg\":\"HS256\" }");
        String payload = base64Url("{\"exp\":1900000000  }");
        assertThat(header.length() % 4).isEqualTo(2);
        assertThat(payload.length() % 4).isEqualTo(3);
        assertThat(verifier.check(macced(KEY, header + "." + payload))).isInstanceOf(VerifiedJwt.class);

        String looseHeader = loosen(header);
        String loosePayload = loosen(payload);
        refuses(RejectionReason.MALFORMED, macced(KEY, looseHeader + "." + payload));
        refuses(RejectionReason.MALFORMED_CLAIMS, macced(KEY, header + "." + loosePayload));
        refuses(RejectionReason.MALFORMED, macced(KEY, header + "==." + payload));
        refuses(RejectionReason.MALFORMED_CLAIMS, macced(KEY, header + "." + payload + "="));
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
        String input = base64Url(HEADER) + "." + payload.substring(0, 8) + foreign + payload.substring(8);
        assertThat(verifier.check(macced(KEY, input)))
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
        refuses(RejectionReason.MALFORMED_CLAIMS, hs256(KEY, claims));
    }

    @Test
    void acceptsSameNamesInDifferentObjects() {
        assertThat(verifier.check(hs256(KEY, "{\"exp\":1900000000,\"a\":{\"exp\":1},\"b\":[{\"exp\":1},{\"exp\":2}]}")))
                .isInstanceOf(VerifiedJwt.class);
    }

    @Test
    void refusesDeepNesting() {
        assertThat(verifier.check(hs256(KEY, nested(15)))).isInstanceOf(VerifiedJwt.class);
        refuses(RejectionReason.MALFORMED_CLAIMS, hs256(KEY, nested(16)));
        refuses(RejectionReason.MALFORMED_CLAIMS, hs256(KEY, nested(2000)));
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
                    macced(KEY, base64Url(HEADER) + "." + base64Url(claims.getBytes(ISO_8859_1))));
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
            assertThat(verifier.check(hs256(KEY, "{\"alg\":\"HS256\",\"typ\":\"" + type + "\"}", CLAIMS)))
                    .isInstanceOf(VerifiedJwt.class);
        }
        for (String type : new String[] {"", "JOSE", "logout+jwt", "secevent+jwt", "dpop+jwt", "JWT "}) {
            refusesHeader(RejectionReason.WRONG_TYPE, "{\"alg\":\"HS256\",\"typ\":\"" + type + "\"}");
        }
    }

    /** RFC 8725 section 3.10: a key that comes with the token proves nothing. */
    @Test
    void ignoresKeysAndAddressesInTheHeader() {
        byte[] mine = hmacKey(666);
        String jwk = "{\"kty\":\"oct\",\"k\":\"" + base64Url(mine) + "\"}";

        refuses(RejectionReason.BAD_SIGNATURE, hs256(mine, "{\"alg\":\"HS256\",\"jwk\":" + jwk + "}", CLAIMS));
        refuses(
                RejectionReason.BAD_SIGNATURE,
                hs256(mine, "{\"alg\":\"HS256\",\"jku\":\"https://evil\",\"x5u\":\"https://evil\"}", CLAIMS));
        assertThat(verifier.check(hs256(KEY, "{\"alg\":\"HS256\",\"jwk\":" + jwk + "}", CLAIMS)))
                .isInstanceOf(VerifiedJwt.class);
    }

    @Test
    void refusesWhatIsTooLong() {
        String padding = "x".repeat(10_000);
        refuses(RejectionReason.TOO_LONG, hs256(KEY, "{\"exp\":1900000000,\"x\":\"" + padding + "\"}"));
        refuses(RejectionReason.TOO_LONG, "a".repeat(8193));
        refuses(RejectionReason.MALFORMED, "a".repeat(8192));

        JwtVerifier generous = rig.hs256().maxLength(20_000).build();
        assertThat(generous.check(hs256(KEY, "{\"exp\":1900000000,\"x\":\"" + padding + "\"}")))
                .isInstanceOf(VerifiedJwt.class);
    }

    @Test
    void judgesClaimsOnlyAfterTheSignature() {
        refuses(RejectionReason.BAD_SIGNATURE, hs256(hmacKey(9), "{\"exp\":1}"));
        refuses(RejectionReason.BAD_SIGNATURE, hs256(hmacKey(9), "not json"));
        refuses(RejectionReason.EXPIRED, hs256(KEY, "{\"exp\":1}"));
    }
}
