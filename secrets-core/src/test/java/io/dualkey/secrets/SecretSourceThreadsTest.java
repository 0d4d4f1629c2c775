package io.dualkey.secrets;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** The engine on its real threads. */
class SecretSourceThreadsTest {

    private static final Duration DEADLINE = Duration.ofSeconds(10);

    private final InMemoryStore store = new InMemoryStore();

    /** P8. */
    @Test
    void oneExceptionNamesAllThatIsWrong() {
        store.put("good", "value");
        store.put("blank", " ");
        store.put("number", "canary-12");
        try (SecretSource source = SecretSource.from(store)) {
            source.secret("good");
            source.secret("missing");
            source.secret("blank");
            Rotating<Integer> number = source.secret("number").map(value -> Integer.valueOf(value.revealText()));
            assertThatThrownBy(() -> source.start(DEADLINE))
                    .isInstanceOfSatisfying(
                            SecretStartupException.class,
                            failure -> assertThat(failure.problems())
                                    .extracting(SecretStatus::name)
                                    .containsExactly("missing", "blank", "number"))
                    .hasMessageContainingAll(
                            "3 secrets",
                            "'missing': it does not exist (memory); create it",
                            "'blank': the value is blank",
                            "'number': it failed with java.lang.NumberFormatException")
                    .hasMessageNotContaining("canary");
            assertThatThrownBy(number::current).isInstanceOf(SecretUnavailableException.class);
        }
    }

    /** P8. */
    @Test
    void startReturnsNoSoonerThanASecretKnowsItsFirstCheck() {
        for (int i = 0; i < 500; i++) {
            InMemoryStore store = new InMemoryStore();
            store.put("a", "value");
            try (SecretSource secrets = SecretSource.from(store)) {
                RotatingSecret secret = secrets.secret("a");
                Rotating<String> text = secret.map(SecretValue::revealText); // what hangs on it takes a moment between
                var unused = text.gatedBy(version -> {}).onRotation(version -> {}); // its view and the end of its check
                var unused2 = text.onRotation(version -> {});
                secrets.start(Duration.ofSeconds(10));
                assertThat(secret.status().state()).isEqualTo(SecretState.HEALTHY);
            }
        }
    }

    /** P5: one of them is given the read, and the others join it, however close behind they are. */
    @Test
    void nobodyIsTurnedDownWhoAsksTogetherWithTheFirst() throws Exception {
        int callers = 4;
        ExecutorService pool = Executors.newFixedThreadPool(callers);
        try {
            for (int i = 0; i < 500; i++) {
                InMemoryStore store = new InMemoryStore();
                store.put("key", "one");
                try (SecretSource source = SecretSource.from(store)) {
                    RotatingSecret secret = source.secret("key");
                    source.start(DEADLINE);
                    store.hang();
                    CyclicBarrier together = new CyclicBarrier(callers);
                    List<Future<Boolean>> turnedDown = new ArrayList<>();
                    for (int caller = 0; caller < callers; caller++) {
                        turnedDown.add(pool.submit(() -> {
                            together.await();
                            return secret.refresh(RefreshCause.UNTRUSTED).isDone(); // for the store hangs
                        }));
                    }
                    for (Future<Boolean> one : turnedDown) {
                        assertThat(one.get()).as("round %s", i).isFalse();
                    }
                }
            }
        } finally {
            pool.shutdownNow();
        }
    }

    @Test
    void storeThatHangsEndsTheStartAtTheDeadline() {
        SecretStore hanging = hanging(new CountDownLatch(1));
        try (SecretSource source = SecretSource.from(hanging)) {
            source.secret("key");
            assertThatThrownBy(() -> source.start(Duration.ofMillis(50)))
                    .isInstanceOf(SecretStartupException.class)
                    .hasMessageContainingAll("'key'", "no answer within PT0.05S", "a store that hangs");
        }
    }

    /** P4: a thread that cannot be made, at the limit of a container, is made later. */
    @Test
    void threadThatCannotBeMadeDelaysAndEndsNothing() {
        AtomicBoolean full = new AtomicBoolean();
        ThreadFactory scarce = task -> {
            if (full.getAndSet(false)) {
                throw new OutOfMemoryError("unable to create native thread");
            }
            Thread thread = new Thread(task);
            thread.setDaemon(true);
            return thread;
        };
        store.put("key", "one");
        full.set(true); // for the first read
        try (SecretSource source = SecretSource.builder(store)
                .threads(new EngineThreads.Real(Clock.systemUTC(), scarce))
                .build()) {
            RotatingSecret secret = source.secret("key");
            source.start(Duration.ofSeconds(30));
            assertThat(secret.current().revealText()).isEqualTo("one");
            assertThat(full).isFalse();
        }
    }

