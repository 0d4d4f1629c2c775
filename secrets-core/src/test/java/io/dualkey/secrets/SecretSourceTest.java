package io.dualkey.secrets;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** The engine in virtual time: nothing happens but when a test lets time pass. */
class SecretSourceTest {

    private static final Duration INTERVAL = Duration.ofSeconds(60);
    /** One interval, its jitter included. */
    private static final Duration ROUND = Duration.ofSeconds(67);

    private static final Duration GRACE = Duration.ofHours(24);

    private final VirtualTime time = new VirtualTime();
    private final InMemoryStore store = new InMemoryStore(time.clock());
    private final SecretSource source = source(store);

    private SecretSource source(SecretStore over) {
        return SecretSource.builder(over)
                .refreshInterval(INTERVAL)
                .grace(GRACE)
                .threads(time)
                .build();
    }

    private RotatingSecret started(String name) {
        RotatingSecret secret = source.secret(name);
        start(source);
        return secret;
    }

    private void start(SecretSource what) {
        var unused = what.begin();
        time.run();
    }

    private static String text(Rotating<SecretValue> secret) {
        return secret.current().revealText();
    }

    private static List<String> accepted(Rotating<SecretValue> secret) {
        return secret.versions().accepted().stream()
                .map(version -> version.value().revealText())
                .toList();
    }

    // Loading

    @Test
    void statusTellsWhenTheNextCheckIs() {
        store.put("key", "value");
        RotatingSecret secret = started("key");
        Instant first = secret.status().lastCheck().orElseThrow();
        Instant next = secret.status().nextCheck().orElseThrow();
        assertThat(next).isAfter(first).isBeforeOrEqualTo(first.plus(ROUND));

        time.advance(Duration.between(first, next));
        assertThat(secret.status().lastCheck()).contains(next);
    }

    @Test
    void servesWhatTheStoreHas() {
        store.put("key", "one");
        assertThat(text(started("key"))).isEqualTo("one");
    }

    @Test
    void readBeforeStartSaysWhatToDo() {
        RotatingSecret secret = source.secret("key");
        assertThatThrownBy(secret::current)
                .isInstanceOf(SecretUnavailableException.class)
                .hasMessageContainingAll("'key'", "memory", "SecretSource.start");
    }

    @Test
    void sameNameGivesTheSameHandle() {
        assertThat(source.secret("key")).isSameAs(source.secret("key"));
    }

    @Test
    void handleMadeAfterTheStartIsLoadedInTheBackground() {
        store.put("first", "one");
        started("first");
        store.put("second", "two");
        RotatingSecret late = source.secret("second");
        time.run();
        assertThat(text(late)).isEqualTo("two");
    }

    @Test
    void transientFailureAtStartIsRetriedWithoutWaitingForAnInterval() {
        store.put("key", "one");
        store.failWith(Outcome.UNREACHABLE);
        RotatingSecret secret = source.secret("key");
        CompletableFuture<Void> settled = source.begin();
        time.run();
        assertThat(settled).isNotDone();
        store.recover();
        time.advance(Duration.ofSeconds(2));
        assertThat(settled).isCompleted();
        assertThat(text(secret)).isEqualTo("one");
    }

    @Test
    void missingSecretSettlesTheStartAtOnce() {
        source.secret("nowhere");
        CompletableFuture<Void> settled = source.begin();
        time.run();
        assertThat(settled).isCompleted();
        assertThat(source.statuses().get(0).state()).isEqualTo(SecretState.UNAVAILABLE);
    }

    @Test
    void startedAgainItAsksAgain() {
        RotatingSecret secret = started("late");
        assertThat(secret.status().state()).isEqualTo(SecretState.UNAVAILABLE);
        store.put("late", "here");
        CompletableFuture<Void> settled = source.begin();
        assertThat(settled).isNotDone();
        time.run();
        assertThat(settled).isCompleted();
        assertThat(text(secret)).isEqualTo("here");
    }

    /** P8: a store that can answer many secrets at once is asked once, and each by itself from then on. */
    @Test
    void firstReadsAreMadeInOneCallWhereTheStoreCan() {
        List<Integer> sizes = new ArrayList<>();
        SecretStore batching = new SecretStore() {
            @Override
            public String description() {
                return "batching";
            }

            @Override
            public boolean startsTogether() {
                return true;
            }

            @Override
            public List<StoreResult> read(List<StoreQuery> queries) throws Exception {
                sizes.add(queries.size());
                return store.read(queries);
            }
        };
        for (int i = 0; i < 25; i++) {
            store.put("key-" + i, "value-" + i);
        }
        try (SecretSource over = source(batching)) {
            List<RotatingSecret> secrets = new ArrayList<>();
            for (int i = 0; i < 25; i++) {
                secrets.add(over.secret("key-" + i));
            }
            RotatingSecret missing = over.secret("missing");
            start(over);
            assertThat(sizes).containsExactly(26);
            for (int i = 0; i < 25; i++) {
                assertThat(text(secrets.get(i))).isEqualTo("value-" + i);
            }
            assertThat(missing.status().outcome()).contains(Outcome.NOT_FOUND);
            sizes.clear();
            time.advance(ROUND);
            assertThat(sizes).hasSizeGreaterThanOrEqualTo(26).containsOnly(1);
        }
    }

