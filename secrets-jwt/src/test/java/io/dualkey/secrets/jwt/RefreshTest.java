package io.dualkey.secrets.jwt;

import static io.dualkey.secrets.jwt.Rig.rejected;
import static io.dualkey.secrets.jwt.Tokens.hmacKey;
import static io.dualkey.secrets.jwt.Tokens.hs256;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.dualkey.secrets.Role;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.SecretStore;
import io.dualkey.secrets.SecretValue;
import io.dualkey.secrets.StoreQuery;
import io.dualkey.secrets.StoreResult;
import io.dualkey.secrets.StoredSecret;
import io.dualkey.secrets.StoredVersion;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tokens of a key that the verifier does not know yet. */
class RefreshTest {

    private static final byte[] OLD = hmacKey(1);
    private static final byte[] NEW = hmacKey(2);
    private static final byte[] FORGED = hmacKey(666);
    private static final String CLAIMS = "{\"sub\":\"alice\",\"exp\":1900000000}";

    private final Rig rig = new Rig();

    @AfterEach
    void close() {
        rig.close();
    }

    private JwtVerifier started(Duration wait) {
        JwtVerifier verifier = rig.hs256().refreshWait(wait).build();
        rig.put(OLD);
        rig.start();
        return verifier;
    }

    @Test
    void anUnknownKeyIsFetchedAndItsTokenAccepted() {
        JwtVerifier verifier = started(Duration.ofSeconds(30));
        rig.put(NEW);

        VerifiedJwt jwt = verifier.verify(hs256(NEW, CLAIMS));

        assertThat(jwt.keyRole()).isEqualTo(Role.CURRENT);
        assertThat(verifier.verify(hs256(OLD, CLAIMS)).keyRole()).isEqualTo(Role.PREVIOUS);
    }

    @Test
    void forgedTokensCostOneReadAndThenNone() {
        JwtVerifier verifier = started(Duration.ofSeconds(30));
        long before = rig.store.reads();

        for (int i = 0; i < 1000; i++) {
            assertThat(verifier.check(hs256(FORGED, CLAIMS))).isEqualTo(rejected(RejectionReason.BAD_SIGNATURE));
        }

        assertThat(rig.store.reads()).isEqualTo(before + 1);
    }

    @Test
    void tokensThatWouldBeRefusedAnywayCauseNoRead() {
        JwtVerifier verifier = rig.hs256().issuer("https://a").audience("web").build();
        rig.put(OLD);
        rig.start();
        long before = rig.store.reads();

        for (String claims : new String[] {
            "{\"exp\":1,\"iss\":\"https://a\",\"aud\":\"web\"}",
            "{\"iss\":\"https://a\",\"aud\":\"web\"}",
            "{\"exp\":1900000000,\"iss\":\"https://b\",\"aud\":\"web\"}",
            "{\"exp\":1900000000,\"iss\":\"https://a\",\"aud\":\"app\"}",
            "{\"exp\":1900000000,\"iss\":\"https://a\",\"aud\":\"web\",\"aud\":\"web\"}",
            "nonsense"
        }) {
            assertThat(verifier.check(hs256(FORGED, claims))).isEqualTo(rejected(RejectionReason.BAD_SIGNATURE));
        }
        verifier.check(hs256(FORGED, "{\"alg\":\"none\"}", CLAIMS));

        assertThat(rig.store.reads()).isEqualTo(before);
    }

    /** A derived kid stands for its key, so a newer key cannot help. */
    @Test
    void aBadSignatureUnderAKnownKidCausesNoRead() {
        JwtVerifier verifier = rig.hs256().build();
        String id = HmacKey.parse(SecretValue.of(OLD), KeyFormat.TEXT).id().value();
        rig.put(OLD);
        rig.start();
        long before = rig.store.reads();

        String token = hs256(FORGED, "{\"alg\":\"HS256\",\"kid\":\"" + id + "\"}", CLAIMS);

        assertThat(verifier.check(token)).isEqualTo(rejected(RejectionReason.BAD_SIGNATURE));
        assertThat(rig.store.reads()).isEqualTo(before);
    }

    /** A store whose later reads wait for permission. */
    private static final class SlowStore implements SecretStore {

        final Semaphore permits = new Semaphore(1);
        final CountDownLatch secondRead = new CountDownLatch(2);
        volatile byte[] key = OLD;

        @Override
        public String description() {
            return "slow";
        }

        @Override
        public List<StoreResult> read(List<StoreQuery> queries) throws InterruptedException {
            secondRead.countDown();
            permits.acquire();
            String value = Tokens.base64(key);
            return queries.stream()
                    .<StoreResult>map(query -> StoreResult.found(StoredSecret.of(
                            value.substring(0, 4), List.of(StoredVersion.of("v", SecretValue.ofText(value))))))
                    .toList();
        }
    }