    @Test
    void interruptedStartSaysSo() {
        store.hang();
        try (SecretSource source = SecretSource.from(store)) {
            source.secret("key");
            Thread.currentThread().interrupt();
            assertThatThrownBy(() -> source.start(Duration.ofSeconds(30)))
                    .isInstanceOf(SecretStartupException.class)
                    .hasMessageContainingAll("'key'", "interrupted before an answer came from memory");
            assertThat(Thread.interrupted()).isTrue();
        }
    }

    @Test
    void optionsThatNobodyUsesAreWarnedAbout() {
        store.put("key", "one");
        Logger logger = (Logger) LoggerFactory.getLogger(SecretSource.class);
        ListAppender<ILoggingEvent> seen = new ListAppender<>();
        seen.start();
        logger.addAppender(seen);
        try (SecretSource source = SecretSource.builder(store)
                .secret("key", key -> key.grace(Duration.ofHours(1)))
                .secret("kye", key -> key.grace(Duration.ofHours(1)))
                .build()) {
            source.secret("key");
            source.start(Duration.ofSeconds(30));
        } finally {
            logger.detachAppender(seen);
        }
        assertThat(seen.list)
                .extracting(ILoggingEvent::getFormattedMessage)
                .anySatisfy(message -> assertThat(message).contains("nobody has asked for so far: [kye]"));
    }

    /** P5: however many callers meet, one read is under way, and all of them get its answer. */
    @Test
    void concurrentCallersShareOneRead() throws Exception {
        store.put("key", "one");
        try (SecretSource source =
                SecretSource.builder(store).refreshInterval(Duration.ofHours(1)).build()) {
            RotatingSecret secret = source.secret("key");
            source.start(Duration.ofSeconds(30));
            assertThat(secret.refresh(RefreshCause.OPERATOR)).succeedsWithin(DEADLINE); // the first read has ended
            long before = store.reads();
            store.put("key", "two");
            store.hang();
            CompletableFuture<RefreshResult> first = secret.refresh(RefreshCause.LOGIN_FAILED);
            List<CompletableFuture<RefreshResult>> answers = new CopyOnWriteArrayList<>();
            List<Thread> callers = new ArrayList<>();
            for (int i = 0; i < 200; i++) {
                Thread caller = new Thread(() -> answers.add(secret.refresh(RefreshCause.LOGIN_FAILED)));
                caller.start();
                callers.add(caller);
            }
            for (Thread caller : callers) {
                caller.join();
            }
            assertThat(answers)
                    .hasSize(200)
                    .allSatisfy(answer -> assertThat(answer).isNotDone());
            store.recover();
            assertThat(first).succeedsWithin(Duration.ofSeconds(30)).isEqualTo(RefreshResult.CHANGED);
            assertThat(answers)
                    .allSatisfy(answer -> assertThat(answer)
                            .succeedsWithin(Duration.ofSeconds(30))
                            .isEqualTo(RefreshResult.CHANGED));
            assertThat(store.reads() - before).isEqualTo(1);
        }
    }

    /** P1, P4: a hanging store delays neither readers nor the other secrets. */
    @Test
    void storeThatHangsIsNotNoticedByReaders() {
        CountDownLatch release = new CountDownLatch(1);
        AtomicBoolean hang = new AtomicBoolean();
        SecretStore slow = new SecretStore() {
            @Override
            public String description() {
                return "slow";
            }

            @Override
            public List<StoreResult> read(List<StoreQuery> queries) throws InterruptedException {
                if (hang.get() && queries.get(0).name().equals("stuck")) {
                    release.await();
                }
                return store.read(queries);
            }
        };
        store.put("stuck", "one");
        store.put("free", "one");
        try (SecretSource source = SecretSource.from(slow)) {
            RotatingSecret stuck = source.secret("stuck");
            RotatingSecret free = source.secret("free");
            source.start(DEADLINE);
            hang.set(true);
            store.put("stuck", "two");
            store.put("free", "two");
            var hanging = stuck.refresh(RefreshCause.OPERATOR);
            assertThat(free.refresh(RefreshCause.OPERATOR).join()).isEqualTo(RefreshResult.CHANGED);
            assertThat(free.current().revealText()).isEqualTo("two");
            assertThat(stuck.current().revealText()).isEqualTo("one");
            assertThat(hanging).isNotDone();
            release.countDown();
            assertThat(hanging.join()).isEqualTo(RefreshResult.CHANGED);
            assertThat(stuck.current().revealText()).isEqualTo("two");
        }
    }