    @Test
    void failedCommonFirstReadIsTriedAgainOneByOne() {
        SecretStore broken = new SecretStore() {
            private boolean broke;

            @Override
            public String description() {
                return "broken at first";
            }

            @Override
            public boolean startsTogether() {
                return true;
            }

            @Override
            public List<StoreResult> read(List<StoreQuery> queries) throws Exception {
                if (!broke) {
                    broke = true;
                    throw new UnsupportedOperationException("canary");
                }
                return store.read(queries);
            }
        };
        store.put("a", "1");
        store.put("b", "2");
        try (SecretSource over = source(broken)) {
            RotatingSecret a = over.secret("a");
            RotatingSecret b = over.secret("b");
            start(over);
            assertThat(a.status().detail())
                    .contains("UnsupportedOperationException")
                    .doesNotContain("canary");
            time.advance(Duration.ofSeconds(2));
            assertThat(List.of(text(a), text(b))).containsExactly("1", "2");
        }
    }

    @Test
    void optionalSecretDoesNotKeepFromStarting() {
        SecretSource over = SecretSource.builder(store)
                .secret("key", SecretOptions::optional)
                .threads(time)
                .build();
        RotatingSecret secret = over.secret("key");
        store.failWith(Outcome.UNREACHABLE);
        CompletableFuture<Void> settled = over.begin();
        time.run();
        assertThat(settled).isCompleted();
        over.start(Duration.ZERO);
        assertThatThrownBy(secret::current).isInstanceOf(SecretUnavailableException.class);
        store.recover();
        store.put("key", "late");
        time.advance(ROUND);
        assertThat(text(secret)).isEqualTo("late");
    }

