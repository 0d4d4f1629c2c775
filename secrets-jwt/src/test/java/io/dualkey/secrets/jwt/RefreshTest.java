package io.dualkey.secrets.jwt;

import static io.dualkey.secrets.jwt.Rig.rejected;
import static io.dualkey.secrets.jwt.Tokens.hmacKey;
import static io.dualkey.secrets.jwt.Tokens.hs256;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.dualkey.secrets.RefreshCause;
import io.dualkey.secrets.Role;
import io.dualkey.secrets.RotatingSecret;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.SecretStore;
import io.dualkey.secrets.SecretUnavailableException;
import io.dualkey.secrets.SecretValue;
import io.dualkey.secrets.StoreQuery;
import io.dualkey.secrets.StoreResult;
import io.dualkey.secrets.StoredSecret;
import io.dualkey.secrets.StoredVersion;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
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
        final AtomicLong reads = new AtomicLong();
        final CountDownLatch secondRead = new CountDownLatch(2);
        volatile byte[] key = OLD;

        @Override
        public String description() {
            return "slow";
        }

        @Override
        public List<StoreResult> read(List<StoreQuery> queries) throws InterruptedException {
            reads.incrementAndGet();
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

    private static final class Slow implements AutoCloseable {
        final SlowStore store = new SlowStore();
        final MutableClock clock = new MutableClock(Rig.START);
        final SecretSource source =
                SecretSource.builder(store).refreshInterval(Duration.ofHours(1)).build();
        final RotatingSecret secret = source.secret("k");
        final JwtVerifier verifier;

        Slow(Duration wait) {
            verifier = JwtVerifier.hs256(secret, KeyFormat.BASE64)
                    .clock(clock)
                    .refreshWait(wait)
                    .build();
            source.start(Duration.ofSeconds(30));
            store.permits.release();
            secret.refresh(RefreshCause.OPERATOR).join(); // so that nothing of startup is under way any more
        }

        /** Makes a read fruitless, after which requests are held off. */
        void holdOff() {
            store.permits.release();
            assertThat(verifier.check(hs256(FORGED, CLAIMS))).isEqualTo(rejected(RejectionReason.BAD_SIGNATURE));
            Awaitility.await().until(() -> verifier.refreshesUnderWay() == 0);
        }

        @Override
        public void close() {
            store.permits.release(10);
            source.close();
        }
    }

    /** What forged tokens ask for must not reach the lock of the secret: not each, and not while it is in vain. */
    @Test
    void afterAFruitlessRefreshTokensAskForNoneForAWhileAndWaitForNobody() {
        try (Slow slow = new Slow(Duration.ofMinutes(1))) {
            slow.holdOff();
            var operator = slow.secret.refresh(RefreshCause.OPERATOR); // hangs

            for (int i = 0; i < 100; i++) {
                slow.clock.advance(Duration.ofMillis(9));
                slow.verifier.check(hs256(FORGED, CLAIMS)); // would wait for a minute
                assertThat(slow.verifier.checkAsync(hs256(FORGED, CLAIMS))).isCompleted();
            }
            assertThat(slow.verifier.refreshesUnderWay()).isZero();

            slow.clock.advance(Duration.ofMillis(100));
            var attached = slow.verifier.checkAsync(hs256(FORGED, CLAIMS));
            assertThat(slow.verifier.refreshesUnderWay()).isOne();
            assertThat(attached).isNotDone();
            slow.store.permits.release();
            operator.join();
            assertThat(attached.join()).isEqualTo(rejected(RejectionReason.BAD_SIGNATURE));
        }
    }

    @Test
    void anAsynchronousCallerGetsTheTokenOfANewKeyAcceptedWithoutWaiting() {
        try (Slow slow = new Slow(Duration.ofMinutes(1))) {
            slow.store.key = NEW;

            assertThat(slow.verifier.checkAsync(hs256(OLD, CLAIMS)))
                    .isCompletedWithValueMatching(VerifiedJwt.class::isInstance);
            assertThat(slow.verifier.checkAsync("nonsense")).isCompletedWithValue(rejected(RejectionReason.MALFORMED));
            var result = slow.verifier.checkAsync(hs256(NEW, CLAIMS));
            assertThat(result).isNotDone();

            slow.store.permits.release();
            assertThat(result.join()).isInstanceOf(VerifiedJwt.class);
            assertThat(slow.secret.status().uses()).containsEntry(Role.CURRENT, 2L);
        }
    }

    @Test
    void anAsynchronousCallerHasAnAnswerWhenTheWaitEndsAndFewAreKept() {
        try (Slow slow = new Slow(Duration.ofMillis(1))) {
            List<CompletableFuture<JwtResult>> results = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                results.add(slow.verifier.checkAsync(hs256(FORGED, CLAIMS)));
            }
            assertThat(slow.verifier.refreshesUnderWay()).isEqualTo(8);
            for (CompletableFuture<JwtResult> result : results) {
                assertThat(result.join()).isEqualTo(rejected(RejectionReason.BAD_SIGNATURE));
            }
            assertThat(slow.verifier.refreshesUnderWay()).isEqualTo(8);

            slow.store.permits.release();
            Awaitility.await().until(() -> slow.verifier.refreshesUnderWay() == 0);
        }
    }

    @Test
    void anAsynchronousCallerIsToldThatThereIsNoKey() {
        JwtVerifier verifier = rig.hs256().build();

        assertThat(verifier.checkAsync(hs256(OLD, CLAIMS)))
                .failsWithin(Duration.ZERO)
                .withThrowableOfType(ExecutionException.class)
                .withCauseInstanceOf(SecretUnavailableException.class);
    }

    /** Good tokens meet no lock, no future and no wait, whatever the forged ones do: they are judged at the same cost. */
    @Test
    void aFloodOfForgedTokensChangesNothingForGoodOnes() throws Exception {
        ThreadMXBean memory = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        try (Slow slow = new Slow(Duration.ofMinutes(1))) {
            String forged = hs256(FORGED, CLAIMS);
            String good = hs256(OLD, CLAIMS);
            slow.verifier.verify(good);
            long reads = slow.store.reads.get();
            AtomicBoolean stop = new AtomicBoolean();
            AtomicLong refused = new AtomicLong();
            ExecutorService pool = Executors.newFixedThreadPool(10);
            try {
                for (int i = 0; i < 10; i++) {
                    pool.execute(() -> {
                        while (!stop.get()) {
                            slow.verifier.check(forged);
                            refused.incrementAndGet();
                        }
                    });
                }
                // As many as may wait for the store, which hangs; the others go on forging.
                Awaitility.await().until(() -> slow.verifier.refreshesUnderWay() == 8);
                long before = refused.get();
                long best = Long.MAX_VALUE;
                int accepted = 0;
                long thread = Thread.currentThread().getId();
                ThreadInfo atFirst = memory.getThreadInfo(thread);
                for (int attempt = 0; attempt < 30; attempt++) {
                    long bytes = memory.getCurrentThreadAllocatedBytes();
                    for (int i = 0; i < 1000; i++) {
                        accepted += slow.verifier.check(good) instanceof VerifiedJwt ? 1 : 0;
                    }
                    best = Math.min(best, (memory.getCurrentThreadAllocatedBytes() - bytes) / 1000);
                }
                ThreadInfo atLast = memory.getThreadInfo(thread);
                assertThat(accepted).isEqualTo(30_000);
                assertThat(atLast.getBlockedCount()).as("locks met").isEqualTo(atFirst.getBlockedCount());
                assertThat(atLast.getWaitedCount()).as("waits").isEqualTo(atFirst.getWaitedCount());
                assertThat(best).as("bytes per good token").isLessThanOrEqualTo(150);
                Awaitility.await().until(() -> refused.get() > before);
                assertThat(slow.store.reads.get()).isEqualTo(reads + 1);
            } finally {
                stop.set(true);
                slow.store.permits.release(10);
                pool.shutdown();
                assertThat(pool.awaitTermination(30, TimeUnit.SECONDS)).isTrue();
            }
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
            // The first ones may still meet the end of the read that startup made.
            Awaitility.await().until(() -> {
                verifier.check(forged);
                return store.secondRead.getCount() == 0;
            });
            int first = verifier.refreshesUnderWay();
            for (int i = first + 1; i <= 20; i++) {
                assertThat(verifier.check(forged)).isEqualTo(rejected(RejectionReason.BAD_SIGNATURE));
                assertThat(verifier.refreshesUnderWay()).isEqualTo(Math.min(i, 8));
            }

            int calls = 1000;
            long best = Long.MAX_VALUE;
            for (int attempt = 0; attempt < 30; attempt++) { // the first ones warm up
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
