package io.dualkey.secrets;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.WatchService;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/** Directories watched by the operating system, on real threads. Where the interval is an hour, only a hint can be what was seen. */
class DirectoryWatchTest {

    private static final Duration DEADLINE = Duration.ofSeconds(10);
    private static final Duration NEVER = Duration.ofHours(1);
    private static final Duration RECHECK = Duration.ofMillis(20);
    private static final DirectoryWatch.Opener SYSTEM = FileSystems.getDefault()::newWatchService;

    @TempDir
    private Path parent;

    private Path directory;

    @BeforeEach
    void create() throws IOException {
        directory = Files.createDirectory(parent.resolve("secrets"));
    }

    @Test
    void writtenFileIsSeenAtOnce() throws IOException {
        write("one");
        try (SecretSource source = source(NEVER, SYSTEM)) {
            RotatingSecret secret = started(source);
            for (String value : List.of("two", "three", "four")) {
                write(value);
                awaitCurrent(secret, value);
            }
            Path other = Files.writeString(directory.resolve("..other"), "replaced");
            Files.move(other, directory.resolve("key"), StandardCopyOption.ATOMIC_MOVE);
            awaitCurrent(secret, "replaced");
        }
    }

    @Test
    void swappedGenerationIsSeenAtOnce() {
        KubernetesMount mount = new KubernetesMount(directory);
        mount.publish("g0", Map.of("key", "0"));
        try (SecretSource source = source(NEVER, SYSTEM)) {
            RotatingSecret secret = started(source);
            for (int i = 1; i <= 20; i++) {
                mount.publish("g" + i, Map.of("key", "" + i));
                mount.remove("g" + (i - 1));
                awaitCurrent(secret, "" + i);
            }
        }
    }

    @Test
    void thousandRotationsAreAllSeen() {
        KubernetesMount mount = new KubernetesMount(directory);
        mount.publish("g0", Map.of("key", "0"));
        try (SecretSource source = source(Duration.ofMillis(10), SYSTEM)) {
            RotatingSecret secret = started(source);
            List<Integer> seen = new CopyOnWriteArrayList<>();
            secret.onRotation(
                    version -> seen.add(Integer.valueOf(version.value().revealText())));
            for (int i = 1; i <= 1000; i++) {
                mount.publish("g" + i, Map.of("key", "" + i));
                mount.remove("g" + (i - 1));
                awaitCurrent(secret, "" + i);
            }
            await().atMost(DEADLINE).until(() -> seen.size() >= 1000);
            assertThat(seen.subList(seen.size() - 1000, seen.size()))
                    .isEqualTo(IntStream.rangeClosed(1, 1000).boxed().toList());
        }
    }

    @Test
    void directoryThatComesLaterIsWatched() throws IOException {
        Files.delete(directory);
        BlockingQueue<Boolean> hints = new LinkedBlockingQueue<>();
        Registration watch = watch(SYSTEM).add(() -> hints.add(true));
        try (watch) {
            awaitHint(hints); // that it is missing
            Files.createDirectory(directory);
            awaitHint(hints);
            write("one");
            awaitHint(hints);
        }
    }

    @Test
    void directoryThatIsDeletedAndCreatedAgainIsWatchedAgain() throws IOException {
        write("one");
        try (SecretSource source = source(NEVER, SYSTEM)) {
            RotatingSecret secret = started(source);
            KubernetesMount.delete(directory);
            await().atMost(DEADLINE).until(() -> secret.status().state() == SecretState.DEGRADED);
            assertThat(secret.current().revealText()).isEqualTo("one");
            Files.createDirectory(directory);
            write("two");
            awaitCurrent(secret, "two");
        }
    }

    @Test
    void linkToADirectoryIsFollowedWhenItMoves() throws IOException {
        Path link = parent.resolve("link");
        Path second = Files.createDirectory(parent.resolve("second"));
        write("one");
        Files.writeString(second.resolve("key"), "two");
        Files.createSymbolicLink(link, directory);
        try (SecretSource source = SecretSource.builder(
                        DirectoryStore.at(link, MountPoints.OF_THIS_PROCESS, SYSTEM, RECHECK))
                .refreshInterval(NEVER)
                .build()) {
            RotatingSecret secret = started(source);
            write("one, changed");
            awaitCurrent(secret, "one, changed");
            Path next = Files.createSymbolicLink(parent.resolve("next"), second);
            Files.move(next, link, StandardCopyOption.ATOMIC_MOVE);
            awaitCurrent(secret, "two");
            Files.writeString(second.resolve("key"), "two, changed");
            awaitCurrent(secret, "two, changed");
        }
    }

