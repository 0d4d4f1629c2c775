package io.dualkey.secrets;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.dualkey.secrets.StoreResult.Failed;
import io.dualkey.secrets.StoreResult.Found;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPairGenerator;
import java.security.PublicKey;
import java.time.Duration;
import java.time.Instant;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

class DirectoryStoreTest {

    private static final Duration ROUND = Duration.ofSeconds(67);
    /** Hints come from real threads, which virtual time does not know. */
    private static final DirectoryWatch.Opener UNWATCHED = () -> {
        throw new IOException("not in virtual time");
    };

    @TempDir
    private Path directory;

    private final VirtualTime time = new VirtualTime();
    private final List<SecretSource> sources = new ArrayList<>();
    private SecretStore store;

    @BeforeEach
    void open() {
        store = DirectoryStore.at(directory, MountPoints.OF_THIS_PROCESS, UNWATCHED, DirectoryWatch.RECHECK);
    }

    @AfterEach
    void close() {
        sources.forEach(SecretSource::close);
    }

    @Test
    void fileIsASecretWithoutItsFinalLineBreak() throws Exception {
        write("password", "s3cret\n");
        assertThat(value("password")).isEqualTo("s3cret");
        write("password", "s3cret\r\n");
        assertThat(value("password")).isEqualTo("s3cret");
        write("password", "two\n\n");
        assertThat(value("password")).isEqualTo("two\n");
    }

    @Test
    void binaryFileIsTakenAsItIs() throws Exception {
        byte[] key = {0, 1, 2, '\n'};
        Files.write(directory.resolve("key"), key);
        assertThat(found("key").versions().get(0).value().orElseThrow().revealBytes())
                .isEqualTo(key);
    }

    @Test
    void sameContentIsUnchanged() throws Exception {
        write("password", "one");
        StoredSecret first = found("password");
        assertThat(read("password", first)).isSameAs(StoreResult.unchanged());
        write("password", "two");
        assertThat(read("password", first)).isInstanceOf(Found.class);
    }

    @Test
    void missingFileIsNotFoundAndNamed() throws Exception {
        assertThat(failure("nowhere").outcome()).isEqualTo(Outcome.NOT_FOUND);
        assertThat(failure("nowhere").detail()).contains("nowhere");
    }

    @Test
    void nameThatLeavesTheDirectoryIsRefused() throws Exception {
        for (String name : List.of("../outside", "/etc/hostname", "a/b", "..", "..data")) {
            assertThat(failure(name).outcome()).as(name).isEqualTo(Outcome.ACCESS_DENIED);
        }
        assertThat(failure("nul\0").outcome()).isEqualTo(Outcome.NOT_FOUND);
    }

    @Test
    void directoryInPlaceOfAFileIsReported() throws Exception {
        Files.createDirectory(directory.resolve("folder"));
        assertThat(failure("folder").outcome()).isEqualTo(Outcome.MALFORMED);
        assertThat(failure("folder").detail()).contains("directory");
    }

    @Test
    void largeFileIsRefused() throws Exception {
        Files.write(directory.resolve("large"), new byte[(1 << 20) + 1]);
        assertThat(failure("large").outcome()).isEqualTo(Outcome.MALFORMED);
    }

    @Test
    void versionIdsTellNothingOfTheValue() throws Exception {
        write("password", "one");
        String first = found("password").versions().get(0).id();
        assertThat(found("password").versions().get(0).id()).isNotEqualTo(first);
    }

    /**
     * A writer that publishes and deletes generations as fast as it can, 10,000 times: every read finds a set, and none is
     * torn. A source that runs beside it sees no failed check either.
     */
    @Test
    void tenThousandSwapsUnderLoadTearNoSetAndSurfaceNoError() throws Exception {
        int swaps = 10_000;
        KubernetesMount mount = new KubernetesMount(directory);
        mount.publish("g0", Map.of("user", "0", "password", "0"));
        CompletableFuture<Void> writer = new CompletableFuture<>();
        try (SecretSource source = SecretSource.builder(DirectoryStore.at(directory))
                .refreshInterval(Duration.ofMillis(10))
                .build()) {
            RotatingSecret user = source.secret("user");
            source.secret("password");
            source.start(Duration.ofSeconds(10));
            writer.completeAsync(
                    () -> {
                        for (int i = 1; i <= swaps; i++) {
                            mount.publish("g" + i, Map.of("user", "" + i, "password", "" + i));
                            mount.remove("g" + (i - 1));
                        }
                        return null;
                    },
                    task -> new Thread(task, "writer").start());
            Set<String> seen = new HashSet<>();
            while (!writer.isDone()) {
                List<StoreResult> all =
                        store.read(List.of(query("user", null), query("user-previous", null), query("password", null)));
                assertThat(all.get(0)).isInstanceOf(Found.class);
                assertThat(all.get(1))
                        .isInstanceOfSatisfying(
                                Failed.class, none -> assertThat(none.outcome()).isEqualTo(Outcome.NOT_FOUND));
                assertThat(all.get(2)).isInstanceOf(Found.class);
                String one = text(((Found) all.get(0)).secret());
                assertThat(text(((Found) all.get(2)).secret())).isEqualTo(one);
                seen.add(one);
            }
            writer.join();
            assertThat(seen).hasSizeGreaterThan(100);
            await().atMost(Duration.ofSeconds(10))
                    .until(() -> user.current().revealText().equals("" + swaps));
            for (SecretStatus status : source.statuses()) {
                status.checks().forEach((outcome, count) -> {
                    if (outcome == Outcome.OK) {
                        assertThat(count).isGreaterThan(10);
                    } else {
                        assertThat(count).as(outcome.name()).isZero();
                    }
                });
            }
        }
    }

