package io.dualkey.secrets.jwt;

import static io.dualkey.secrets.jwt.Rig.rejected;
import static io.dualkey.secrets.jwt.Tokens.base64Url;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.amazon.corretto.crypto.provider.AmazonCorrettoCryptoProvider;
import com.nimbusds.jose.jwk.Curve;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.Provider;
import java.security.Security;
import java.security.Signature;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.PSSParameterSpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.conscrypt.Conscrypt;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The providers that the documentation names: each verifies every algorithm, by our rules and not by its own. */
class ProviderTest {

    private static final String CLAIMS = "{\"sub\":\"alice\",\"exp\":1900000000}";

    private enum Named {
        BOUNCY_CASTLE,
        CORRETTO,
        CONSCRYPT;

        /** The native ones are there for Linux on x86-64; Conscrypt for others as well. */
        Provider provider() {
            boolean runsHere = switch (this) {
                case BOUNCY_CASTLE -> true;
                case CORRETTO -> AmazonCorrettoCryptoProvider.INSTANCE.getLoadingError() == null;
                case CONSCRYPT -> Conscrypt.isAvailable();
            };
            assumeTrue(runsHere, "it has no native library for this platform");
            return switch (this) {
                case BOUNCY_CASTLE -> new BouncyCastleProvider();
                case CORRETTO -> AmazonCorrettoCryptoProvider.INSTANCE;
                case CONSCRYPT -> Conscrypt.newProvider();
            };
        }
    }

    private final Rig rig = new Rig();

    @AfterEach
    void close() {
        rig.close();
    }

    private JwtVerifier started(TestKey key, Provider provider) {
        rig.store.put(Rig.NAME, key.document());
        JwtVerifier verifier = key.verifier(rig).provider(provider).build();
        rig.start();
        return verifier;
    }

    private static String input(TestKey key) {
        return base64Url(key.header()) + "." + base64Url(CLAIMS);
    }

    static List<Arguments> providersAndAlgorithms() {
        List<Arguments> all = new ArrayList<>();
        for (Named named : Named.values()) {
            for (JwsAlgorithm algorithm : JwsAlgorithm.values()) {
                all.add(Arguments.of(named, algorithm));
            }
        }
        return all;
    }

    @ParameterizedTest
    @MethodSource("providersAndAlgorithms")
    void aProviderAcceptsGoodSignaturesOfEveryAlgorithmAndNoOthers(Named named, JwsAlgorithm algorithm)
            throws GeneralSecurityException {
        TestKey key = TestKey.of(algorithm);
        Provider provider = named.provider();
        JwtVerifier verifier = started(key, provider);
        String token = key.token(CLAIMS);
        byte[] good = key.signature(input(key));
        assertThat(verifier.check(token)).isInstanceOf(VerifiedJwt.class);
        if (!algorithm.isSymmetric()) {
            assertThat(verifier.check(signedBy(provider, key))).isInstanceOf(VerifiedJwt.class);
        }

        List<byte[]> bad = new ArrayList<>(impossible(key, good));
        bad.add(TestKey.other(algorithm).signature(input(key)));
        Random random = new Random(7);
        for (int i = 0; i < 8; i++) {
            byte[] mutant = good.clone();
            mutant[random.nextInt(mutant.length)] ^= (byte) (1 << random.nextInt(8));
            bad.add(mutant);
        }
        for (byte[] signature : bad) {
            assertThat(verifier.check(input(key) + "." + base64Url(signature)))
                    .isEqualTo(rejected(RejectionReason.BAD_SIGNATURE));
        }
        assertThat(verifier.check(token)).as("after all that").isInstanceOf(VerifiedJwt.class);
    }

