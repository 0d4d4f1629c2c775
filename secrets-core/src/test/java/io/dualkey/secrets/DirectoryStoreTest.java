package io.dualkey.secrets;

import static org.assertj.core.api.Assertions.assertThat;

import io.dualkey.secrets.StoreResult.Failed;
import io.dualkey.secrets.StoreResult.Found;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DirectoryStoreTest {

    private static final Duration ROUND = Duration.ofSeconds(67);

    @TempDir
    private Path directory;

    private final VirtualTime time = new VirtualTime();
    private SecretStore store;

    @BeforeEach
    void open() {
        store = DirectoryStore.at(directory);
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

    @Test
    void allFilesOfAKubernetesMountAreReadFromOneGeneration() throws Exception {
        publish("g0", Map.of("user", "0", "password", "0"));
        AtomicBoolean done = new AtomicBoolean();
        AtomicInteger swaps = new AtomicInteger();
        Thread writer = new Thread(() -> {
            for (int i = 1; !done.get(); i++) {
                publish("g" + i, Map.of("user", "" + i, "password", "" + i));
                remove("g" + (i - 1));
                swaps.incrementAndGet();
            }
        });
        writer.start();
        try {
            int read = 0;
            while (swaps.get() < 1000) {
                List<StoreResult> both = store.read(List.of(query("user", null), query("password", null)));
                if (both.get(0) instanceof Found user && both.get(1) instanceof Found password) {
                    assertThat(text(user.secret())).isEqualTo(text(password.secret()));
                    read++;
                } else { // the only thing that may be said is that the writer never gave us a chance
                    assertThat(both)
                            .allSatisfy(
                                    one -> assertThat(((Failed) one).outcome()).isEqualTo(Outcome.UNREACHABLE));
                }
            }
            assertThat(read).isPositive();
        } finally {
            done.set(true);
            writer.join();
        }
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

    /** Publishes a set of files as the kubelet does. */
    private void publish(String generation, Map<String, String> files) {
        try {
            Path target = Files.createDirectory(directory.resolve(".." + generation));
            for (Map.Entry<String, String> file : files.entrySet()) {
                Files.writeString(target.resolve(file.getKey()), file.getValue());
            }
            Path link = directory.resolve("..data_tmp");
            Files.createSymbolicLink(link, target.getFileName());
            Files.move(link, directory.resolve("..data"), StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException failure) {
            throw new AssertionError(failure);
        }
    }

    private void remove(String generation) {
        try (var files = Files.walk(directory.resolve(".." + generation))) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        } catch (IOException failure) {
            throw new AssertionError(failure);
        }
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
