package io.dualkey.secrets.jwt;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.dualkey.secrets.SecretValue;
import java.lang.management.ManagementFactory;
import java.security.GeneralSecurityException;
import java.security.Signature;
import java.time.Duration;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What judging a token allocates, exactly. Measured when written, on JDK 17: 120 bytes for an accepted token, of which 64
 * are the subject, beyond what the signature's own code takes; none for a bad signature under a known {@code kid}; and 56
 * for a token that is known from the cache.
 */
@ParameterizedClass
@EnumSource(JwsAlgorithm.class)
class AllocationTest {

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private final TestKey old;
    private final TestKey key;
    private final Rig rig = new Rig();
    private final JwtVerifier verifier;
    private final JwtVerifier caching;

    AllocationTest(JwsAlgorithm algorithm) {
        old = TestKey.of(algorithm);
        key = TestKey.other(algorithm);
        verifier = builder().build();
        caching = builder().cache(1 << 20).build();
    }

    private JwtVerifier.Builder builder() {
        return key.verifier(rig).issuer("https://issuer.example.com").audience("web");
    }

    @BeforeEach
    void start() {
        rig.store.put(Rig.NAME, old.document());
        rig.clock.advance(Duration.ofHours(1));
        rig.store.put(Rig.NAME, key.document());
        rig.start();
    }

    @AfterEach
    void close() {
        rig.close();
    }

    private boolean isFast() {
        return key.algorithm.isSymmetric();
    }

    /** How a key is named in tokens. */
    private static String id(TestKey named) {
        KeyReader reader = new KeyReader(Rig.NAME, named.format(), List.of(named.algorithm));
        return reader.verificationKeys(SecretValue.ofText(named.document()), null)
                .get(0)
                .id()
                .value();
    }

    private String[] tokens(TestKey signing, TestKey named) {
        return tokens(signing, named, isFast() ? 64 : 4);
    }

    private static String[] tokens(TestKey signing, TestKey named, int count) {
        String header = signing.header(id(named));
        String[] tokens = new String[count];
        for (int i = 0; i < tokens.length; i++) {
            tokens[i] = signing.token(
                    header,
                    "{\"iss\":\"https://issuer.example.com\",\"sub\":\"user-00000000000000" + (1000 + i)
                            + "\",\"aud\":\"web\",\"exp\":1900000000,\"iat\":1700000000,\"jti\":\"" + i
                            + "\",\"scope\":\"orders:read orders:write\",\"roles\":[\"member\",\"admin\"]}");
        }
        return tokens;
    }

    /** What is called for each token. */
    private interface Judge {
        boolean judge(int token) throws GeneralSecurityException;
    }

    /**
     * Bytes for each token, beyond what the raw primitive takes for the same. The two are measured in turns, so that the
     * compiler has treated the code that they share alike, and the middle of many attempts counts.
     */
    private static long bytes(int tokens, int rounds, int attempts, Judge raw, Judge judge, boolean good)
            throws GeneralSecurityException {
        long[] differences = new long[attempts];
        for (int attempt = 0; attempt < attempts; attempt++) { // the first ones warm up
            long before = THREADS.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < rounds * tokens; i++) {
                assertSame(raw.judge(i % tokens), good);
            }
            long between = THREADS.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < rounds * tokens; i++) {
                assertSame(judge.judge(i % tokens), good);
            }
            long after = THREADS.getCurrentThreadAllocatedBytes();
            differences[attempt] = ((after - between) - (between - before)) / ((long) rounds * tokens);
        }
        long[] warm = Arrays.copyOfRange(differences, attempts / 2, attempts);
        Arrays.sort(warm);
        return warm[warm.length / 2];
    }

    private static void assertSame(boolean actual, boolean expected) {
        if (actual != expected) {
            throw new AssertionError("the token was judged wrongly");
        }
    }

    private long bytesBeyondRaw(String[] tokens, TestKey signing, boolean good) throws GeneralSecurityException {
        Judge judge = i -> verifier.check(tokens[i]) instanceof VerifiedJwt;
        if (isFast()) {
            return bytes(tokens.length, 50, 60, i -> good, judge, good);
        }
        Signature signature = TestKey.primitive(signing.algorithm);
        signature.initVerify(signing.publicKey);
        byte[][] inputs = new byte[tokens.length][];
        byte[][] signatures = new byte[tokens.length][];
        for (int i = 0; i < tokens.length; i++) {
            int end = tokens[i].lastIndexOf('.');
            inputs[i] = tokens[i].substring(0, end).getBytes(ISO_8859_1);
            signatures[i] = Base64.getUrlDecoder().decode(tokens[i].substring(end + 1));
        }
        Judge raw = i -> {
            signature.update(inputs[i], 0, inputs[i].length);
            return signature.verify(signatures[i]);
        };
        return bytes(tokens.length, 1, 14, raw, judge, good);
    }

    private long allowed() {
        return isFast() ? 150 : 300;
    }

    @Test
    void anAcceptedTokenStaysWithinItsBudget() throws Exception {
        long current = bytesBeyondRaw(tokens(key, key), key, true);
        long previous = bytesBeyondRaw(tokens(old, old), old, true);

        assertThat(current).as("current key").isLessThanOrEqualTo(allowed());
        assertThat(previous).as("previous key").isLessThanOrEqualTo(allowed());
    }

    @Test
    void aBadSignatureUnderAKnownKidCostsNothingBeyondThePrimitive() throws Exception {
        verifier.check(tokens(key, key)[0]); // the header is learnt from a good token

        long bytes = bytesBeyondRaw(tokens(old, key), key, false);

        assertThat(bytes).isLessThanOrEqualTo(isFast() ? 0 : 16);
    }

    @Test
    void aTokenKnownFromTheCacheCosts64BytesWhateverTheAlgorithm() throws Exception {
        String[] tokens = tokens(key, key);

        long bytes = bytes(
                tokens.length,
                1000 / tokens.length,
                40,
                i -> true,
                i -> caching.check(tokens[i]) instanceof VerifiedJwt,
                true);

        assertThat(bytes).isLessThanOrEqualTo(64);
    }

    /** The entry of the cache is added to what an accepted token costs. */
    @Test
    void aTokenThatTheCacheDoesNotKnowCostsOneEntryMore() throws Exception {
        if (!isFast()) {
            return; // what the cache adds is the same, and more tokens are needed than can be made
        }
        JwtVerifier small = builder().cache(1 << 16).build();
        String[] tokens = tokens(key, key, 2000);

        long bytes = bytes(tokens.length, 1, 40, i -> true, i -> small.check(tokens[i]) instanceof VerifiedJwt, true);

        assertThat(bytes).isBetween(150L, 150L + 80);
    }
}
