package io.dualkey.secrets;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

class LayeredStoreTest {

    private static final Duration ROUND = Duration.ofSeconds(67);

    private final VirtualTime time = new VirtualTime();
    private final InMemoryStore vault = new InMemoryStore(time.clock());
    private final InMemoryStore override = new InMemoryStore(time.clock());

    private RotatingSecret started(SecretStore store, String name) {
        SecretSource source = SecretSource.builder(store).threads(time).build();
        RotatingSecret secret = source.secret(name);
        var unused = source.begin();
        time.run();
        return secret;
    }

    private static List<String> accepted(Rotating<SecretValue> secret) {
        return secret.versions().accepted().stream()
                .map(version -> version.value().revealText())
                .toList();
    }

    @Test
    void firstLayerThatHasTheSecretWins() {
        override.put("key", "dev");
        vault.put("key", "one");
        vault.put("other", "two");
        SecretStore layered = SecretStore.layered(override, vault);
        assertThat(accepted(started(layered, "key"))).containsExactly("dev");
        assertThat(accepted(started(layered, "other"))).containsExactly("two");
    }

    @Test
    void missingEverywhereIsSaidOfEachLayer() {
        SecretStore layered = SecretStore.layered(EnvironmentStore.of(Map.of()), vault);
        assertThatThrownBy(() -> started(layered, "key").current())
                .hasMessageContaining("no environment variable key is set in environment variables; "
                        + "it does not exist in memory");
    }

    /** An unreachable vault must not give way to another value. */
    @Test
    void failingLayerDoesNotGiveWayToTheNext() {
        for (Outcome outcome : Outcome.values()) {
            if (outcome != Outcome.OK && outcome != Outcome.NOT_FOUND) {
                InMemoryStore upper = new InMemoryStore(time.clock());
                InMemoryStore lower = new InMemoryStore(time.clock());
                lower.put("key", "lower");
                upper.failWith(outcome);
                RotatingSecret secret = started(SecretStore.layered(upper, lower), "key");
                assertThat(secret.versions().accepted()).isEmpty();
                assertThat(secret.status().outcome()).contains(outcome);
                assertThat(lower.reads()).isZero();
            }
        }
    }

    @Test
    void layerThatThrowsDoesNotGiveWayAndDoesNotHurtTheOthers() {
        SecretStore broken = new SecretStore() {
            @Override
            public String description() {
                return "broken";
            }

            @Override
            public List<StoreResult> read(List<StoreQuery> queries) throws IOException {
                throw new IOException("canary");
            }
        };
        override.put("key", "dev");
        assertThat(accepted(started(SecretStore.layered(override, broken), "key")))
                .containsExactly("dev");
        RotatingSecret secret = started(SecretStore.layered(broken, override), "key");
        assertThat(secret.status().outcome()).contains(Outcome.UNREACHABLE);
        assertThat(secret.status().detail())
                .contains("layer broken", "java.io.IOException")
                .doesNotContain("canary");
    }

    @Test
    void layerIsAskedWhetherItsOwnAnswerStillHolds() {
        vault.put("key", "one");
        List<Boolean> known = new ArrayList<>();
        SecretStore recording = new SecretStore() {
            @Override
            public String description() {
                return "recording";
            }

            @Override
            public List<StoreResult> read(List<StoreQuery> queries) throws Exception {
                queries.forEach(query -> known.add(query.known().isPresent()));
                return vault.read(queries);
            }
        };
        RotatingSecret secret = started(SecretStore.layered(override, recording), "key");
        time.advance(ROUND);
        override.put("key", "dev");
        time.advance(ROUND);
        override.delete("key");
        time.advance(ROUND);
        time.advance(ROUND);
        assertThat(accepted(secret)).containsExactly("one");
        // Not after the override: what it answered says nothing to this layer.
        assertThat(known.subList(0, 2)).containsExactly(false, true);
        assertThat(known.subList(2, known.size())).startsWith(false).endsWith(true);
    }