    @Test
    void readIsTriedAgainUntilTheGenerationStays() throws Exception {
        publish("g1", Map.of("user", "1", "password", "1"));
        AtomicInteger swaps = new AtomicInteger(1);
        List<StoreQuery> queries = new AbstractList<>() {
            @Override
            public StoreQuery get(int index) {
                if (index == 1 && swaps.get() < 500) { // in the midst of a read
                    int next = swaps.incrementAndGet();
                    publish("g" + next, Map.of("user", "" + next, "password", "" + next));
                    new KubernetesMount(directory).remove("g" + (next - 1));
                }
                return query(index == 0 ? "user" : "password", null);
            }

            @Override
            public int size() {
                return 2;
            }
        };
        List<StoreResult> results = store.read(queries);
        assertThat(results).map(result -> text(((Found) result).secret())).containsExactly("500", "500");
    }

    @Test
    void whatIsNotARegularFileIsRefusedWithoutWaiting() throws Exception {
        assertThat(new ProcessBuilder("mkfifo", directory.resolve("pipe").toString())
                        .start()
                        .waitFor())
                .isZero();
        Path device = Files.createSymbolicLink(directory.resolve("device"), Path.of("/dev/zero"));
        try (ServerSocketChannel socket = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            socket.bind(UnixDomainSocketAddress.of(directory.resolve("socket")));
            assertTimeoutPreemptively(Duration.ofSeconds(10), () -> {
                for (String name : List.of("pipe", "device", "socket")) {
                    assertThat(failure(name).outcome()).as(name).isEqualTo(Outcome.MALFORMED);
                    assertThat(failure(name).detail()).contains(name + " is not a regular file");
                }
            });
        } finally {
            Files.delete(device);
        }
    }

    @Test
    void fileMountedBySubPathIsReportedOnce() throws Exception {
        write("by-sub-path", "one");
        write("plain", "one");
        String mount = directory.toRealPath().resolve("by-sub-path").toString();
        Path mountInfo =
                Files.writeString(directory.resolve("mountinfo"), "9 1 0:52 /..1/x " + mount + " ro - tmpfs t rw\n");
        store = DirectoryStore.at(directory, mountInfo, UNWATCHED, DirectoryWatch.RECHECK);
        ListAppender<ILoggingEvent> logged = new ListAppender<>();
        Logger logger = (Logger) LoggerFactory.getLogger(DirectoryStore.class);
        logged.start();
        logger.addAppender(logged);
        try {
            assertThat(failure("missing").outcome()).isEqualTo(Outcome.NOT_FOUND);
            for (int i = 0; i < 3; i++) {
                assertThat(value("by-sub-path")).isEqualTo("one");
                assertThat(value("plain")).isEqualTo("one");
            }
        } finally {
            logger.detachAppender(logged);
        }
        assertThat(logged.list)
                .filteredOn(event -> event.getLevel() == Level.WARN)
                .singleElement()
                .satisfies(event ->
                        assertThat(event.getFormattedMessage()).contains("by-sub-path", "subPath", "Mount the whole"));
    }

    /** Azure CSI: objectType key. */
    @Test
    void pemFileIsReadByteForByteButForItsFinalLineBreak() throws Exception {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(256);
        PublicKey key = generator.generateKeyPair().getPublic();
        String body = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(key.getEncoded());
        String pem = "-----BEGIN PUBLIC KEY-----\n" + body + "\n-----END PUBLIC KEY-----";
        publish("g1", Map.of("jwt-public-key", pem + "\n"));
        assertThat(value("jwt-public-key")).isEqualTo(pem);
    }