    @Test
    void optionsCanBeSetByAnyReferenceToASecret() {
        String reference = "@Microsoft.KeyVault(VaultName=kv;SecretName=key)";
        SecretSource over = SecretSource.builder()
                .store("azure", store)
                .secret(reference, key -> key.grace(Duration.ofHours(3)))
                .threads(time)
                .build();
        assertThat(over.secret("azure:key").policy().grace()).isEqualTo(Duration.ofHours(3));
        assertThatThrownBy(() -> SecretSource.builder(store)
                        .secret("db#user", db -> db.grace(Duration.ofHours(1)))
                        .secret("db#password", db -> db.grace(Duration.ofHours(2)))
                        .build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("'db'", "two references");
    }

    @Test
    void missingSecretIsLookedForAsOftenAsOthersAreChecked() {
        RotatingSecret secret = started("late");
        time.advance(Duration.ofMinutes(10));
        assertThat(store.reads()).isBetween(9L, 13L);
        store.put("late", "here");
        time.advance(ROUND);
        assertThat(text(secret)).isEqualTo("here");
    }

    // P2: rotation and grace

    @Test
    void rotationIsSeenWithinOneInterval() {
        store.put("key", "one");
        RotatingSecret secret = started("key");
        store.put("key", "two");
        time.advance(ROUND);
        assertThat(accepted(secret)).containsExactly("two", "one");
    }

    @Test
    void previousEndsByItselfWhenItsGraceIsOver() {
        store.put("key", "one");
        RotatingSecret secret = started("key");
        time.advance(Duration.ofHours(1));
        store.put("key", "two");
        time.advance(GRACE.minusSeconds(1));
        assertThat(accepted(secret)).containsExactly("two", "one");
        time.advance(Duration.ofSeconds(2));
        assertThat(accepted(secret)).containsExactly("two");
    }

    @Test
    void graceIsCountedFromTheStoresTimeAndNotFromWhenItWasNoticed() {
        store.put("key", "one");
        time.advance(Duration.ofHours(1));
        store.put("key", "two");
        time.advance(Duration.ofHours(10)); // this process starts in mid-grace
        RotatingSecret secret = started("key");
        assertThat(secret.versions().previous().get(0).acceptedUntil())
                .contains(VirtualTime.START.plus(Duration.ofHours(25)));
    }

    @Test
    void announcedVersionComesIntoForceByTheClockWithoutAnotherRead() {
        store.put("key", "one");
        Instant begin = VirtualTime.START.plusSeconds(10);
        store.add("key", StoredVersion.of("next", SecretValue.ofText("two")).withNotBefore(begin));
        RotatingSecret secret = started("key");
        assertThat(secret.versions().upcoming()).map(Version::id).contains("next");
        store.failWith(Outcome.UNREACHABLE);
        time.advance(Duration.ofSeconds(11));
        assertThat(accepted(secret)).containsExactly("two", "one");
        assertThat(secret.versions().upcoming()).isEmpty();
    }

    @Test
    void disabledPreviousIsRefusedAtTheNextCheck() {
        String one = store.put("key", "one");
        store.put("key", "two");
        RotatingSecret secret = started("key");
        assertThat(accepted(secret)).containsExactly("two", "one");
        store.disable("key", one);
        time.advance(ROUND);
        assertThat(accepted(secret)).containsExactly("two");
    }

    @Test
    void storesWordThatASecretIsDisabledCountsAtOnce() {
        store.put("key", "one");
        RotatingSecret secret = started("key");
        store.failWith(Outcome.DISABLED);
        time.advance(ROUND);
        assertThatThrownBy(secret::current)
                .isInstanceOf(SecretUnavailableException.class)
                .hasMessageContaining("enable a version");
    }

    @Test
    void deletedSecretServesOnDegraded() {
        store.put("key", "one");
        RotatingSecret secret = started("key");
        store.delete("key");
        time.advance(ROUND);
        assertThat(text(secret)).isEqualTo("one");
        assertThat(secret.status().state()).isEqualTo(SecretState.DEGRADED);
        assertThat(secret.status().outcome()).contains(Outcome.NOT_FOUND);
    }

    @Test
    void rollbackToOldMaterialKeepsItsGeneration() {
        store.put("key", "one");
        RotatingSecret secret = started("key");
        long first = secret.versions().current().orElseThrow().generation();
        store.put("key", "two");
        time.advance(ROUND);
        store.put("key", "one");
        time.advance(ROUND);
        assertThat(accepted(secret)).containsExactly("one", "two");
        assertThat(secret.versions().current().orElseThrow().generation()).isEqualTo(first);
    }

    @Test
    void configuredCompanionIsAcceptedBesideAStoresOwnHistory() {
        store.put("key", "one");
        store.put("old-key", "zero");
        SecretSource over = SecretSource.builder(store)
                .secret("key", key -> key.companion("old-key"))
                .threads(time)
                .build();
        RotatingSecret secret = over.secret("key");
        start(over);
        store.put("key", "two");
        time.advance(ROUND);
        assertThat(accepted(secret)).containsExactlyInAnyOrder("two", "one", "zero");
        store.delete("old-key");
        time.advance(ROUND);
        assertThat(accepted(secret)).containsExactly("two", "one");
    }

    @Test
    void companionIsThePreviousValueWheneverItWasWritten() {
        store.put("key", "old");
        store.put("key", "new");
        time.advance(Duration.ofDays(2));
        store.put("old-key", "ancient");
        store.put("old-key", "older");
        SecretSource over = SecretSource.builder(store)
                .secret("key", key -> key.companion("old-key"))
                .threads(time)
                .build();
        RotatingSecret secret = over.secret("key");
        start(over);
        assertThat(accepted(secret)).containsExactly("new", "older");
    }

    @Test
    void companionThatIsTakenAwayIsRefusedEvenWhileTheSecretItselfIsMissing() {
        store.put("key", "new");
        store.put("old-key", "old");
        SecretSource over = SecretSource.builder(store)
                .secret("key", key -> key.companion("old-key"))
                .threads(time)
                .build();
        RotatingSecret secret = over.secret("key");
        start(over);
        assertThat(accepted(secret)).containsExactly("new", "old");
        store.delete("key");
        store.delete("old-key");
        time.advance(ROUND);
        assertThat(accepted(secret)).containsExactly("new");
        assertThat(secret.status().state()).isEqualTo(SecretState.DEGRADED);
    }

    // P3: a new version never replaces a good one until it is usable

    @Test
    void placeholderIsHeldOffUntilItIsRepaired() {
        store.put("key", "one");
        RotatingSecret secret = started("key");
        store.put("key", "__REPLACED_BY_ENV_VAR__");
        time.advance(Duration.ofDays(3));
        assertThat(text(secret)).isEqualTo("one");
        assertThat(secret.status().state()).isEqualTo(SecretState.DEGRADED);
        assertThat(secret.status().detail()).contains("placeholder").doesNotContain("REPLACED");
        store.put("key", "two");
        time.advance(ROUND);
        assertThat(accepted(secret)).containsExactly("two", "one");
        assertThat(secret.status().state()).isEqualTo(SecretState.HEALTHY);
    }

    @Test
    void derivedHandleKeepsItsLastGoodValue() {
        store.put("number", "1");
        RotatingSecret secret = source.secret("number");
        Rotating<Integer> number = secret.map(value -> Integer.valueOf(value.revealText()));
        start(source);
        store.put("number", "canary-77");
        time.advance(ROUND);
        assertThat(number.current()).isEqualTo(1);
        assertThat(secret.status().detail()).contains("NumberFormatException").doesNotContain("canary");
        store.put("number", "3");
        time.advance(ROUND);
        assertThat(number.current()).isEqualTo(3);
        assertThat(number.versions().previous()).extracting(Version::value).containsExactly(1);
    }

    @Test
    void eachVersionIsParsedOnce() {
        AtomicInteger parses = new AtomicInteger();
        store.put("key", "one");
        RotatingSecret secret = source.secret("key");
        Rotating<Integer> length = secret.map(value -> {
            parses.incrementAndGet();
            return value.length();
        });
        start(source);
        time.advance(Duration.ofHours(1));
        store.put("key", "three");
        time.advance(ROUND);
        assertThat(length.current()).isEqualTo(5);
        assertThat(parses).hasValue(2);
    }

    @Test
    void handleDerivedFromAWarmOneIsWarm() {
        store.put("key", "one");
        assertThat(started("key").map(SecretValue::length).current()).isEqualTo(3);
    }

    @Test
    void gateAdmitsAVersionBeforeItIsServed() {
        List<String> asked = new ArrayList<>();
        List<String> refused = new ArrayList<>(List.of("bad"));
        store.put("key", "one");
        RotatingSecret secret = source.secret("key");
        Rotating<SecretValue> proven = secret.gatedBy(version -> {
            String value = version.value().revealText();
            asked.add(value);
            if (refused.contains(value)) {
                throw new UnusableSecretException("the server refused it", Duration.ofSeconds(20));
            }
        });
        start(source);
        assertThat(text(proven)).isEqualTo("one");

        store.put("key", "bad");
        time.advance(ROUND);
        assertThat(text(secret)).isEqualTo("bad");
        assertThat(text(proven)).isEqualTo("one");
        assertThat(secret.status().detail()).contains("the server refused it");

        asked.clear();
        time.advance(Duration.ofSeconds(61));
        assertThat(asked).hasSize(3).containsOnly("bad");

        refused.clear();
        time.advance(Duration.ofSeconds(21));
        assertThat(accepted(proven)).containsExactly("bad");
        assertThat(secret.status().state()).isEqualTo(SecretState.HEALTHY);
        asked.clear();
        time.advance(Duration.ofHours(1));
        assertThat(asked).isEmpty();
    }

    @Test
    void versionThatComesBackMustPassTheGateAgain() {
        List<String> asked = new ArrayList<>();
        List<String> refused = new ArrayList<>();
        store.put("key", "a");
        RotatingSecret secret = source.secret("key");
        Rotating<SecretValue> proven = secret.gatedBy(version -> {
            String value = version.value().revealText();
            asked.add(value);
            if (refused.contains(value)) {
                throw new UnusableSecretException("the server refused it", Duration.ofHours(1));
            }
        });
        start(source);
        store.put("key", "b");
        time.advance(ROUND);
        assertThat(text(proven)).isEqualTo("b");

        refused.add("a"); // its password is another one by now
        store.put("key", "a");
        time.advance(ROUND);
        assertThat(asked).containsExactly("a", "b", "a");
        assertThat(text(proven)).isEqualTo("b");
        assertThat(secret.status().state()).isEqualTo(SecretState.DEGRADED);
    }

    @Test
    void gatedHandleHasNothingOnceItsVersionIsDisabled() {
        String id = store.put("key", "a");
        RotatingSecret secret = source.secret("key");
        Rotating<SecretValue> proven = secret.gatedBy(version -> {});
        start(source);
        store.disable("key", id);
        time.advance(ROUND);
        assertThat(proven.versions().current()).isEmpty();
    }

    @Test
    void gateFallsBackToAnOlderVersionWhileNothingNewerPasses() {
        store.put("key", "old");
        time.advance(Duration.ofMinutes(1));
        store.put("key", "not yet");
        RotatingSecret secret = source.secret("key");
        Rotating<SecretValue> proven = secret.gatedBy(version -> {
            if (version.value().revealText().equals("not yet")) {
                throw new UnusableSecretException("not yet");
            }
        });
        start(source);
        assertThat(text(proven)).isEqualTo("old");
    }

    /** P3: a gate may take its time, and what it says of a version that was withdrawn meanwhile changes nothing. */
    @Test
    void gatesAnswerAboutAWithdrawnVersionLeavesTheOneAdmittedBefore() {
        store.put("key", "good");
        RotatingSecret secret = source.secret("key");
        List<String> seenWhileTested = new ArrayList<>();
        AtomicReference<Rotating<SecretValue>> gated = new AtomicReference<>();
        List<String> tested = new ArrayList<>();
        gated.set(secret.gatedBy(version -> {
            String value = version.value().revealText();
            tested.add(value);
            if (value.equals("leaked")) {
                store.disable("key", version.id());
                var unused = secret.refresh(RefreshCause.OPERATOR);
                time.run();
            }
            if (tested.size() > 1) {
                seenWhileTested.add(text(gated.get()));
            }
        }));
        start(source);
        store.put("key", "leaked");
        time.advance(ROUND);
        assertThat(tested).containsExactly("good", "leaked");
        assertThat(seenWhileTested).containsExactly("good");
        assertThat(text(gated.get())).isEqualTo("good");
    }

    @Test
    void handleWhoseGateHasAdmittedNothingSaysSo() {
        store.put("key", "one");
        RotatingSecret secret = source.secret("key");
        CompletableFuture<String> message = new CompletableFuture<>();
        AtomicReference<Rotating<SecretValue>> gated = new AtomicReference<>();
        gated.set(secret.gatedBy(version -> {
            try {
                message.complete(text(gated.get()));
            } catch (SecretUnavailableException expected) {
                message.complete(expected.getMessage());
            }
        }));
        start(source);
        assertThat(message).isCompletedWithValueMatching(text -> text.contains("has passed its gate yet"));
    }

    /** A store without history, as a directory is. */
    private static final class Plain implements SecretStore {

        private final Map<String, String> values = new HashMap<>();
        private boolean down;

        @Override
        public String description() {
            return "plain";
        }

        @Override
        public boolean keepsHistory() {
            return false;
        }

        @Override
        public List<StoreResult> read(List<StoreQuery> queries) {
            return queries.stream().map(this::read).toList();
        }

        private StoreResult read(StoreQuery query) {
            String value = values.get(query.name());
            if (down) {
                return StoreResult.failed(Outcome.UNREACHABLE, "down");
            }
            if (value == null) {
                return StoreResult.failed(Outcome.NOT_FOUND, "there is none");
            }
            String tag = Integer.toString(value.length()) + value.charAt(0);
            return query.known().map(known -> known.tag().equals(tag)).orElse(false)
                    ? StoreResult.unchanged()
                    : StoreResult.found(
                            StoredSecret.of(tag, List.of(StoredVersion.of(tag, SecretValue.ofText(value)))));
        }
    }

    /** P3, P6: what was refused for a while because nobody could check it is as it was once somebody can. */
    @Test
    void rememberedValuesOutliveAFailClosedOutage() {
        Plain plain = new Plain();
        plain.values.put("key", "A");
        SecretSource over = SecretSource.builder(plain)
                .secret("key", key -> key.maxStale(Duration.ofHours(1)).failClosed())
                .threads(time)
                .build();
        RotatingSecret secret = over.secret("key");
        start(over);
        plain.values.put("key", "B");
        time.advance(ROUND);
        plain.values.put("key", "changeme");
        time.advance(ROUND);
        assertThat(accepted(secret)).containsExactly("B", "A");
        plain.down = true;
        time.advance(Duration.ofHours(2));
        assertThat(accepted(secret)).isEmpty();
        plain.down = false;
        time.advance(Duration.ofMinutes(5));
        assertThat(accepted(secret)).containsExactly("B", "A");
    }

    @Test
    void twoWritersWhoFightOverAValueFillNoMemory() {
        Plain plain = new Plain();
        SecretSource over = SecretSource.builder(plain).threads(time).build();
        RotatingSecret secret = over.secret("key");
        plain.values.put("key", "A");
        start(over);
        for (int i = 0; i < 200; i++) {
            plain.values.put("key", i % 2 == 0 ? "B" : "A");
            time.advance(ROUND);
        }
        assertThat(accepted(secret)).containsExactly("A", "B");
        assertThat(((SecretNode) secret).history()).hasSize(2);
        time.advance(Duration.ofHours(25));
        assertThat(((SecretNode) secret).history()).hasSize(1);
    }

    /** P8: a name that is misspelt must not make a service sign with the key that is on its way out. */
    @Test
    void companionDoesNotStandInForASecretThatIsMissing() {
        Plain plain = new Plain();
        plain.values.put("PREVIOUS", "old");
        SecretSource over = SecretSource.builder(plain)
                .secret("KEY", key -> key.companion("PREVIOUS"))
                .threads(time)
                .build();
        RotatingSecret secret = over.secret("KEY");
        start(over);
        assertThat(secret.status().state()).isEqualTo(SecretState.UNAVAILABLE);
        plain.values.put("KEY", "changeme");
        time.advance(ROUND);
        assertThat(secret.versions().accepted()).isEmpty();
        plain.values.put("KEY", "new");
        time.advance(ROUND);
        assertThat(accepted(secret)).containsExactly("new", "old");
    }

    // P4: refresh never dies

    /** Before the first answer retries come sooner, or a pod would start a minute late; that is bounded. */
    @Test
    void coldStartInAnOutageIsBounded() {
        store.failWith(Outcome.UNREACHABLE);
        started("key");
        time.advance(Duration.ofMinutes(2));
        assertThat(store.reads()).isBetween(3L, 12L);
        long before = store.reads();
        time.advance(Duration.ofHours(1));
        assertThat(store.reads() - before).isLessThanOrEqualTo(61);
    }

    @Test
    void aThousandThrowablesDoNotEndRefresh() {
        AtomicInteger reads = new AtomicInteger();
        SecretStore broken = new SecretStore() {
            @Override
            public String description() {
                return "broken";
            }

            @Override
            public List<StoreResult> read(List<StoreQuery> queries) throws Exception {
                int read = reads.incrementAndGet();
                if (read > 1 && read <= 1001) {
                    throw new AssertionError("canary-4711");
                }
                return store.read(queries);
            }
        };
        store.put("key", "one");
        try (SecretSource over = source(broken)) {
            RotatingSecret secret = over.secret("key");
            start(over);
            store.put("key", "two");
            while (reads.get() < 1001) {
                time.advance(Duration.ofSeconds(10));
                assertThat(text(secret)).isEqualTo("one");
                assertThat(secret.status().detail()).doesNotContain("canary");
            }
            assertThat(secret.status().detail()).contains("AssertionError").doesNotContain("canary");
            time.advance(Duration.ofMinutes(10));
            assertThat(text(secret)).isEqualTo("two");
        }
    }

    /** P4: Errors of parsers, gates, listeners and observers, a thousand in a row, as well as those of stores. */
    @Test
    void aThousandFailuresOfItsUsersDoNotEndRefresh() {
        AtomicInteger failures = new AtomicInteger();
        AtomicBoolean broken = new AtomicBoolean(true);
        Runnable fail = () -> {
            if (broken.get()) {
                failures.incrementAndGet();
                throw new StackOverflowError("canary");
            }
        };
        store.put("key", "0");
        RotatingSecret secret = started("key");
        Rotating<String> parsed = secret.map(value -> {
            fail.run();
            return value.revealText();
        });
        Rotating<SecretValue> gated = secret.gatedBy(version -> fail.run());
        secret.onRotation(version -> fail.run());
        source.observe(new SecretObserver() {
            @Override
            public void checked(String name, Outcome outcome, Duration took) {
                fail.run();
            }
        });
        for (int i = 1; failures.get() < 4000; i++) {
            store.put("key", Integer.toString(i));
            time.advance(ROUND);
            assertThat(text(secret)).isEqualTo(Integer.toString(i));
        }
        broken.set(false);
        store.put("key", "mended");
        time.advance(ROUND);
        assertThat(text(secret)).isEqualTo("mended");
        assertThat(parsed.current()).isEqualTo("mended");
        assertThat(text(gated)).isEqualTo("mended");
        assertThat(secret.status().state()).isEqualTo(SecretState.HEALTHY);
    }

    /** P4: what is added to the wait after failures is random over its whole range, so that a fleet does not come back at once. */
    @Test
    void waitsAfterFailuresAreSpreadOverTheirWholeRange() {
        List<Double> intervals = new ArrayList<>();
        store.put("key", "one");
        for (int seed = 0; seed < 300; seed++) {
            VirtualTime own = new VirtualTime(seed);
            List<Instant> reads = new ArrayList<>();
            SecretStore failing = new SecretStore() {
                @Override
                public String description() {
                    return "failing";
                }

                @Override
                public List<StoreResult> read(List<StoreQuery> queries) throws Exception {
                    reads.add(own.clock().instant());
                    return reads.size() > 1
                            ? List.of(StoreResult.failed(Outcome.UNREACHABLE, "down"))
                            : store.read(queries);
                }
            };
            SecretSource over = SecretSource.builder(failing)
                    .refreshInterval(INTERVAL)
                    .threads(own)
                    .build();
            over.secret("key");
            var unused = over.begin();
            own.advance(Duration.ofMinutes(20));
            intervals.add(Duration.between(reads.get(4), reads.get(5)).toMillis() / (double) INTERVAL.toMillis());
        }
        assertThat(intervals).allSatisfy(waited -> assertThat(waited).isBetween(1.0, 4.0));
        for (double from = 1; from < 4; from += 0.5) {
            double begin = from;
            assertThat(intervals.stream()
                            .filter(waited -> waited >= begin && waited < begin + 0.5)
                            .count())
                    .as("waits from %s intervals on", begin)
                    .isBetween(25L, 80L);
        }
    }

    @Test
    void failingStoreIsNotAskedMoreOftenThanAHealthyOne() {
        store.put("key", "one");
        started("key");
        time.advance(Duration.ofHours(10));
        long healthy = store.reads();
        store.failWith(Outcome.THROTTLED);
        time.advance(Duration.ofHours(10));
        assertThat(store.reads() - healthy).isLessThanOrEqualTo(healthy).isGreaterThan(healthy / 8);
    }

    @Test
    void absurdRetryAfterDoesNotEndTheSchedule() {
        AtomicInteger reads = new AtomicInteger();
        SecretStore absurd = new SecretStore() {
            @Override
            public String description() {
                return "absurd";
            }

            @Override
            public List<StoreResult> read(List<StoreQuery> queries) throws Exception {
                reads.incrementAndGet();
                return List.of(
                        StoreResult.failed(Outcome.THROTTLED, "never again", Duration.ofSeconds(Long.MAX_VALUE)));
            }
        };
        try (SecretSource over = source(absurd)) {
            over.secret("key");
            start(over);
            time.advance(Duration.ofHours(10));
            assertThat(reads.get()).isGreaterThanOrEqualTo(5);
        }
    }

    @Test
    void callbackOnARefreshDoesNotHoldUpTheSecret() {
        store.put("key", "one");
        RotatingSecret secret = started("key");
        List<String> order = new ArrayList<>();
        var unused = secret.refresh(RefreshCause.OPERATOR).thenRun(() -> {
            store.put("key", "two");
            var unusedToo = secret.refresh(RefreshCause.OPERATOR).thenAccept(result -> order.add(result + " inner"));
            order.add("outer");
        });
        time.run();
        assertThat(order).containsExactly("outer", "CHANGED inner");
        assertThat(text(secret)).isEqualTo("two");
    }

    @Test
    void secretThatFailedClosedDoesNotMakeMoreCallsThanAHealthyOne() {
        store.put("key", "one");
        RotatingSecret secret =
                startedWith(key -> key.maxStale(Duration.ofMinutes(5)).failClosed());
        store.failWith(Outcome.UNREACHABLE);
        time.advance(Duration.ofMinutes(10));
        assertThat(secret.versions().accepted()).isEmpty();
        long before = store.reads();
        time.advance(Duration.ofHours(1));
        assertThat(store.reads() - before).isBetween(10L, 61L);
    }

    @Test
    void retryAfterIsHonoured() {
        AtomicInteger reads = new AtomicInteger();
        SecretStore throttled = new SecretStore() {
            @Override
            public String description() {
                return "throttled";
            }

            @Override
            public List<StoreResult> read(List<StoreQuery> queries) throws Exception {
                reads.incrementAndGet();
                return List.of(StoreResult.failed(Outcome.THROTTLED, "too many", Duration.ofMinutes(30)));
            }
        };
        try (SecretSource over = source(throttled)) {
            RotatingSecret secret = over.secret("key");
            start(over);
            time.advance(Duration.ofMinutes(29));
            assertThat(secret.refresh(RefreshCause.OPERATOR)).isCompletedWithValue(RefreshResult.LIMITED);
            assertThat(reads).hasValue(1);
            time.advance(Duration.ofMinutes(2));
            assertThat(reads).hasValue(2);
        }
    }

    // P5: refresh on demand

    @Test
    void untrustedRefreshesStayWithinTheirBudgetAndOperatorsAreServedAtOnce() {
        store.put("key", "one");
        RotatingSecret secret = started("key");
        long before = store.reads();
        for (int second = 0; second < 600; second++) {
            for (int i = 0; i < 100; i++) {
                var unused = secret.refresh(RefreshCause.UNTRUSTED);
            }
            time.advance(Duration.ofSeconds(1));
        }
        // 10 minutes: at most 11 by the schedule, and fruitless ones after 0, 2 and 6 minutes.
        assertThat(store.reads() - before).isBetween(9L, 14L);
        store.put("key", "two");
        CompletableFuture<RefreshResult> operator = secret.refresh(RefreshCause.OPERATOR);
        time.run();
        assertThat(operator).isCompletedWithValue(RefreshResult.CHANGED);
        assertThat(text(secret)).isEqualTo("two");
    }

    @Test
    void requestsThatMeetAreAnsweredByOneRead() {
        store.put("key", "one");
        RotatingSecret secret = started("key");
        long before = store.reads();
        List<CompletableFuture<RefreshResult>> answers = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            answers.add(secret.refresh(RefreshCause.LOGIN_FAILED));
        }
        time.run();
        assertThat(store.reads() - before).isEqualTo(1);
        assertThat(answers).allSatisfy(answer -> assertThat(answer).isCompletedWithValue(RefreshResult.UNCHANGED));
    }

