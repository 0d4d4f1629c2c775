package io.dualkey.secrets.jwt;

import static io.dualkey.secrets.jwt.Rig.rejected;
import static io.dualkey.secrets.jwt.Tokens.hmacKey;
import static io.dualkey.secrets.jwt.Tokens.hs256;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.dualkey.secrets.InMemoryStore;
import io.dualkey.secrets.Role;
import io.dualkey.secrets.RotatingSecret;
import io.dualkey.secrets.SecretSource;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.InvalidKeyException;
import java.security.PrivateKey;
import java.security.Provider;
import java.security.PublicKey;
import java.security.Signature;
import java.security.SignatureException;
import java.security.SignatureSpi;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Tokens that are presented again. */
class TokenCacheTest {

    private static final long SIZE = 1 << 20;
    private static final TestKey KEY = TestKey.of(JwsAlgorithm.ES256);
    private static final TestKey NEXT = TestKey.other(JwsAlgorithm.ES256);

    private final Rig rig = new Rig();
    private final JwtVerifier verifier = builder().build();

    private JwtVerifier.Builder builder() {
        return KEY.verifier(rig).provider(new Counting()).cache(SIZE);
    }

    /** How many signatures were verified. */
    private static final AtomicInteger VERIFIED = new AtomicInteger();

    /** Hands on to the JDK and counts. */
    private static final class Counting extends Provider {
        private static final long serialVersionUID = 1L;

        Counting() {
            super("Counting", "1", "for a test");
            put("Signature.SHA256withECDSAinP1363Format", CountingSignature.class.getName());
        }
    }

    /** Must be public to be made by its provider. */
    public static final class CountingSignature extends SignatureSpi {
        private final Signature real;

        /** Made by its provider. */
        public CountingSignature() throws GeneralSecurityException {
            real = Signature.getInstance("SHA256withECDSAinP1363Format", "SunEC");
        }

        @Override
        protected void engineInitVerify(PublicKey key) throws InvalidKeyException {
            real.initVerify(key);
        }

        @Override
        protected void engineInitSign(PrivateKey key) throws InvalidKeyException {
            real.initSign(key);
        }

        @Override
        protected void engineUpdate(byte one) throws SignatureException {
            real.update(one);
        }

        @Override
        protected void engineUpdate(byte[] bytes, int from, int length) throws SignatureException {
            real.update(bytes, from, length);
        }

        @Override
        protected byte[] engineSign() throws SignatureException {
            return real.sign();
        }

        @Override
        protected boolean engineVerify(byte[] signature) throws SignatureException {
            VERIFIED.incrementAndGet();
            return real.verify(signature);
        }

        @Override
        @Deprecated
        protected void engineSetParameter(String name, Object value) {
            throw new UnsupportedOperationException();
        }

        @Override
        @Deprecated
        protected Object engineGetParameter(String name) {
            throw new UnsupportedOperationException();
        }
    }

    @BeforeEach
    void start() {
        rig.store.put(Rig.NAME, KEY.document());
        rig.start();
        VERIFIED.set(0);
    }

    @AfterEach
    void close() {
        rig.close();
    }

    /** A new String, as every request has one. */
    private static String fresh(String token) {
        return new String(token.toCharArray());
    }

    private VerifiedJwt accepts(String token) {
        return verifier.verify(fresh(token));
    }

    @Test
    void aTokenThatIsPresentedAgainIsNotVerifiedAgain() {
        String token = KEY.token(
                "{\"sub\":\"alice\",\"iss\":\"https://a\",\"nbf\":1,\"iat\":2,\"exp\":1900000000,\"scope\":\"read\"}");

        VerifiedJwt first = accepts(token);
        VerifiedJwt again = accepts(token);

        assertThat(VERIFIED).hasValue(1);
        assertThat(again.subject()).isEqualTo(first.subject()).contains("alice");
        assertThat(again.expiresAt()).isEqualTo(first.expiresAt());
        assertThat(again.notBefore()).isEqualTo(first.notBefore());
        assertThat(again.issuedAt()).isEqualTo(first.issuedAt());
        assertThat(again.claims()).isEqualTo(first.claims());
        assertThat(again.header()).isEqualTo(first.header());
        assertThat(again.keyVersion()).isEqualTo(first.keyVersion());
        assertThat(rig.secret.status().uses()).containsEntry(Role.CURRENT, 2L);
    }