    /** Azure CSI: objectVersionHistory. */
    @Test
    void mountedHistoryGivesTheNewestVersionAndTheOneBefore() throws Exception {
        publish("g1", Map.of("jwt-key/0", "three\n", "jwt-key/1", "two\n", "jwt-key/2", "one\n"));
        RotatingSecret secret = started("jwt-key");
        assertThat(accepted(secret)).containsExactly("three", "two");
        time.advance(Duration.ofDays(3));
        assertThat(accepted(secret)).containsExactly("three", "two");
        publish("g2", Map.of("jwt-key/0", "four", "jwt-key/1", "three", "jwt-key/2", "two"));
        time.advance(ROUND);
        assertThat(accepted(secret)).containsExactly("four", "three");
        publish("g3", Map.of("jwt-key/0", "four"));
        time.advance(ROUND);
        assertThat(accepted(secret)).containsExactly("four");
    }

    /** P2: a process that was there all along accepts what one accepts that has just started. */
    @Test
    void mountedHistoryIsNeverCompletedFromMemory() throws Exception {
        publish("g1", Map.of("jwt-key/0", "one"));
        RotatingSecret old = started("jwt-key");
        assertThat(accepted(old)).containsExactly("one");
        publish("g2", Map.of("jwt-key/0", "two")); // the first version was disabled in the same moment
        time.advance(ROUND);
        assertThat(accepted(old)).containsExactly("two");
        publish("g3", Map.of("jwt-key/0", "three", "jwt-key/1", "two"));
        time.advance(ROUND);
        assertThat(accepted(old)).isEqualTo(accepted(started("jwt-key"))).containsExactly("three", "two");
    }

    @Test
    void blankNewestVersionOfAMountedHistoryIsNotTaken() throws Exception {
        publish("g1", Map.of("jwt-key/0", " ", "jwt-key/1", "one"));
        RotatingSecret secret = started("jwt-key");
        assertThat(accepted(secret)).containsExactly("one");
        assertThat(secret.status().state()).isEqualTo(SecretState.DEGRADED);
    }

    @Test
    void fileInPlaceOfTheDirectoryAndANameThatIsTooLongAreTold(@TempDir Path directory) throws Exception {
        Path file = Files.writeString(directory.resolve("file"), "x");
        assertThat(outcomeOf(file, "key")).isEqualTo(Outcome.NOT_FOUND);
        assertThat(outcomeOf(directory, "x".repeat(300))).isEqualTo(Outcome.NOT_FOUND);
    }

    private static Outcome outcomeOf(Path directory, String name) throws Exception {
        StoreQuery query = StoreQuery.of(name, Duration.ofHours(1), Instant.EPOCH);
        return ((StoreResult.Failed)
                        DirectoryStore.at(directory).read(List.of(query)).get(0))
                .outcome();
    }

    @Test
    void companionFileGoesBeforeAMountedHistory() throws Exception {
        publish("g1", Map.of("jwt-key/0", "two", "jwt-key/1", "one", "jwt-key-previous", "told"));
        assertThat(accepted(started("jwt-key"))).containsExactly("two", "told");
    }

    @Test
    void companionIsAcceptedForExactlyAsLongAsItIsThere() throws Exception {
        publish("g1", Map.of("jwt-key", "new", "jwt-key-previous", "old"));
        RotatingSecret secret = started("jwt-key");
        assertThat(accepted(secret)).containsExactly("new", "old");
        time.advance(Duration.ofDays(30));
        assertThat(accepted(secret)).containsExactly("new", "old");
        publish("g2", Map.of("jwt-key", "new", "jwt-key-previous", " \n"));
        time.advance(ROUND);
        assertThat(accepted(secret)).containsExactly("new");
        publish("g3", Map.of("jwt-key", "new", "jwt-key-previous", "old"));
        time.advance(ROUND);
        assertThat(accepted(secret)).containsExactly("new", "old");
        publish("g4", Map.of("jwt-key", "new"));
        time.advance(ROUND);
        assertThat(accepted(secret)).containsExactly("new");
    }

    @Test
    void onceACompanionWasSeenNothingIsRememberedBesideIt() throws Exception {
        publish("g1", Map.of("jwt-key", "one", "jwt-key-previous", "zero"));
        RotatingSecret secret = started("jwt-key");
        publish("g2", Map.of("jwt-key", "two"));
        time.advance(ROUND);
        assertThat(accepted(secret)).containsExactly("two");
    }