    /** Of the wrong length, or with numbers that no signature has. */
    private static List<byte[]> impossible(TestKey key, byte[] good) {
        List<byte[]> all = new ArrayList<>();
        int length = good.length;
        for (int wrong : new int[] {0, 1, length / 2, length - 1, length + 1, 2 * length}) {
            all.add(Arrays.copyOf(good, wrong));
        }
        byte[] ones = new byte[length];
        Arrays.fill(ones, (byte) 0xFF);
        all.add(ones);
        all.add(new byte[length]);
        if (key.algorithm.family == JwsAlgorithm.Family.EC) {
            int half = length / 2;
            BigInteger order = curve(key.algorithm).toECParameterSpec().getOrder();
            for (BigInteger number : List.of(BigInteger.ZERO, order, order.add(BigInteger.ONE))) {
                byte[] bytes = bigEndian(number, half);
                byte[] first = good.clone();
                System.arraycopy(bytes, 0, first, 0, half);
                byte[] second = good.clone();
                System.arraycopy(bytes, 0, second, half, half);
                byte[] both = first.clone();
                System.arraycopy(bytes, 0, both, half, half);
                all.addAll(List.of(first, second, both));
            }
            all.add(SignatureKey.der(good, half));
        } else if (key.publicKey instanceof RSAPublicKey rsa) {
            BigInteger number = new BigInteger(1, good).add(rsa.getModulus());
            if (number.bitLength() <= 8 * length) {
                all.add(bigEndian(number, length)); // the same by the modulus
            }
            all.add(bigEndian(rsa.getModulus(), length));
            all.add(bigEndian(BigInteger.ONE, length));
        }
        return all;
    }

    private static Curve curve(JwsAlgorithm algorithm) {
        return switch (algorithm) {
            case ES256 -> Curve.P_256;
            case ES384 -> Curve.P_384;
            default -> Curve.P_521;
        };
    }

    private static byte[] bigEndian(BigInteger number, int length) {
        byte[] bytes = number.toByteArray();
        byte[] exact = new byte[length];
        int kept = Math.min(bytes.length, length);
        System.arraycopy(bytes, bytes.length - kept, exact, length - kept, kept);
        return exact;
    }

    /** A token that the provider itself signs. */
    private static String signedBy(Provider provider, TestKey key) throws GeneralSecurityException {
        Signature used = TestKey.primitive(key.algorithm);
        JwsAlgorithm.Family family = key.algorithm.family;
        boolean der = family == JwsAlgorithm.Family.EC;
        String hash = "SHA" + key.algorithm.hashBits;
        String name = switch (family) {
            case EC -> hash + "withECDSA";
            case RSA_PSS ->
                provider.getService("Signature", "RSASSA-PSS") == null ? hash + "withRSA/PSS" : "RSASSA-PSS";
            default -> used.getAlgorithm();
        };
        Signature signature = Signature.getInstance(name, provider);
        String type = switch (family) {
            case EC -> "EC";
            case EDDSA -> "Ed25519";
            default -> "RSA";
        };
        PrivateKey signing = (PrivateKey) key.signing;
        if (provider.getService("KeyFactory", type) != null) {
            signing = KeyFactory.getInstance(type, provider)
                    .generatePrivate(new PKCS8EncodedKeySpec(signing.getEncoded()));
        }
        if (family == JwsAlgorithm.Family.RSA_PSS) {
            signature.setParameter(used.getParameters().getParameterSpec(PSSParameterSpec.class));
        }
        signature.initSign(signing);
        signature.update(input(key).getBytes(ISO_8859_1));
        byte[] bytes = signature.sign();
        return input(key) + "." + base64Url(der ? plain(bytes, key.signature("x").length / 2) : bytes);
    }

    /** ECDSA as RFC 7518 has it, of a SEQUENCE of two INTEGERs. */
    private static byte[] plain(byte[] der, int half) {
        int at = der[1] < 0 ? 3 : 2;
        int firstLength = der[at + 1];
        BigInteger first = new BigInteger(1, Arrays.copyOfRange(der, at + 2, at + 2 + firstLength));
        at += 2 + firstLength;
        BigInteger second = new BigInteger(1, Arrays.copyOfRange(der, at + 2, at + 2 + der[at + 1]));
        byte[] both = Arrays.copyOf(bigEndian(first, half), 2 * half);
        System.arraycopy(bigEndian(second, half), 0, both, half, half);
        return both;
    }

    @ParameterizedTest
    @EnumSource(Named.class)
    void aProviderThatIsNamedIsNotInstalled(Named named) {
        Provider provider = named.provider();
        started(TestKey.of(JwsAlgorithm.ES256), provider);
        assertThat(Security.getProvider(provider.getName())).isNull();
    }
}