    @Test
    void aRefusedTokenIsNotKept() {
        String forged = NEXT.token(rig.expiring(Duration.ofMinutes(5)));
        for (int i = 0; i < 3; i++) {
            assertThat(verifier.check(forged)).isEqualTo(rejected(RejectionReason.BAD_SIGNATURE));
        }
        assertThat(verifier.check(KEY.token("{}"))).isEqualTo(rejected(RejectionReason.MISSING_EXPIRATION));

        assertThat(verifier.cacheWeights()).containsOnly(0);
    }

    /** Every change of one character, of those that end up in the same slot too, is verified and refused. */
    @Test
    void anotherTextIsNeverTakenForTheOneThatWasAccepted() {
        String token = KEY.token(rig.expiring(Duration.ofMinutes(5)));
        accepts(token);
        for (int at = 0; at < token.length(); at++) {
            for (char other : new char[] {'A', (char) (token.charAt(at) + 0x100), (char) (token.charAt(at) ^ 1)}) {
                String changed = token.substring(0, at) + other + token.substring(at + 1);
                if (!changed.equals(token)) {
                    assertThat(verifier.check(changed)).isInstanceOf(JwtResult.Rejected.class);
                }
            }
        }
        for (String changed : new String[] {token + "=", token + " ", " " + token, token + ".", token + "AA"}) {
            assertThat(verifier.check(changed)).isInstanceOf(JwtResult.Rejected.class);
        }
        assertThat(VERIFIED.get()).isGreaterThan(token.length() / 2);
    }

    @Test
    void aTokenIsForgottenWhenItExpires() {
        String token = KEY.token(rig.expiring(Duration.ofMinutes(5)));
        accepts(token);
        rig.clock.advance(Duration.ofMinutes(6).minusMillis(1));
        accepts(token);
        assertThat(VERIFIED).hasValue(1);

        rig.clock.advance(Duration.ofMillis(1));

        assertThat(verifier.check(token)).isEqualTo(rejected(RejectionReason.EXPIRED));
        assertThat(verifier.cacheWeights()).containsOnly(0);
    }

    @Test
    void aTokenIsRefusedAtOnceWhenItsKeyIsRemoved() {
        String version = rig.secret.status().version(Role.CURRENT).orElseThrow().id();
        String token = KEY.token(rig.expiring(Duration.ofDays(5)));
        accepts(token);
        rig.clock.advance(Duration.ofHours(1));
        rig.store.put(Rig.NAME, NEXT.document());
        rig.refresh();
        assertThat(accepts(token).keyRole()).isEqualTo(Role.PREVIOUS);
        assertThat(accepts(token).keyRole()).isEqualTo(Role.PREVIOUS);
        assertThat(VERIFIED)
                .as("rotation alone makes no token be verified again")
                .hasValue(1);

        rig.store.disable(Rig.NAME, version);
        rig.refresh();

        assertThat(verifier.check(token)).isEqualTo(rejected(RejectionReason.BAD_SIGNATURE));
        assertThat(verifier.cacheWeights()).containsOnly(0);
    }

    @Test
    void aTokenIsRefusedWhenTheGraceOfItsKeyEnds() {
        String token = KEY.token(rig.expiring(Duration.ofDays(5)));
        accepts(token);
        rig.clock.advance(Duration.ofHours(1));
        rig.store.put(Rig.NAME, NEXT.document());
        rig.refresh();
        rig.clock.advance(Rig.GRACE.minusMillis(1));
        accepts(token);
        assertThat(VERIFIED).hasValue(1);

        rig.clock.advance(Duration.ofMillis(1));

        assertThat(verifier.check(token)).isEqualTo(rejected(RejectionReason.BAD_SIGNATURE));
    }