    @Test
    void closingEndsARefreshThatIsUnderWay() {
        CountDownLatch inStore = new CountDownLatch(1);
        SecretStore hanging = new SecretStore() {
            @Override
            public String description() {
                return "a store that hangs";
            }

            @Override
            public List<StoreResult> read(List<StoreQuery> queries) throws InterruptedException {
                inStore.countDown();
                new CountDownLatch(1).await();
                return List.of();
            }
        };
        SecretSource source = SecretSource.from(hanging);
        RotatingSecret secret = source.secret("key");
        var unused = source.begin();
        await().atMost(DEADLINE).until(() -> inStore.getCount() == 0);
        var refresh = secret.refresh(RefreshCause.LOGIN_FAILED);
        source.close();
        assertThat(refresh).succeedsWithin(DEADLINE).isEqualTo(RefreshResult.FAILED);
    }

    /** Handles may be derived by any thread while the secret rotates: each version is parsed once, and none is missed. */
    @Test
    void handlesCanBeDerivedWhileTheSecretRotates() {
        store.put("number", "0");
        try (SecretSource source = SecretSource.builder(store)
                .refreshInterval(Duration.ofMillis(10))
                .build()) {
            RotatingSecret secret = source.secret("number");
            Rotating<String> text = secret.map(SecretValue::revealText);
            source.start(DEADLINE);
            List<Rotating<Integer>> derived = new ArrayList<>();
            for (int i = 1; i <= 50; i++) {
                store.put("number", Integer.toString(i));
                Rotating<Integer> handle = text.map(Integer::valueOf);
                assertThat(handle.current()).isBetween(0, i);
                derived.add(handle);
            }
            assertThat(secret.refresh(RefreshCause.OPERATOR)).succeedsWithin(DEADLINE);
            await().atMost(DEADLINE)
                    .untilAsserted(() -> assertThat(derived)
                            .allSatisfy(handle -> assertThat(handle.current()).isEqualTo(50)));
        }
    }

    @Test
    void storeForTestsHangsUntilItRecovers() {
        store.put("key", "one");
        try (SecretSource source = SecretSource.from(store)) {
            RotatingSecret secret = source.secret("key");
            source.start(DEADLINE);
            store.hang();
            store.put("key", "two");
            var refresh = secret.refresh(RefreshCause.OPERATOR);
            assertThat(secret.current().revealText()).isEqualTo("one");
            assertThat(refresh).isNotDone();
            store.recover();
            assertThat(refresh).succeedsWithin(DEADLINE).isEqualTo(RefreshResult.CHANGED);
            assertThat(secret.current().revealText()).isEqualTo("two");
        }
    }

    /** P1: however many threads read while the store hangs, none enters it and none waits. */
    @Test
    void tenThousandReadersDoNotWaitForAStoreThatHangs() throws Exception {
        Set<Thread> inStore = ConcurrentHashMap.newKeySet();
        AtomicBoolean hang = new AtomicBoolean();
        CountDownLatch release = new CountDownLatch(1);
        SecretStore slow = new SecretStore() {
            @Override
            public String description() {
                return "slow";
            }

            @Override
            public List<StoreResult> read(List<StoreQuery> queries) throws InterruptedException {
                inStore.add(Thread.currentThread());
                if (hang.get()) {
                    release.await();
                }
                return store.read(queries);
            }
        };
        store.put("key", "one");
        try (SecretSource source = SecretSource.from(slow)) {
            RotatingSecret secret = source.secret("key");
            source.start(DEADLINE);
            hang.set(true);
            var hanging = secret.refresh(RefreshCause.OPERATOR);
            int readers = 10_000;
            CountDownLatch read = new CountDownLatch(readers);
            ThreadFactory threads = virtualThreadsOr(task -> new Thread(null, task, "reader", 64 * 1024));
            for (int i = 0; i < readers; i++) {
                threads.newThread(() -> {
                            if (secret.current().length() == 3) {
                                read.countDown();
                            }
                        })
                        .start();
            }
            assertThat(read.await(30, TimeUnit.SECONDS)).isTrue();
            assertThat(hanging).isNotDone();
            assertThat(inStore)
                    .allSatisfy(thread -> assertThat(thread.getName()).startsWith("dualkey-worker"));
            release.countDown();
        }
    }