    /** P2: previous versions come from the layer that has the secret, and from no other. */
    @Test
    void secretThatMovesBetweenLayersLeavesItsOldVersionsBehind() {
        vault.put("key", "one");
        vault.put("key", "two");
        RotatingSecret secret = started(SecretStore.layered(override, vault), "key");
        List<String> rotations = new ArrayList<>();
        secret.onRotation(version -> rotations.add(version.value().revealText()));
        assertThat(accepted(secret)).containsExactly("two", "one");
        override.put("key", "dev");
        time.advance(ROUND);
        assertThat(accepted(secret)).containsExactly("dev");
        override.put("key", "dev-2");
        time.advance(ROUND);
        assertThat(accepted(secret)).containsExactly("dev-2", "dev");
        override.delete("key");
        time.advance(ROUND);
        assertThat(accepted(secret)).containsExactly("two", "one");
        assertThat(rotations).containsExactly("two", "dev", "dev-2", "two");
    }

    @Test
    void equalMaterialInAnotherLayerIsTheSameVersion() {
        vault.put("key", "one");
        RotatingSecret secret = started(SecretStore.layered(override, vault), "key");
        long generation = secret.versions().current().orElseThrow().generation();
        override.put("key", "one");
        time.advance(ROUND);
        assertThat(secret.versions().current().orElseThrow().generation()).isEqualTo(generation);
        assertThat(accepted(secret)).containsExactly("one");
    }

    /** P3 across layers. */
    @Test
    void secretServesOnUntilTheNewLayersValueCanBeUsed() {
        vault.put("key", "1");
        RotatingSecret secret = started(SecretStore.layered(override, vault), "key");
        Rotating<Integer> number = secret.map(value -> Integer.valueOf(value.revealText()));
        override.put("key", "changeme");
        time.advance(ROUND);
        assertThat(accepted(secret)).containsExactly("1");
        assertThat(secret.status().state()).isEqualTo(SecretState.DEGRADED);
        override.put("key", "two");
        time.advance(ROUND);
        assertThat(accepted(secret)).containsExactly("two");
        assertThat(number.current()).isEqualTo(1);
        assertThat(number.versions().accepted()).hasSize(1);
        override.put("key", "3");
        time.advance(ROUND);
        assertThat(number.current()).isEqualTo(3);
        assertThat(number.versions().previous()).isEmpty();
        assertThat(secret.status().state()).isEqualTo(SecretState.HEALTHY);
    }

    /** What stood in is gone for good once it is not needed: a kill switch in the new layer does not bring it back. */
    @Test
    void layerBeforeDoesNotComeBackWhenTheNewOneDisables() {
        vault.put("key", "one");
        RotatingSecret secret = started(SecretStore.layered(override, vault), "key");
        String id = override.put("key", "dev");
        time.advance(ROUND);
        override.disable("key", id);
        time.advance(ROUND);
        assertThat(secret.versions().accepted()).isEmpty();
    }

    @Test
    void eachLayersHistoryIsItsOwnKind(@TempDir Path directory) throws IOException {
        vault.put("key", "one");
        vault.put("key", "two");
        RotatingSecret secret = started(SecretStore.layered(DirectoryStore.at(directory), vault), "key");
        assertThat(accepted(secret)).containsExactly("two", "one");
        Files.writeString(directory.resolve("key"), "file-1");
        time.advance(ROUND);
        assertThat(accepted(secret)).containsExactly("file-1");
        assertThat(secret.status().store()).startsWith("directory");
        Files.writeString(directory.resolve("key"), "file-2");
        time.advance(ROUND);
        assertThat(accepted(secret)).containsExactly("file-2", "file-1"); // a directory has no history: remembered
        Files.writeString(directory.resolve("key-previous"), "companion");
        time.advance(ROUND);
        assertThat(accepted(secret)).containsExactly("file-2", "companion");
        Files.delete(directory.resolve("key"));
        time.advance(ROUND);
        assertThat(accepted(secret)).containsExactly("two", "one"); // the directory's companion went with it
        assertThat(secret.status().store()).isEqualTo("memory");
    }