    /** A kid that was told is strict: a key that is named later takes the token away from the one that was tried before. */
    @Test
    void aTokenIsJudgedAnewWhenAnotherKeyGetsItsKid() {
        String token = KEY.token(KEY.header("named"), rig.expiring(Duration.ofDays(5)));
        JwtVerifier jwks = JwtVerifier.builder(rig.secret, KeyFormat.JWK, JwsAlgorithm.ES256)
                .clock(rig.clock)
                .cache(SIZE)
                .build();
        JwtVerifier uncached = JwtVerifier.builder(rig.secret, KeyFormat.JWK, JwsAlgorithm.ES256)
                .clock(rig.clock)
                .build();
        rig.store.put(Rig.NAME, KEY.jwk(null).toPublicJWK().toJSONString());
        rig.refresh();
        assertThat(jwks.check(token)).isInstanceOf(VerifiedJwt.class);
        rig.clock.advance(Duration.ofHours(1));
        rig.store.put(Rig.NAME, NEXT.jwk("named").toPublicJWK().toJSONString());
        rig.refresh();

        assertThat(uncached.check(token)).isEqualTo(rejected(RejectionReason.BAD_SIGNATURE));
        assertThat(jwks.check(token)).isEqualTo(rejected(RejectionReason.BAD_SIGNATURE));
    }

    @Test
    void theServicesOwnConditionsAreAskedEveryTime() {
        AtomicBoolean blocked = new AtomicBoolean();
        JwtVerifier asking = builder().require(jwt -> !blocked.get()).build();
        String token = KEY.token(rig.expiring(Duration.ofMinutes(5)));
        assertThat(asking.check(token)).isInstanceOf(VerifiedJwt.class);

        blocked.set(true);
        assertThat(asking.check(token)).isEqualTo(rejected(RejectionReason.REQUIREMENT_NOT_MET));
        blocked.set(false);
        assertThat(asking.check(token)).isInstanceOf(VerifiedJwt.class);

        assertThat(VERIFIED).hasValue(1);
        assertThat(rig.secret.status().uses()).containsEntry(Role.CURRENT, 2L);
    }

    @Test
    void theCacheStaysWithinItsBoundAndKeepsServing() {
        Rig hmac = new Rig();
        try (hmac) {
            byte[] key = hmacKey(1);
            hmac.put(key);
            JwtVerifier small = hmac.hs256().cache(1 << 16).build();
            hmac.start();
            for (int i = 0; i < 20_000; i++) {
                String filler = "x".repeat(i % 700);
                String token = hs256(key, "{\"exp\":1900000000,\"sub\":\"" + i + "\",\"x\":\"" + filler + "\"}");
                assertThat(small.verify(token).subject()).contains(String.valueOf(i));
                assertThat(small.verify(fresh(token)).subject()).contains(String.valueOf(i));
                assertThat(small.cacheWeights()[0]).isLessThanOrEqualTo(1 << 16);
            }
            long[] weights = small.cacheWeights();
            assertThat(weights[0]).isEqualTo(weights[1]).isGreaterThan(1 << 14);
        }
    }

    @Test
    void refusesSizesThatMakeNoSense() {
        for (long size : new long[] {-1, 0, 65_535, (1L << 30) + 1, Long.MAX_VALUE}) {
            assertThatIllegalArgumentException().isThrownBy(() -> builder().cache(size));
        }
    }

    /** The vectors that the authors of SipHash print for whole words (key 00 01 ... 0f, input 00 01 ...). */
    @Test
    void theHashIsSipHash() {
        byte[] input = new byte[64];
        for (int i = 0; i < input.length; i++) {
            input[i] = (byte) i;
        }
        long key0 = 0x0706050403020100L;
        long key1 = 0x0f0e0d0c0b0a0908L;
        assertThat(bytes(TokenCache.sipHash(key0, key1, input, 0, 0))).isEqualTo("310e0edd47db6f72");
        assertThat(bytes(TokenCache.sipHash(key0, key1, input, 0, 8))).isEqualTo("6224939a79f5f593");
    }

    private static String bytes(long littleEndian) {
        return HexFormat.of().toHexDigits(Long.reverseBytes(littleEndian));
    }