    @Test
    void whereWatchingIsImpossibleTheIntervalFindsTheChangeAndOneWarningIsLogged() throws IOException {
        write("one");
        AtomicInteger attempts = new AtomicInteger();
        List<String> warnings = new CopyOnWriteArrayList<>();
        AppenderBase<ILoggingEvent> appender = new AppenderBase<>() {
            @Override
            protected void append(ILoggingEvent event) {
                if (event.getLevel() == Level.WARN) {
                    warnings.add(event.getFormattedMessage());
                }
            }
        };
        Logger logger = (Logger) LoggerFactory.getLogger(DirectoryStore.class);
        appender.start();
        logger.addAppender(appender);
        DirectoryWatch.Opener exhausted = () -> {
            attempts.incrementAndGet();
            throw new IOException("User limit of inotify instances reached or too many open files");
        };
        try (SecretSource source = source(Duration.ofMillis(10), exhausted)) {
            RotatingSecret secret = started(source);
            write("two");
            awaitCurrent(secret, "two");
            await().atMost(DEADLINE).until(() -> attempts.get() > 3);
        } finally {
            logger.detachAppender(appender);
        }
        assertThat(warnings)
                .singleElement()
                .satisfies(warning -> assertThat(warning)
                        .contains(directory.toString(), "User limit of inotify", "max_user_instances"));
    }

    @Test
    void watchThatBreaksIsBegunAgain() throws IOException {
        List<WatchService> opened = new CopyOnWriteArrayList<>();
        DirectoryWatch.Opener recording = () -> {
            WatchService service = SYSTEM.open();
            opened.add(service);
            return service;
        };
        BlockingQueue<Boolean> hints = new LinkedBlockingQueue<>();
        Registration watch = watch(recording).add(() -> hints.add(true));
        try (watch) {
            awaitHint(hints);
            opened.get(0).close();
            awaitHint(hints);
            assertThat(opened).hasSize(2);
            write("one");
            awaitHint(hints);
        }
    }

    /** Names that begin with two dots say nothing; only the loss of events among so many of them can be what was told. */
    @Test
    void lostEventsCountAsAChange() throws Exception {
        Semaphore told = new Semaphore(0);
        CountDownLatch goOn = new CountDownLatch(1);
        Registration watch = watch(SYSTEM).add(() -> {
            told.release();
            try {
                goOn.await();
            } catch (InterruptedException closed) {
                Thread.currentThread().interrupt();
            }
        });
        try (watch) {
            assertThat(told.tryAcquire(10, TimeUnit.SECONDS)).isTrue(); // it watches, and is held up
            for (int i = 0; i < 1000; i++) {
                Files.createFile(directory.resolve("..noise" + i));
            }
            goOn.countDown();
            assertThat(told.tryAcquire(10, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    void oneThreadServesAllAndEndsWithTheLastOfThem() throws IOException {
        DirectoryWatch watch = watch(SYSTEM);
        BlockingQueue<Boolean> first = new LinkedBlockingQueue<>();
        BlockingQueue<Boolean> second = new LinkedBlockingQueue<>();
        Registration one = watch.add(() -> first.add(true));
        Registration two = watch.add(() -> second.add(true));
        awaitHint(first);
        awaitHint(second);
        assertThat(watching())
                .singleElement()
                .satisfies(thread -> assertThat(thread.isDaemon()).isTrue());
        one.close();
        one.close();
        second.clear();
        write("one");
        awaitHint(second);
        assertThat(watching()).hasSize(1);
        two.close();
        await().atMost(DEADLINE).until(() -> watching().isEmpty());
        Registration three = watch.add(() -> first.add(true));
        first.clear();
        write("two");
        awaitHint(first);
        three.close();
        await().atMost(DEADLINE).until(() -> watching().isEmpty());
    }

    @Test
    void closingTheSourceEndsTheThread() throws IOException {
        write("one");
        SecretSource source = source(NEVER, SYSTEM);
        started(source);
        await().atMost(DEADLINE).until(() -> watching().size() == 1);
        source.close();
        await().atMost(DEADLINE).until(() -> watching().isEmpty());
    }

    private List<Thread> watching() {
        List<Thread> threads = new ArrayList<>(Thread.getAllStackTraces().keySet());
        threads.removeIf(thread -> !thread.getName().equals("dualkey-watch-" + directory));
        return threads;
    }

    private DirectoryWatch watch(DirectoryWatch.Opener opener) {
        return new DirectoryWatch(directory, opener, RECHECK);
    }

    private SecretSource source(Duration interval, DirectoryWatch.Opener opener) {
        return SecretSource.builder(DirectoryStore.at(directory, MountPoints.OF_THIS_PROCESS, opener, RECHECK))
                .refreshInterval(interval)
                .build();
    }

    private static RotatingSecret started(SecretSource source) {
        RotatingSecret secret = source.secret("key");
        source.start(DEADLINE);
        return secret;
    }

    private static void awaitCurrent(RotatingSecret secret, String value) {
        await().atMost(DEADLINE)
                .pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(1))
                .until(() -> secret.current().revealText().equals(value));
    }

    private static void awaitHint(BlockingQueue<Boolean> hints) {
        await().atMost(DEADLINE).pollInterval(Duration.ofMillis(1)).until(() -> hints.poll() != null);
    }

    private void write(String value) throws IOException {
        Files.writeString(directory.resolve("key"), value);
    }
}