    @Test
    void operatorsRefreshDuringAReadMakesAnotherOne() {
        store.put("key", "one");
        RotatingSecret secret = started("key");
        long before = store.reads();
        CompletableFuture<RefreshResult> first = secret.refresh(RefreshCause.LOGIN_FAILED);
        CompletableFuture<RefreshResult> second = secret.refresh(RefreshCause.OPERATOR);
        time.run();
        assertThat(first).isCompleted();
        assertThat(second).isCompleted();
        assertThat(store.reads() - before).isEqualTo(2);
    }

    @Test
    void callerCannotBreakTheEngineByCompletingAFuture() {
        store.put("key", "one");
        RotatingSecret secret = started("key");
        secret.refresh(RefreshCause.OPERATOR).cancel(true);
        time.run();
        store.put("key", "two");
        time.advance(ROUND);
        assertThat(text(secret)).isEqualTo("two");
    }

    // P6: staleness

    private RotatingSecret startedWith(Consumer<SecretOptions> options) {
        SecretSource over = SecretSource.builder(store)
                .refreshInterval(INTERVAL)
                .secret("key", options)
                .threads(time)
                .build();
        RotatingSecret secret = over.secret("key");
        start(over);
        return secret;
    }

    @Test
    void withoutALimitAnUnreachableStoreIsServedOnForEver() {
        store.put("key", "one");
        RotatingSecret secret = started("key");
        store.failWith(Outcome.UNREACHABLE);
        time.advance(Duration.ofDays(300));
        assertThat(text(secret)).isEqualTo("one");
        assertThat(secret.status().state()).isEqualTo(SecretState.DEGRADED);
        assertThat(secret.status().detail()).contains("cannot be reached", "memory", "check the store's address");
    }