    /**
     * Many threads present the same few tokens while keys come and go. A token must never be accepted after the check that
     * reported its key's removal, its claims are always its own, and the books are in order in the end.
     */
    @Test
    void threadsAndRotationsLeaveTheCacheInOrder() throws Exception {
        byte[][] keys = IntStream.range(0, 6).mapToObj(Tokens::hmacKey).toArray(byte[][]::new);
        InMemoryStore store = new InMemoryStore();
        try (SecretSource source = SecretSource.builder(store)
                .refreshInterval(Duration.ofMillis(10))
                .build()) {
            List<String> versions = new ArrayList<>();
            versions.add(store.put("k", Tokens.base64(keys[0])));
            RotatingSecret secret = source.secret("k");
            JwtVerifier shared =
                    JwtVerifier.hs256(secret, KeyFormat.BASE64).cache(1 << 16).build();
            source.start(Duration.ofSeconds(30));
            String[][] tokens = new String[keys.length][200];
            for (int k = 0; k < keys.length; k++) {
                for (int i = 0; i < tokens[k].length; i++) {
                    tokens[k][i] = hs256(keys[k], "{\"exp\":1900000000,\"sub\":\"" + k + "-" + i + "\"}");
                }
            }
            AtomicInteger removed = new AtomicInteger(-1); // keys up to this one are gone for certain
            AtomicInteger present = new AtomicInteger(); // keys from the one after the removed to this one are accepted
            AtomicBoolean stop = new AtomicBoolean();
            IntPredicate gone = key -> key <= removed.get();
            ExecutorService pool = Executors.newFixedThreadPool(6);
            try {
                List<Future<Integer>> threads = new ArrayList<>();
                for (int t = 0; t < 6; t++) {
                    int offset = t * 31;
                    threads.add(pool.submit(() -> {
                        int accepted = 0;
                        for (int n = offset; !stop.get(); n++) {
                            int k = n % keys.length;
                            int i = n / keys.length % 200;
                            boolean goneBefore = gone.test(k);
                            boolean presentBefore = k <= present.get();
                            JwtResult result = shared.check(fresh(tokens[k][i]));
                            boolean goneAfter = gone.test(k) || k <= removed.get() + 1;
                            if (result instanceof VerifiedJwt jwt) {
                                assertThat(goneBefore).isFalse();
                                assertThat(jwt.subject()).contains(k + "-" + i);
                                assertThat(jwt.claims()).containsEntry("sub", k + "-" + i);
                                accepted++;
                            } else {
                                assertThat(!presentBefore || goneAfter).isTrue();
                            }
                        }
                        return accepted;
                    }));
                }
                for (int k = 1; k < keys.length; k++) {
                    int oldKey = k - 1;
                    String added = store.put("k", Tokens.base64(keys[k]));
                    versions.add(added);
                    String token = tokens[k][0];
                    Awaitility.await().until(() -> shared.check(token) instanceof VerifiedJwt);
                    present.set(k);
                    for (int i = 0; i < 200; i++) {
                        shared.check(tokens[k][i]);
                        shared.check(tokens[k - 1][i]);
                    }
                    String old = versions.get(k - 1);
                    store.disable("k", old);
                    Awaitility.await().until(() -> shared.check(tokens[oldKey][0]) instanceof JwtResult.Rejected);
                    removed.set(oldKey);
                }
                stop.set(true);
                for (Future<Integer> thread : threads) {
                    assertThat(thread.get()).isPositive();
                }
            } finally {
                stop.set(true);
                pool.shutdownNow();
            }
            long[] weights = shared.cacheWeights();
            assertThat(weights[0]).isEqualTo(weights[1]).isLessThanOrEqualTo(1 << 16);
        }
    }

    @Test
    void shortAndHugeTokensAreVerifiedEachTime() {
        String huge = KEY.token("{\"exp\":1900000000,\"x\":\"" + "x".repeat(4000) + "\"}");
        JwtVerifier small = KEY.verifier(rig).cache(1 << 16).build();

        assertThat(small.check(huge)).isInstanceOf(VerifiedJwt.class);
        assertThat(small.cacheWeights()).containsOnly(0);
        assertThat(small.check(".".repeat(3))).isEqualTo(rejected(RejectionReason.MALFORMED));
        assertThat(small.check(new String(new byte[70], StandardCharsets.ISO_8859_1)))
                .isEqualTo(rejected(RejectionReason.MALFORMED));
    }
}