    @Test
    void companionHasTheNameThatIsTheLayersCustom(@TempDir Path directory) throws IOException {
        Map<String, String> variables = new HashMap<>();
        variables.put("A", "env");
        variables.put("A_PREVIOUS", "env-previous");
        Files.writeString(directory.resolve("A-previous"), "not of this layer");
        Files.writeString(directory.resolve("B"), "file");
        Files.writeString(directory.resolve("B-previous"), "file-previous");
        SecretStore layered = SecretStore.layered(EnvironmentStore.of(variables), DirectoryStore.at(directory));
        assertThat(layered.readsTogether()).isTrue();
        assertThat(accepted(started(layered, "A"))).containsExactly("env", "env-previous");
        assertThat(accepted(started(layered, "B"))).containsExactly("file", "file-previous");
    }

    @Test
    void outageOfAnUpperLayerDoesNotTakeAwayACompanionInALowerOne(@TempDir Path directory) throws Exception {
        Files.writeString(directory.resolve("key"), "new");
        Files.writeString(directory.resolve("key-previous"), "old");
        RotatingSecret secret = started(SecretStore.layered(vault, DirectoryStore.at(directory)), "key");
        assertThat(accepted(secret)).containsExactly("new", "old");
        vault.failWith(Outcome.UNREACHABLE);
        time.advance(ROUND);
        assertThat(accepted(secret)).containsExactly("new", "old");
        assertThat(secret.status().state()).isEqualTo(SecretState.DEGRADED);
    }

    @Test
    void configuredCompanionIsLookedForInTheLayerThatHasTheSecret() {
        override.put("key", "dev");
        vault.put("key", "one");
        vault.put("old", "zero");
        SecretSource source = SecretSource.builder(SecretStore.layered(override, vault))
                .secret("key", options -> options.companion("old"))
                .threads(time)
                .build();
        RotatingSecret secret = source.secret("key");
        var unused = source.begin();
        time.run();
        assertThat(accepted(secret)).containsExactly("dev");
        override.delete("key");
        time.advance(ROUND);
        assertThat(accepted(secret)).containsExactlyInAnyOrder("one", "zero");
    }

    @Test
    void layersOfLayersAreOneListOfLayers() {
        InMemoryStore third = new InMemoryStore(time.clock());
        third.put("key", "three");
        SecretStore layered = SecretStore.layered(SecretStore.layered(override, vault), third);
        assertThat(layered.description()).isEqualTo("layers memory, then memory, then memory");
        assertThat(accepted(started(layered, "key"))).containsExactly("three");
    }

    // Stores side by side, and pinned versions

    @Test
    void prefixSelectsTheStore() {
        vault.put("key", "aws");
        override.put("key", "file");
        SecretSource source = SecretSource.builder()
                .store("aws", vault)
                .store("file", override)
                .threads(time)
                .build();
        RotatingSecret aws = source.secret("aws:key");
        RotatingSecret file = source.secret("file:key");
        var unused = source.begin();
        time.run();
        assertThat(accepted(aws)).containsExactly("aws");
        assertThat(accepted(file)).containsExactly("file");
        assertThat(source.statuses()).extracting(SecretStatus::name).containsExactly("aws:key", "file:key");
        assertThat(source.toString()).isEqualTo("SecretSource[aws: memory, file: memory, 2 secrets]");
        vault.failWith(Outcome.UNREACHABLE);
        override.put("key", "file-2");
        time.advance(ROUND);
        assertThat(accepted(file)).containsExactly("file-2", "file");
        assertThat(aws.status().state()).isEqualTo(SecretState.DEGRADED);
    }

    @Test
    void companionsWorkUnderAPrefix(@TempDir Path directory) throws IOException {
        Files.writeString(directory.resolve("key"), "now");
        Files.writeString(directory.resolve("key-previous"), "before");
        vault.put("key", "one");
        vault.put("old", "zero");
        SecretSource source = SecretSource.builder()
                .store("file", DirectoryStore.at(directory))
                .store("aws", vault)
                .secret("aws:key", options -> options.companion("old"))
                .threads(time)
                .build();
        RotatingSecret file = source.secret("file:key");
        RotatingSecret aws = source.secret("aws:key");
        var unused = source.begin();
        time.run();
        assertThat(accepted(file)).containsExactly("now", "before");
        assertThat(accepted(aws)).containsExactlyInAnyOrder("one", "zero");
    }