    @Test
    void staleSecretIsServedOnUnlessItFailsClosed() {
        store.put("key", "one");
        RotatingSecret open = startedWith(key -> key.maxStale(Duration.ofHours(6)));
        store.failWith(Outcome.UNREACHABLE);
        time.advance(Duration.ofHours(7));
        assertThat(text(open)).isEqualTo("one");
        assertThat(open.status().detail()).contains("longer ago than PT6H", "cannot be reached");
    }

    @Test
    void secretThatFailsClosedIsRefusedAtItsLimitAndServedAgainAfterAGoodCheck() {
        store.put("key", "one");
        RotatingSecret closed =
                startedWith(key -> key.maxStale(Duration.ofHours(6)).failClosed());
        Rotating<Integer> length = closed.map(SecretValue::length);
        store.failWith(Outcome.UNREACHABLE);
        time.advance(Duration.ofHours(6).minusSeconds(1));
        assertThat(length.current()).isEqualTo(3);
        time.advance(Duration.ofSeconds(70));
        assertThatThrownBy(length::current)
                .isInstanceOf(SecretUnavailableException.class)
                .hasMessageContainingAll("'key'", "refused", "PT6H");
        assertThat(closed.versions().accepted()).isEmpty();
        store.recover();
        time.advance(Duration.ofMinutes(5));
        assertThat(length.current()).isEqualTo(3);
        assertThat(closed.status().state()).isEqualTo(SecretState.HEALTHY);
    }