    @Test
    void withoutACompanionThePreviousValueIsRememberedForTheGrace() throws Exception {
        write("jwt-key", "one");
        RotatingSecret secret = started("jwt-key");
        time.advance(Duration.ofHours(1));
        write("jwt-key", "two");
        time.advance(ROUND);
        assertThat(accepted(secret)).containsExactly("two", "one");
        time.advance(Duration.ofHours(23));
        assertThat(accepted(secret)).containsExactly("two", "one");
        time.advance(Duration.ofHours(1));
        assertThat(accepted(secret)).containsExactly("two");
    }

    @Test
    void operatorCanForgetARememberedValue() throws Exception {
        write("jwt-key", "one");
        RotatingSecret secret = started("jwt-key");
        write("jwt-key", "two");
        time.advance(ROUND);
        secret.forgetRemembered();
        time.run();
        assertThat(accepted(secret)).containsExactly("two");
    }

    @Test
    void forgettingDoesNotTakeTheGraceOfTheCurrentValue() throws Exception {
        write("jwt-key", "one");
        RotatingSecret secret = started("jwt-key");
        secret.forgetRemembered();
        write("jwt-key", "two");
        time.advance(ROUND);
        assertThat(accepted(secret)).containsExactly("two", "one");
    }

    @Test
    void goodValueIsServedHoweverManyBadOnesCome() throws Exception {
        write("number", "1");
        SecretSource source = SecretSource.builder(store).threads(time).build();
        Rotating<Integer> number = source.secret("number").map(value -> Integer.valueOf(value.revealText()));
        var unused = source.begin();
        time.run();
        for (int i = 0; i < 20; i++) {
            write("number", "bad " + i);
            time.advance(ROUND);
            assertThat(number.current()).isEqualTo(1);
        }
    }

    @Test
    void companionThatCannotBeReadAnyMoreIsRefusedAndReported() throws Exception {
        write("jwt-key", "one");
        write("jwt-key-previous", "zero");
        RotatingSecret secret = started("jwt-key");
        assertThat(accepted(secret)).containsExactly("one", "zero");
        Files.delete(directory.resolve("jwt-key-previous"));
        Files.createDirectory(directory.resolve("jwt-key-previous"));
        time.advance(ROUND);
        assertThat(accepted(secret)).containsExactly("one");
        assertThat(secret.status().state()).isEqualTo(SecretState.DEGRADED);
        assertThat(secret.status().detail()).contains("jwt-key-previous");
    }

    @Test
    void blankMainFileServesTheLastGoodValueEvenInCompanionMode() throws Exception {
        publish("g1", Map.of("jwt-key", "one", "jwt-key-previous", "zero"));
        RotatingSecret secret = started("jwt-key");
        publish("g2", Map.of("jwt-key", ""));
        time.advance(ROUND);
        assertThat(accepted(secret)).containsExactly("one");
        assertThat(secret.status().state()).isEqualTo(SecretState.DEGRADED);
    }

    @Test
    void vanishedFileServesOnDegraded() throws Exception {
        write("password", "one");
        RotatingSecret secret = started("password");
        Files.delete(directory.resolve("password"));
        time.advance(ROUND);
        assertThat(accepted(secret)).containsExactly("one");
        assertThat(secret.status().state()).isEqualTo(SecretState.DEGRADED);
    }

    private RotatingSecret started(String name) {
        SecretSource source = SecretSource.builder(store).threads(time).build();
        sources.add(source);
        RotatingSecret secret = source.secret(name);
        var unused = source.begin();
        time.run();
        return secret;
    }

    private static List<String> accepted(RotatingSecret secret) {
        return secret.versions().accepted().stream()
                .map(version -> version.value().revealText())
                .toList();
    }

    private void write(String name, String content) throws IOException {
        Files.writeString(directory.resolve(name), content);
    }

    private void publish(String generation, Map<String, String> files) {
        new KubernetesMount(directory).publish(generation, files);
    }

    private static StoreQuery query(String name, @Nullable StoredSecret known) {
        return new StoreQuery(name, known, Duration.ofHours(24), Instant.EPOCH);
    }

    private StoreResult read(String name, @Nullable StoredSecret known) throws Exception {
        return store.read(List.of(query(name, known))).get(0);
    }

    private StoredSecret found(String name) throws Exception {
        return ((Found) read(name, null)).secret();
    }

    private String value(String name) throws Exception {
        return text(found(name));
    }

    private static String text(StoredSecret secret) {
        byte[] bytes = secret.versions().get(0).value().orElseThrow().revealBytes();
        return new String(bytes, StandardCharsets.UTF_8);
    }

    private Failed failure(String name) throws Exception {
        return (Failed) read(name, null);
    }
}
