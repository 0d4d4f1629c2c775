package io.dualkey.secrets.jwt;

import static io.dualkey.secrets.jwt.Rig.rejected;
import static io.dualkey.secrets.jwt.Tokens.base64Url;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.Provider;
import java.security.Security;
import java.security.Signature;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What signatures may look like, and who computes. */
class SignatureRulesTest {

    private static final String CLAIMS = "{\"sub\":\"alice\",\"exp\":1900000000}";

    private final Rig rig = new Rig();

    @AfterEach
    void close() {
        rig.close();
    }

    private JwtVerifier started(TestKey key) {
        return started(key, key.verifier(rig));
    }

    private JwtVerifier started(TestKey key, JwtVerifier.Builder builder) {
        rig.store.put(Rig.NAME, key.document());
        JwtVerifier verifier = builder.build();
        rig.start();
        assertThat(verifier.check(key.token(CLAIMS))).isInstanceOf(VerifiedJwt.class);
        return verifier;
    }

    private static String input(TestKey key) {
        return base64Url(key.header()) + "." + base64Url(CLAIMS);
    }

    private static void refuses(JwtVerifier verifier, TestKey key, byte[] signature) {
        assertThat(verifier.check(input(key) + "." + base64Url(signature)))
                .isEqualTo(rejected(RejectionReason.BAD_SIGNATURE));
    }

    private static byte[] number(BigInteger value, int length) {
        byte[] bytes = value.toByteArray();
        byte[] exact = new byte[length];
        int kept = Math.min(bytes.length, length);
        System.arraycopy(bytes, bytes.length - kept, exact, length - kept, kept);
        return exact;
    }