    @Test
    void onlyAFewThreadsWaitAndNoneOfThemInVain() throws Exception {
        SlowStore store = new SlowStore();
        try (SecretSource source =
                SecretSource.builder(store).refreshInterval(Duration.ofHours(1)).build()) {
            JwtVerifier verifier = JwtVerifier.hs256(source.secret("k"), KeyFormat.BASE64)
                    .clock(rig.clock)
                    .refreshWait(Duration.ofMinutes(1))
                    .build();
            source.start(Duration.ofSeconds(30));
            store.key = NEW;
            String token = hs256(NEW, CLAIMS);
            int threads = 12;
            ExecutorService pool = Executors.newFixedThreadPool(threads);
            try {
                List<Future<JwtResult>> results = new ArrayList<>();
                for (int i = 0; i < threads; i++) {
                    results.add(pool.submit(() -> verifier.check(token)));
                }
                assertThat(store.secondRead.await(30, TimeUnit.SECONDS)).isTrue();

                Awaitility.await()
                        .until(() -> results.stream().filter(Future::isDone).count() == threads - 8);
                for (Future<JwtResult> result : results) {
                    if (result.isDone()) {
                        assertThat(result.get()).isEqualTo(rejected(RejectionReason.BAD_SIGNATURE));
                    }
                }
                List<Future<JwtResult>> waiting =
                        results.stream().filter(result -> !result.isDone()).toList();
                assertThat(waiting).hasSize(8);
                assertThat(verifier.check(hs256(OLD, CLAIMS))).isInstanceOf(VerifiedJwt.class);

                store.permits.release(10);
                for (Future<JwtResult> result : waiting) {
                    assertThat(result.get(30, TimeUnit.SECONDS)).isInstanceOf(VerifiedJwt.class);
                }
            } finally {
                pool.shutdownNow();
            }
        }
    }

    @Test
    void waitingCanBeSwitchedOffAndTheRefreshComesAllTheSame() {
        SlowStore store = new SlowStore();
        try (SecretSource source =
                SecretSource.builder(store).refreshInterval(Duration.ofHours(1)).build()) {
            JwtVerifier verifier = JwtVerifier.hs256(source.secret("k"), KeyFormat.BASE64)
                    .clock(rig.clock)
                    .refreshWait(Duration.ZERO)
                    .build();
            source.start(Duration.ofSeconds(30));
            store.key = NEW;

            assertThat(verifier.check(hs256(NEW, CLAIMS))).isEqualTo(rejected(RejectionReason.BAD_SIGNATURE));

            store.permits.release(10);
            Awaitility.await().until(() -> verifier.check(hs256(NEW, CLAIMS)) instanceof VerifiedJwt);
        }
    }

    /** Each request that meets a read under way is remembered by it, so forged tokens must not add up to many. */
    @ParameterizedTest
    @ValueSource(longs = {0, 1})
    void forgedTokensKeepNothingWhileTheStoreHangs(long waitMillis) {
        ThreadMXBean memory = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        SlowStore store = new SlowStore();
        try (SecretSource source =
                SecretSource.builder(store).refreshInterval(Duration.ofHours(1)).build()) {
            JwtVerifier verifier = JwtVerifier.hs256(source.secret("k"), KeyFormat.BASE64)
                    .clock(rig.clock)
                    .refreshWait(Duration.ofMillis(waitMillis))
                    .build();
            source.start(Duration.ofSeconds(30));
            verifier.verify(hs256(OLD, CLAIMS)); // the header is learnt from a good token
            String forged = hs256(FORGED, CLAIMS);
            for (int i = 1; i <= 20; i++) {
                assertThat(verifier.check(forged)).isEqualTo(rejected(RejectionReason.BAD_SIGNATURE));
                assertThat(verifier.refreshesUnderWay()).isEqualTo(Math.min(i, 8));
            }

            int calls = 1000;
            long best = Long.MAX_VALUE;
            for (int attempt = 0; attempt < 60; attempt++) { // the first ones warm up
                long before = memory.getCurrentThreadAllocatedBytes();
                for (int i = 0; i < calls; i++) {
                    verifier.check(forged);
                }
                best = Math.min(best, (memory.getCurrentThreadAllocatedBytes() - before) / calls);
            }
            assertThat(best).as("bytes per token").isZero();

            store.key = NEW;
            store.permits.release(10);
            Awaitility.await().until(() -> verifier.refreshesUnderWay() == 0);
            assertThat(verifier.check(hs256(NEW, CLAIMS))).isInstanceOf(VerifiedJwt.class);
        }
    }

    @Test
    void anInterruptedThreadStopsWaitingAndStaysInterrupted() throws Exception {
        SlowStore store = new SlowStore();
        try (SecretSource source =
                SecretSource.builder(store).refreshInterval(Duration.ofHours(1)).build()) {
            JwtVerifier verifier = JwtVerifier.hs256(source.secret("k"), KeyFormat.BASE64)
                    .clock(rig.clock)
                    .refreshWait(Duration.ofMinutes(1))
                    .build();
            source.start(Duration.ofSeconds(30));
            CompletableFuture<Boolean> interrupted = new CompletableFuture<>();
            Thread thread = new Thread(() -> {
                verifier.check(hs256(FORGED, CLAIMS));
                interrupted.complete(Thread.currentThread().isInterrupted());
            });
            thread.start();
            assertThat(store.secondRead.await(30, TimeUnit.SECONDS)).isTrue();
            thread.interrupt();

            assertThat(interrupted.get(30, TimeUnit.SECONDS)).isTrue();
            store.permits.release(10);
        }
    }
}
