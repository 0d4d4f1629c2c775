package io.dualkey.secrets.jwt;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.dualkey.secrets.SecretValue;
import java.lang.management.ManagementFactory;
import java.security.GeneralSecurityException;
import java.security.Signature;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What judging a token allocates, exactly, for every algorithm. Measured when written, on JDK 17: 120 bytes for an accepted
 * token, of which 64 are the subject, beyond what the signature's own code takes; 72 more where a cache takes it in; none
 * for a bad signature under a known {@code kid}; and 56 for a token that is known from the cache.
 */
@ParameterizedClass
@EnumSource(JwsAlgorithm.class)
class AllocationTest {

    private static final int ATTEMPTS = 8; // where the primitive is slow
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
        return tokens(signing, signing.header(id(named)), isFast() ? 64 : 4, 1_900_000_000);
    }

    private static String[] tokens(TestKey signing, String header, int count, long expires) {
        String[] tokens = new String[count];
        for (int i = 0; i < tokens.length; i++) {
            tokens[i] = signing.token(
                    header,
                    "{\"iss\":\"https://issuer.example.com\",\"sub\":\"user-00000000000000" + (1000 + i)
                            + "\",\"aud\":\"web\",\"exp\":" + expires + ",\"iat\":1700000000,\"jti\":\"" + i
                            + "\",\"scope\":\"orders:read orders:write\",\"roles\":[\"member\",\"admin\"]}");
        }
        return tokens;
    }

    /** What is called for each token; it fails if the answer is wrong. */
    private interface Judge {
        void judge(int token) throws GeneralSecurityException;
    }

    /**
     * Bytes for each token, beyond what the raw primitive takes for the same. The two are measured in turns, so that the
     * compiler has treated the code that they share alike, and the middle of many attempts counts.
     */
    private long bytesBeyond(Judge raw, int tokens, Judge judge) throws GeneralSecurityException {
        int rounds = isFast() ? 25 : 1;
        int attempts = isFast() ? 40 : ATTEMPTS;
        return bytesBeyond(raw, tokens, judge, rounds, attempts);
    }

    private static long bytesBeyond(Judge raw, int tokens, Judge judge, int rounds, int attempts)
            throws GeneralSecurityException {
        long[] differences = new long[attempts];
        for (int attempt = 0; attempt < attempts; attempt++) { // the first ones warm up
            long before = THREADS.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < rounds * tokens; i++) {
                raw.judge(i % tokens);
            }
            long between = THREADS.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < rounds * tokens; i++) {
                judge.judge(i % tokens);
            }
            long after = THREADS.getCurrentThreadAllocatedBytes();
            differences[attempt] = ((after - between) - (between - before)) / ((long) rounds * tokens);
        }
        long[] warm = Arrays.copyOfRange(differences, attempts / 2, attempts);
        Arrays.sort(warm);
        return warm[warm.length / 2];
    }

    /** What the JDK alone does for the same tokens, with one key after the other; nothing for HMAC, where it may be free. */
    private Judge raw(String[] tokens, boolean good, TestKey... tried) throws GeneralSecurityException {
        if (isFast()) {
            return token -> {};
        }
        Signature[] signatures = new Signature[tried.length];
        for (int i = 0; i < tried.length; i++) {
            signatures[i] = TestKey.primitive(key.algorithm);
            signatures[i].initVerify(tried[i].publicKey);
        }
        byte[][] inputs = new byte[tokens.length][];
        byte[][] given = new byte[tokens.length][];
        for (int i = 0; i < tokens.length; i++) {
            int end = tokens[i].lastIndexOf('.');
            inputs[i] = tokens[i].substring(0, end).getBytes(ISO_8859_1);
            given[i] = Base64.getUrlDecoder().decode(tokens[i].substring(end + 1));
        }
        return token -> {
            for (int i = 0; i < signatures.length; i++) {
                signatures[i].update(inputs[token], 0, inputs[token].length);
                requireSame(signatures[i].verify(given[token]), good);
            }
        };
    }

    private static void requireSame(@Nullable Object actual, @Nullable Object expected) {
        if (!Objects.equals(actual, expected)) {
            throw new AssertionError("the token was judged wrongly: " + actual);
        }
    }

    private static Judge accepts(JwtVerifier verifier, String[] tokens) {
        return token -> {
            if (!(verifier.check(tokens[token]) instanceof VerifiedJwt)) {
                throw new AssertionError("the token was refused");
            }
        };
    }

    private static Judge refuses(JwtVerifier verifier, String[] tokens, RejectionReason reason) {
        JwtResult expected = Rig.rejected(reason);
        return token -> requireSame(verifier.check(tokens[token]), expected);
    }

    private long allowed() {
        return isFast() ? 150 : 300;
    }

    @Test
    void anAcceptedTokenStaysWithinItsBudget() throws Exception {
        for (TestKey signing : List.of(key, old)) {
            String[] tokens = tokens(signing, signing);

            long bytes = bytesBeyond(raw(tokens, true, signing), tokens.length, accepts(verifier, tokens));

            assertThat(bytes).isLessThanOrEqualTo(allowed());
        }
    }

    @Test
    void aBadSignatureUnderAKnownKidCostsNothingBeyondThePrimitive() throws Exception {
        verifier.verify(tokens(key, key)[0]); // the header is learnt from a good token
        String[] tokens = tokens(old, key);

        for (JwtVerifier judging : List.of(verifier, caching)) {
            judging.verify(tokens(key, key)[0]);
            long bytes = bytesBeyond(
                    raw(tokens, false, key), tokens.length, refuses(judging, tokens, RejectionReason.BAD_SIGNATURE));

            assertThat(bytes).isLessThanOrEqualTo(isFast() ? 0 : 16);
        }
    }

    /** Forged headers are not learnt, so each is read anew, and all keys are tried. */
    @Test
    void aBadSignatureUnderAForeignKidCostsLessThanAnAcceptedToken() throws Exception {
        TestKey forging = TestKey.stranger(key.algorithm);
        String[] tokens = tokens(forging, forging.header("foreign"), isFast() ? 64 : 4, 1_900_000_000);
        verifier.check(tokens[0]); // asks for a refresh in vain, and is held off

        long bytes = bytesBeyond(
                raw(tokens, false, key, old), tokens.length, refuses(verifier, tokens, RejectionReason.UNKNOWN_KEY));

        assertThat(bytes).isLessThanOrEqualTo(allowed());
    }

    @Test
    void aTokenThatIsRefusedForItsClaimsStaysWithinTheBudget() throws Exception {
        String[] tokens = tokens(key, key.header(id(key)), isFast() ? 64 : 4, 1_700_000_000);

        long bytes =
                bytesBeyond(raw(tokens, true, key), tokens.length, refuses(verifier, tokens, RejectionReason.EXPIRED));

        assertThat(bytes).isLessThanOrEqualTo(allowed());
    }

    @Test
    void aTokenThatIsRefusedForItsFormStaysWithinTheBudget() throws Exception {
        String good = tokens(key, key)[0];
        for (JwtVerifier judging : List.of(verifier, caching)) {
            judging.verify(good); // the header is learnt from it
            for (String text : new String[] {"nonsense", good + "=", "." + good, good + " "}) {
                long bytes = bytesBeyond(
                        token -> {}, 1, refuses(judging, new String[] {text}, RejectionReason.MALFORMED), 500, 30);
                assertThat(bytes).as(text).isLessThanOrEqualTo(64);
            }
            String[] unsigned = {good.replaceAll("^[^.]*", Tokens.base64Url("{\"alg\":\"none\"}"))};
            long bytes =
                    bytesBeyond(token -> {}, 1, refuses(judging, unsigned, RejectionReason.WRONG_ALGORITHM), 500, 30);
            assertThat(bytes).isLessThanOrEqualTo(64);
        }
    }

    @Test
    void aTokenKnownFromTheCacheCosts64BytesWhateverTheAlgorithm() throws Exception {
        String[] tokens = tokens(key, key);

        long bytes = bytesBeyond(token -> {}, tokens.length, accepts(caching, tokens), 1000 / tokens.length, 40);

        assertThat(bytes).isLessThanOrEqualTo(64);
    }

    /** The entry of the cache is added to what an accepted token costs. */
    @Test
    void aTokenThatTheCacheDoesNotKnowCostsOneEntryMore() throws Exception {
        if (isFast()) { // more tokens than there is room for
            JwtVerifier small = builder().cache(1 << 16).build();
            String[] tokens = tokens(key, key.header(id(key)), 2000, 1_900_000_000);

            assertThat(bytesBeyond(token -> {}, tokens.length, accepts(small, tokens), 1, 40))
                    .isBetween(150L, 150L + 80);
            return;
        }
        String[] five = tokens(key, key.header(id(key)), 5, 1_900_000_000);
        String[] tokens = Arrays.copyOf(five, 4);
        List<JwtVerifier> empty = new ArrayList<>();
        for (int i = 0; i < ATTEMPTS; i++) {
            empty.add(builder().cache(1 << 20).build());
        }
        rig.refresh();
        for (JwtVerifier one : empty) {
            one.verify(five[4]); // so that all is there but the others
        }
        int[] calls = {0};

        long bytes = bytesBeyond(
                raw(tokens, true, key),
                tokens.length,
                token -> accepts(empty.get(calls[0]++ / tokens.length), tokens).judge(token));

        assertThat(bytes).isLessThanOrEqualTo(300);
    }
}