    private static byte[] joined(byte[] first, byte[] second) {
        byte[] both = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, both, first.length, second.length);
        return both;
    }

    /** RFC 7518 asks for neither of the two, and issuers send both: why revocations must not be keyed by a token's text. */
    @ParameterizedTest
    @EnumSource(names = {"ES256", "ES384", "ES512"})
    void everybodyCanMakeTheTwinOfAnEcdsaSignature(JwsAlgorithm algorithm) {
        TestKey key = TestKey.of(algorithm);
        JwtVerifier verifier = started(key, key.verifier(rig).cache(1 << 20));
        byte[] good = key.signature(input(key));
        int half = good.length / 2;
        BigInteger order = ((ECPublicKey) Objects.requireNonNull(key.publicKey))
                .getParams()
                .getOrder();
        byte[] twin = joined(
                Arrays.copyOf(good, half),
                number(order.subtract(new BigInteger(1, Arrays.copyOfRange(good, half, good.length))), half));

        assertThat(verifier.check(input(key) + "." + base64Url(good))).isInstanceOf(VerifiedJwt.class);
        assertThat(verifier.check(input(key) + "." + base64Url(twin))).isInstanceOf(VerifiedJwt.class);
        twin[half + 1] ^= 1;
        refuses(verifier, key, twin);
    }

    /** CVE-2022-21449: a Java that takes (0, 0) takes everything. */
    @ParameterizedTest
    @EnumSource(names = {"ES256", "ES384", "ES512"})
    void refusesEcdsaNumbersOutOfRange(JwsAlgorithm algorithm) {
        TestKey key = TestKey.of(algorithm);
        JwtVerifier verifier = started(key);
        BigInteger order = ((ECPublicKey) key.publicKey).getParams().getOrder();
        int length = (order.bitLength() + 7) / 8;
        byte[] good = key.signature(input(key));
        byte[] r = Arrays.copyOf(good, length);
        byte[] s = Arrays.copyOfRange(good, length, 2 * length);

        List<byte[]> outside = new ArrayList<>();
        outside.add(new byte[length]);
        outside.add(number(order, length));
        outside.add(number(order.add(BigInteger.ONE), length));
        byte[] largest = new byte[length];
        Arrays.fill(largest, (byte) 0xFF);
        outside.add(largest);
        for (byte[] number : outside) {
            refuses(verifier, key, joined(number, s));
            refuses(verifier, key, joined(r, number));
            refuses(verifier, key, joined(number, number));
        }
        refuses(verifier, key, number(BigInteger.ONE.shiftLeft(8 * length).add(BigInteger.ONE), 2 * length));
        // One byte more or less in each number, and the form that TLS has.
        refuses(verifier, key, joined(joined(new byte[1], r), joined(new byte[1], s)));
        refuses(verifier, key, joined(Arrays.copyOfRange(r, 1, length), Arrays.copyOfRange(s, 1, length)));
        refuses(verifier, key, SignatureKey.der(good, length));
        refuses(verifier, key, joined(s, r));
    }

    @ParameterizedTest
    @EnumSource(names = {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
    void refusesRsaSignaturesThatAreNotBelowTheModulus(JwsAlgorithm algorithm) {
        TestKey key = TestKey.of(algorithm);
        JwtVerifier verifier = started(key);
        BigInteger modulus = ((RSAPublicKey) key.publicKey).getModulus();
        BigInteger good = new BigInteger(1, key.signature(input(key)));

        refuses(verifier, key, new byte[256]);
        refuses(verifier, key, number(BigInteger.ONE, 256));
        refuses(verifier, key, number(modulus, 256));
        refuses(verifier, key, number(modulus.subtract(BigInteger.ONE), 256));
        refuses(verifier, key, number(good.add(modulus), 257));
        refuses(verifier, key, number(good, 257));
        assertThat(verifier.check(input(key) + "." + base64Url(number(good, 256))))
                .isInstanceOf(VerifiedJwt.class);
    }

    /** RFC 8032 section 5.1.7: the same signature with the group's order added to its second half is another text. */
    @Test
    void refusesEd25519NumbersOutOfRange() {
        TestKey key = TestKey.of(JwsAlgorithm.EDDSA);
        JwtVerifier verifier = started(key);
        BigInteger order = BigInteger.ONE.shiftLeft(252).add(new BigInteger("27742317777372353535851937790883648493"));
        byte[] good = key.signature(input(key));
        BigInteger s = new BigInteger(1, reversed(Arrays.copyOfRange(good, 32, 64)));

        refuses(verifier, key, joined(Arrays.copyOf(good, 32), reversed(number(s.add(order), 32))));
        refuses(verifier, key, joined(Arrays.copyOf(good, 32), reversed(number(order, 32))));
        refuses(verifier, key, new byte[64]);
        assertThat(verifier.check(input(key) + "." + base64Url(good))).isInstanceOf(VerifiedJwt.class);
    }

    private static byte[] reversed(byte[] bytes) {
        byte[] reversed = new byte[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            reversed[i] = bytes[bytes.length - 1 - i];
        }
        return reversed;
    }

    /** A key is good for one algorithm, also among several that the verifier accepts. */
    @Test
    void theKeyFixesTheAlgorithmAndTheTokenDoesNot() {
        TestKey rsa = TestKey.of(JwsAlgorithm.RS256);
        String set = "{\"keys\":[" + with(rsa, "\"kid\":\"r\",\"alg\":\"RS256\"") + ","
                + with(TestKey.of(JwsAlgorithm.ES256), "\"kid\":\"e\"") + "]}";
        rig.store.put(Rig.NAME, set);
        JwtVerifier verifier = JwtVerifier.builder(
                        rig.secret, KeyFormat.JWK_SET, JwsAlgorithm.RS256, JwsAlgorithm.PS256, JwsAlgorithm.ES256)
                .clock(rig.clock)
                .build();
        rig.start();

        assertThat(verifier.check(rsa.token(CLAIMS))).isInstanceOf(VerifiedJwt.class);
        assertThat(verifier.check(rsa.token(rsa.header("r"), CLAIMS))).isInstanceOf(VerifiedJwt.class);
        assertThat(verifier.check(rsa.token(rsa.header("e"), CLAIMS))).isEqualTo(rejected(RejectionReason.UNKNOWN_KEY));
        assertThat(verifier.check(rsa.token("{\"alg\":\"PS256\",\"kid\":\"r\"}", CLAIMS)))
                .isEqualTo(rejected(RejectionReason.UNKNOWN_KEY));
        assertThat(verifier.check(rsa.token("{\"alg\":\"PS256\"}", CLAIMS)))
                .isEqualTo(rejected(RejectionReason.BAD_SIGNATURE));
        assertThat(verifier.check(rsa.token("{\"alg\":\"RS384\"}", CLAIMS)))
                .isEqualTo(rejected(RejectionReason.WRONG_ALGORITHM));
    }

    private static String with(TestKey key, String members) {
        return "{" + members + "," + key.jwk(null).toPublicJWK().toJSONString().substring(1);
    }

    @Test
    void refusesCombinationsThatConfuse() {
        assertThatIllegalArgumentException()
                .isThrownBy(() ->
                        JwtVerifier.builder(rig.secret, KeyFormat.JWK_SET, JwsAlgorithm.HS256, JwsAlgorithm.RS256))
                .withMessageContaining("HS256, RS256");
        assertThatIllegalArgumentException()
                .isThrownBy(
                        () -> JwtVerifier.builder(rig.secret, KeyFormat.BASE64, JwsAlgorithm.HS256, JwsAlgorithm.HS512))
                .withMessageContaining("exactly one");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> JwtVerifier.builder(rig.secret, KeyFormat.TEXT, JwsAlgorithm.ES256))
                .withMessageContaining("TEXT");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> JwtVerifier.hs256(rig.secret, KeyFormat.PEM))
                .withMessageContaining("PEM");
        assertThatIllegalArgumentException().isThrownBy(() -> JwtVerifier.builder(rig.secret, KeyFormat.JWK));
    }

    /** A provider that hands on to others and counts. */
    private static final class Counting extends Provider {

        private static final long serialVersionUID = 1L;
        private static int made;

        Counting(String... algorithms) {
            super("Counting", "1", "for a test");
            for (String algorithm : algorithms) {
                boolean mac = algorithm.startsWith("Hmac");
                String type = mac ? "Mac" : "Signature";
                for (Provider installed : Security.getProviders()) {
                    Service service = installed.getService(type, algorithm);
                    if (service != null) {
                        putService(new CountingService(this, service));
                        break;
                    }
                }
            }
        }

        private static final class CountingService extends Service {
            private final Service real;

            CountingService(Provider provider, Service real) {
                super(
                        provider,
                        real.getType(),
                        real.getAlgorithm(),
                        real.getClassName(),
                        Collections.emptyList(),
                        Collections.emptyMap());
                this.real = real;
            }

            @Override
            public Object newInstance(Object parameter) throws java.security.NoSuchAlgorithmException {
                made++;
                return real.newInstance(parameter);
            }

            @Override
            public boolean supportsParameter(Object parameter) {
                return real.supportsParameter(parameter);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"RS512", "PS384", "ES256", "ES512", "EDDSA"})
    void verifiesWithTheProviderThatIsNamed(JwsAlgorithm algorithm) throws GeneralSecurityException {
        TestKey key = TestKey.of(algorithm);
        Signature used = TestKey.primitive(algorithm);
        Provider counting = new Counting(used.getAlgorithm());
        Counting.made = 0;

        JwtVerifier verifier = started(key, key.verifier(rig).provider(counting));

        assertThat(Counting.made).isPositive();
        refuses(verifier, key, new byte[key.signature(input(key)).length]);
        refuses(verifier, key, TestKey.other(algorithm).signature(input(key)));
    }

    /** Where a provider has ECDSA in the form of TLS alone, signatures are rewritten for it. */
    @ParameterizedTest
    @EnumSource(names = {"ES256", "ES384", "ES512"})
    void rewritesEcdsaSignaturesForProvidersThatNeedIt(JwsAlgorithm algorithm) {
        TestKey key = TestKey.of(algorithm);
        JwtVerifier verifier =
                started(key, key.verifier(rig).provider(new Counting("SHA" + algorithm.hashBits + "withECDSA")));

        for (int i = 0; i < 50; i++) { // numbers of all lengths
            String token = key.token("{\"exp\":1900000000,\"n\":" + i + "}");
            assertThat(verifier.check(token)).isInstanceOf(VerifiedJwt.class);
        }
        refuses(verifier, key, TestKey.other(algorithm).signature(input(key)));
    }

    @ParameterizedTest
    @EnumSource(names = {"HS256", "HS384", "HS512"})
    void computesMacsWithTheProviderThatIsNamed(JwsAlgorithm algorithm) {
        TestKey key = TestKey.of(algorithm);
        Counting.made = 0;

        JwtVerifier verifier = started(key, key.verifier(rig).provider(Security.getProvider("SunJCE")));

        refuses(verifier, key, TestKey.other(algorithm).signature(input(key)));
        assertThat(verifier.check(key.token(CLAIMS))).isInstanceOf(VerifiedJwt.class);
    }

    @ParameterizedTest
    @EnumSource(JwsAlgorithm.class)
    void refusesAProviderThatDoesNotKnowTheAlgorithm(JwsAlgorithm algorithm) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> TestKey.of(algorithm).verifier(rig).provider(new Counting()))
                .withMessageContaining("Counting")
                .withMessageContaining(algorithm.headerName());
    }
}