    /** Virtual threads where the JDK has them (21 and later). */
    private static ThreadFactory virtualThreadsOr(ThreadFactory platform) throws ReflectiveOperationException {
        try {
            Object builder = Thread.class.getMethod("ofVirtual").invoke(null);
            Class<?> type = Class.forName("java.lang.Thread$Builder");
            return (ThreadFactory) type.getMethod("factory").invoke(builder);
        } catch (NoSuchMethodException older) {
            return platform;
        }
    }

    /** P1: nothing is allocated by a warm read, nor by recording a use. */
    @Test
    void warmReadsAllocateNothing() {
        store.put("key", "one");
        try (SecretSource source = SecretSource.from(store)) {
            Rotating<String> key = source.secret("key").map(SecretValue::revealText);
            source.start(DEADLINE);
            readOften(key); // lets the JIT and the striped counters settle
            var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
            long self = Thread.currentThread().getId();
            long best = Long.MAX_VALUE;
            for (int attempt = 0; attempt < 5; attempt++) {
                long before = threads.getThreadAllocatedBytes(self);
                readOften(key);
                best = Math.min(best, threads.getThreadAllocatedBytes(self) - before);
            }
            assertThat(best).isZero();
        }
    }

    private static void readOften(Rotating<String> key) {
        for (int i = 0; i < 20_000; i++) {
            Versions<String> versions = key.versions();
            if (key.current().isEmpty()
                    || !versions.accepted().get(0).isAcceptedAt(i)
                    || versions.accepted().size() != 1) {
                throw new AssertionError();
            }
            key.recordUse(versions.accepted().get(0), 1000);
        }
    }

    /** P2, P9: readers never see a mixed view, and listeners see each version once and in order, under concurrent refreshes. */
    @Test
    void readersAndListenersSeeWholeVersionsInOrder() {
        store.put("pair", "0:0");
        try (SecretSource source = SecretSource.builder(store)
                .refreshInterval(Duration.ofMillis(10))
                .build()) {
            record Pair(String left, String right) {}
            Rotating<Pair> pair = source.secret("pair").map(value -> {
                String[] parts = value.revealText().split(":", 2);
                return new Pair(parts[0], parts[1]);
            });
            source.start(DEADLINE);
            List<Integer> seen = new CopyOnWriteArrayList<>();
            pair.onRotation(version -> seen.add(Integer.valueOf(version.value().left())));
            AtomicBoolean done = new AtomicBoolean();
            AtomicLong torn = new AtomicLong();
            AtomicLong backwards = new AtomicLong();
            Thread reader = new Thread(() -> {
                int last = 0;
                while (!done.get()) {
                    Pair now = pair.current();
                    if (!now.left().equals(now.right())) {
                        torn.incrementAndGet();
                    }
                    int number = Integer.parseInt(now.left());
                    if (number < last) {
                        backwards.incrementAndGet();
                    }
                    last = number;
                }
            });
            reader.start();
            for (int i = 1; i <= 100; i++) {
                store.put("pair", i + ":" + i);
                int expected = i;
                await().atMost(DEADLINE)
                        .pollInterval(Duration.ofMillis(1))
                        .until(() -> pair.current().left().equals(Integer.toString(expected)));
            }
            done.set(true);
            await().atMost(DEADLINE).until(() -> !reader.isAlive());
            assertThat(torn).hasValue(0);
            assertThat(backwards).hasValue(0);
            await().atMost(DEADLINE).until(() -> seen.size() == 101);
            assertThat(seen).isSorted().doesNotHaveDuplicates();
        }
    }

    /** P9: a listener that blocks delays nobody else. */
    @Test
    void blockedListenerDelaysNobody() throws Exception {
        store.put("key", "one");
        try (SecretSource source = SecretSource.from(store)) {
            RotatingSecret secret = source.secret("key");
            source.start(DEADLINE);
            CountDownLatch never = new CountDownLatch(1);
            secret.onRotation(version -> {
                try {
                    never.await();
                } catch (InterruptedException closed) {
                    Thread.currentThread().interrupt();
                }
            });
            CountDownLatch two = new CountDownLatch(2);
            secret.onRotation(version -> two.countDown());
            store.put("key", "two");
            assertThat(secret.refresh(RefreshCause.OPERATOR).join()).isEqualTo(RefreshResult.CHANGED);
            assertThat(two.await(10, TimeUnit.SECONDS)).isTrue();
        }
    }

    private static SecretStore hanging(CountDownLatch release) {
        return new SecretStore() {
            @Override
            public String description() {
                return "a store that hangs";
            }

            @Override
            public List<StoreResult> read(List<StoreQuery> queries) throws InterruptedException {
                release.await();
                return List.of();
            }
        };
    }
}