    @Test
    void theSourcesLimitHoldsForSecretsThatHaveNoneOfTheirOwn() {
        store.put("key", "one");
        store.put("patient", "one");
        SecretSource over = SecretSource.builder(store)
                .maxStale(Duration.ofHours(6))
                .failClosed()
                .secret("patient", key -> key.maxStale(Duration.ofDays(2)))
                .threads(time)
                .build();
        RotatingSecret key = over.secret("key");
        RotatingSecret patient = over.secret("patient");
        start(over);
        store.failWith(Outcome.UNREACHABLE);

        time.advance(Duration.ofHours(7));
        assertThatThrownBy(key::current)
                .isInstanceOf(SecretUnavailableException.class)
                .hasMessageContainingAll("'key'", "refused", "PT6H");
        assertThat(text(patient)).isEqualTo("one");

        time.advance(Duration.ofDays(2));
        assertThatThrownBy(patient::current).isInstanceOf(SecretUnavailableException.class);
    }

    @Test
    void whatCannotChangeIsNeverStale() {
        SecretSource over = SecretSource.builder(EnvironmentStore.of(Map.of("KEY", "one")))
                .secret("KEY", key -> key.maxStale(Duration.ofMinutes(5)).failClosed())
                .threads(time)
                .build();
        RotatingSecret secret = over.secret("KEY");
        start(over);
        time.advance(Duration.ofDays(30));
        assertThat(text(secret)).isEqualTo("one");
        assertThat(secret.status().state()).isEqualTo(SecretState.HEALTHY);
    }