    @Test
    void vendorsReferenceAndOwnReferenceGiveTheSameHandle() {
        SecretSource source =
                SecretSource.builder().store("azure", vault).threads(time).build();
        assertThat(source.secret("@Microsoft.KeyVault(VaultName=v;SecretName=db-url)"))
                .isSameAs(source.secret("azure:db-url"));
    }

    @Test
    void pinnedVersionNeverRotates() {
        vault.put("key", "one");
        vault.put("key", "two");
        SecretSource source =
                SecretSource.builder().store("azure", vault).threads(time).build();
        RotatingSecret pinned =
                source.secret("@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/key/v1)");
        RotatingSecret following = source.secret("azure:key");
        var unused = source.begin();
        time.run();
        vault.put("key", "three");
        time.advance(Duration.ofDays(3));
        assertThat(accepted(pinned)).containsExactly("one");
        assertThat(accepted(following)).containsExactly("three");
        vault.disable("key", "v1");
        time.advance(ROUND);
        assertThat(pinned.versions().accepted()).isEmpty();
    }

    @Test
    void pinnedVersionIsWarnedAboutOnce() {
        Logger logger = (Logger) LoggerFactory.getLogger(SecretSource.class);
        ListAppender<ILoggingEvent> seen = new ListAppender<>();
        seen.start();
        logger.addAppender(seen);
        try {
            SecretSource source =
                    SecretSource.builder().store("azure", vault).threads(time).build();
            String reference = "@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/key/v1)";
            assertThat(source.secret(reference)).isSameAs(source.secret(reference));
        } finally {
            logger.detachAppender(seen);
        }
        assertThat(seen.list).hasSize(1);
        assertThat(seen.list.get(0).getLevel()).isEqualTo(Level.WARN);
        assertThat(seen.list.get(0).getFormattedMessage()).contains("'azure:key?version=v1'", "will not rotate");
    }

    @Test
    void pinnedVersionThatDoesNotExistIsMissing() {
        vault.put("key", "one");
        SecretSource source =
                SecretSource.builder().store("azure", vault).threads(time).build();
        RotatingSecret pinned =
                source.secret("@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/key/v9)");
        var unused = source.begin();
        time.run();
        assertThat(pinned.status().outcome()).contains(Outcome.NOT_FOUND);
        assertThat(pinned.status().detail()).contains("version v9", "pinned");
    }

    @Test
    void builderRefusesWhatCannotBeAPrefix() {
        SecretSource.Builder builder = SecretSource.builder().store("aws", vault);
        assertThatThrownBy(() -> builder.store("aws", vault)).hasMessageContaining("two stores");
        for (String prefix : List.of("", "a:b", "1a", "arn", "a b", "#")) {
            assertThatThrownBy(() -> builder.store(prefix, vault))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("prefix");
        }
        assertThatThrownBy(() -> SecretSource.builder().build()).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void hintsOfAnyLayerPassThrough() {
        HintingStore hinting = new HintingStore();
        SecretSource source = SecretSource.builder()
                .store("dev", SecretStore.layered(override, hinting))
                .threads(time)
                .build();
        RotatingSecret secret = source.secret("dev:key");
        var unused = source.begin();
        time.run();
        assertThat(accepted(secret)).containsExactly("one");
        override.put("key", "dev");
        hinting.changed.run();
        time.advance(Duration.ofSeconds(1));
        assertThat(accepted(secret)).containsExactly("dev");
        source.close();
        assertThat(hinting.watched).isFalse();
    }

    private static final class HintingStore implements SecretStore {

        private Runnable changed = () -> {};
        private boolean watched;

        @Override
        public String description() {
            return "hinting";
        }

        @Override
        public List<StoreResult> read(List<StoreQuery> queries) throws Exception {
            return List.of(
                    StoreResult.found(StoredSecret.of("t", List.of(StoredVersion.of("1", SecretValue.ofText("one"))))));
        }

        @Override
        public Registration watch(Runnable listener) {
            changed = listener;
            watched = true;
            return () -> watched = false;
        }
    }

    @Test
    void layeredStoreIsWhereItsLayersAre() {
        assertThat(SecretStore.layered(override, vault).address()).isEqualTo(Optional.empty());
    }
}