    @Test
    void absurdTimesAreRefusedWhenSet() {
        Duration forEver = Duration.ofSeconds(Long.MAX_VALUE);
        SecretSource.Builder builder = SecretSource.builder(store);
        assertThatThrownBy(() -> builder.secret("key", key -> key.maxStale(forEver)))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> builder.secret("key", key -> key.rotateEvery(forEver)))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> builder.refreshInterval(forEver)).isInstanceOf(IllegalArgumentException.class);
        store.put("key", "one");
        try (SecretSource over = SecretSource.from(store)) {
            RotatingSecret secret = over.secret("key");
            over.start(forEver);
            assertThat(text(secret)).isEqualTo("one");
        }
    }

    @Test
    void contradictorySettingsAreRefusedWhenBuilt() {
        assertThatThrownBy(() -> startedWith(SecretOptions::failClosed))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("'key'", "maxStale");
        assertThatThrownBy(() -> startedWith(key -> key.maxStale(Duration.ofSeconds(119))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("'key'", "two refresh intervals");
        assertThatThrownBy(SecretSource.builder(store).failClosed()::build)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("maxStale");
        assertThatThrownBy(SecretSource.builder(store).maxStale(Duration.ofSeconds(119))::build)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("two refresh intervals");
    }

    @Test
    void everyOutcomeButOkSaysWhatHappenedAndWhatToDo() {
        for (Outcome outcome : Outcome.values()) {
            assertThat(outcome.description().isEmpty()).isEqualTo(outcome == Outcome.OK);
            assertThat(outcome.advice().isEmpty()).isEqualTo(outcome == Outcome.OK);
        }
    }

    @Test
    void storeThatStopsAnsweringIsDegradedWithoutAFailure() {
        AtomicBoolean hang = new AtomicBoolean();
        VirtualTime stuck = new VirtualTime() {
            @Override
            public void execute(Runnable task) {
                if (!hang.get()) {
                    super.execute(task);
                }
            }
        };
        store.put("key", "one");
        SecretSource over = SecretSource.builder(store).threads(stuck).build();
        RotatingSecret secret = over.secret("key");
        var unused = over.begin();
        stuck.run();
        hang.set(true); // workers never come back
        stuck.advance(Duration.ofMinutes(2));
        assertThat(secret.status().state()).isEqualTo(SecretState.HEALTHY);
        stuck.advance(Duration.ofMinutes(2));
        assertThat(secret.status().state()).isEqualTo(SecretState.DEGRADED);
        assertThat(secret.status().detail()).contains("has not answered since 2026-01-01T00:00:00Z");
    }

    // P9: listeners

    @Test
    void listenerGetsEachCurrentVersionOnceAndInOrder() {
        List<String> seen = new ArrayList<>();
        store.put("key", "1");
        RotatingSecret secret = started("key");
        secret.onRotation(version -> seen.add(version.value().revealText()));
        for (int i = 2; i <= 5; i++) {
            store.put("key", Integer.toString(i));
            time.advance(ROUND);
            time.advance(ROUND);
        }
        assertThat(seen).containsExactly("1", "2", "3", "4", "5");
    }

    @Test
    void listenerThatThrowsHurtsNobody() {
        List<String> seen = new ArrayList<>();
        store.put("key", "1");
        RotatingSecret secret = started("key");
        secret.onRotation(version -> {
            throw new StackOverflowError();
        });
        secret.onRotation(version -> seen.add(version.value().revealText()));
        store.put("key", "2");
        time.advance(ROUND);
        assertThat(seen).containsExactly("1", "2");
    }

    @Test
    void closedRegistrationGetsNothingMore() {
        List<String> seen = new ArrayList<>();
        store.put("key", "1");
        RotatingSecret secret = started("key");
        Registration registration =
                secret.onRotation(version -> seen.add(version.value().revealText()));
        time.run();
        registration.close();
        store.put("key", "2");
        time.advance(ROUND);
        assertThat(seen).containsExactly("1");
    }

    // P10: what operators see

    @Test
    void statusTellsUsesByRole() {
        store.put("key", "one");
        store.put("key", "two");
        RotatingSecret secret = started("key");
        Versions<SecretValue> versions = secret.versions();
        long now = time.clock().millis();
        secret.recordUse(versions.accepted().get(0), now);
        secret.recordUse(versions.accepted().get(0), now);
        secret.recordUse(versions.accepted().get(1), now);
        SecretStatus status = secret.status();
        assertThat(status.uses())
                .containsEntry(Role.CURRENT, 2L)
                .containsEntry(Role.PREVIOUS, 1L)
                .containsEntry(Role.UPCOMING, 0L);
        assertThat(status.lastUses()).containsOnlyKeys(Role.CURRENT, Role.PREVIOUS);
        assertThat(status.version(Role.PREVIOUS).orElseThrow().uses()).isEqualTo(1);
    }

    @Test
    void closedSourceServesOnAndReadsNoMore() {
        store.put("key", "one");
        RotatingSecret secret = started("key");
        source.close();
        long reads = store.reads();
        time.advance(Duration.ofHours(1));
        assertThat(text(secret)).isEqualTo("one");
        assertThat(store.reads()).isEqualTo(reads);
        assertThat(secret.refresh(RefreshCause.OPERATOR)).isCompletedWithValue(RefreshResult.LIMITED);
    }

    // Disabled versions

    @Test
    void warnsWhileAnOlderVersionServesInPlaceOfADisabledLatest() {
        StoredVersion first = StoredVersion.of("v1", SecretValue.ofText("one"))
                .withActivatedAt(time.clock().instant().minus(GRACE));
        StoredVersion second = StoredVersion.unread("v2")
                .withActivatedAt(time.clock().instant())
                .withEnabled(false);
        SecretStore told = new SecretStore() {
            @Override
            public String description() {
                return "a vault";
            }

            @Override
            public List<StoreResult> read(List<StoreQuery> queries) {
                return List.of(StoreResult.found(StoredSecret.of("tag", List.of(first, second))));
            }
        };
        SecretSource over = source(told);
        RotatingSecret secret = over.secret("key");
        start(over);

        assertThat(text(secret)).isEqualTo("one");
        assertThat(secret.status().warnings())
                .containsExactly(
                        "its latest version, v2, is disabled and v1 serves instead: enable it or create a new one");
    }
}
