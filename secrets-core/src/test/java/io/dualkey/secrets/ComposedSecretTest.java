package io.dualkey.secrets;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/** A connection string made of a user and a password that rotate, in virtual time. */
class ComposedSecretTest {

    private static final Duration ROUND = Duration.ofSeconds(67);
    private static final Duration GRACE = Duration.ofHours(24);

    private final VirtualTime time = new VirtualTime();
    private final InMemoryStore store = new InMemoryStore(time.clock());
    private final SecretSource source = source(time, store);

    private static SecretSource source(VirtualTime time, SecretStore store) {
        return SecretSource.builder(store).threads(time).build();
    }

    private RotatingSecret started() {
        RotatingSecret url = source.composed("url", "{user}:{password}");
        begin();
        return url;
    }

    private void begin() {
        start(time, source);
    }

    private static void start(VirtualTime clock, SecretSource what) {
        var unused = what.begin();
        clock.run();
    }

    private void put(String user, String password) {
        store.put("user", user);
        store.put("password", password);
    }

    private static List<String> accepted(Rotating<SecretValue> secret) {
        return secret.versions().accepted().stream()
                .map(version -> version.value().revealText())
                .toList();
    }

    @Test
    void isMadeOfItsParts() {
        put("u1", "p 1");
        RotatingSecret url = source.composed("url", "postgresql://{user}:{password}@db:5432/app");
        begin();
        assertThat(url.current().revealText()).isEqualTo("postgresql://u1:p%201@db:5432/app");
        assertThat(url.name()).isEqualTo("url");
        assertThat(url.status().state()).isEqualTo(SecretState.HEALTHY);
        assertThat(url.status().store()).isEqualTo("composed of 'user', 'password'");
        assertThat(url.status().version(Role.CURRENT).orElseThrow().id()).isEqualTo("v1+v2");
        assertThat(source.statuses()).extracting(SecretStatus::name).containsExactly("user", "password", "url");
        assertThat(source.secret("url")).isSameAs(url);
    }

    @Test
    void isMadeOfTheFieldsOfOneSecret() {
        store.put("rds", "{\"username\":\"u1\",\"password\":\"p1\",\"host\":\"db\",\"port\":5432}");
        RotatingSecret url =
                source.composed("url", "postgresql://{rds#username}:{rds#password}@{rds#host}:{rds#port}/app");
        begin();
        assertThat(accepted(url)).containsExactly("postgresql://u1:p1@db:5432/app");
        store.put("rds", "{\"username\":\"u2\",\"password\":\"p2\",\"host\":\"db\",\"port\":5432}");
        time.advance(ROUND);
        assertThat(accepted(url)).containsExactly("postgresql://u2:p2@db:5432/app", "postgresql://u1:p1@db:5432/app");
    }

    @Test
    void versionWithAFieldMissingIsNeverMixedWithTheOneBefore() {
        store.put("rds", "{\"username\":\"u1\",\"password\":\"p1\"}");
        RotatingSecret url = source.composed("url", "{rds#username}:{rds#password}");
        begin();
        List<String> seen = new ArrayList<>();
        url.onRotation(version -> seen.add(version.value().revealText()));
        store.put("rds", "{\"password\":\"p2\"}");
        time.advance(ROUND);
        assertThat(accepted(url)).containsExactly("u1:p1");
        assertThat(url.status().state()).isEqualTo(SecretState.DEGRADED);
        store.put("rds", "{\"username\":\"u3\",\"password\":\"p3\"}");
        time.advance(ROUND);
        assertThat(accepted(url)).containsExactly("u3:p3", "u1:p1");
        assertThat(seen).containsExactly("u1:p1", "u3:p3");
    }

    /** P3: a version that cannot fill its places replaces nothing, however long that lasts. */
    @Test
    void versionWithAFieldMissingIsHeldOffForLongerThanTheGrace() {
        store.put("rds", "{\"username\":\"u1\",\"password\":\"p1\"}");
        RotatingSecret url = source.composed("url", "{rds#username}:{rds#password}");
        begin();
        store.put("rds", "{\"password\":\"p2\"}");
        time.advance(GRACE.multipliedBy(2));
        assertThat(accepted(url)).containsExactly("u1:p1");
    }

    @Test
    void partsRotatedTogetherAreOneRotation() {
        put("u1", "p1");
        RotatingSecret url = started();
        List<String> seen = new ArrayList<>();
        url.onRotation(version -> seen.add(version.value().revealText()));
        time.advance(Duration.ofHours(1));
        store.put("user", "u2");
        time.advance(Duration.ofSeconds(1));
        store.put("password", "p2");
        time.advance(ROUND);
        assertThat(accepted(url)).containsExactly("u2:p2", "u1:p1");
        time.advance(GRACE.minusSeconds(70));
        assertThat(accepted(url)).containsExactly("u2:p2", "u1:p1");
        time.advance(Duration.ofSeconds(10));
        assertThat(accepted(url)).containsExactly("u2:p2");
        assertThat(seen).containsExactly("u1:p1", "u2:p2");
    }

    @Test
    void previousIsWhatStoodTogetherAndNeverACross() {
        put("u1", "p1");
        RotatingSecret url = started();
        time.advance(Duration.ofHours(1));
        store.put("user", "u2");
        time.advance(Duration.ofHours(1));
        store.put("password", "p2");
        time.advance(ROUND);
        assertThat(accepted(url)).containsExactly("u2:p2", "u2:p1", "u1:p1");
        assertThat(url.versions().previous())
                .extracting(version -> version.activatedAt().orElseThrow())
                .containsExactly(VirtualTime.START.plus(Duration.ofHours(1)), VirtualTime.START);
        time.advance(GRACE.minusHours(1));
        assertThat(accepted(url)).containsExactly("u2:p2", "u2:p1");
        time.advance(Duration.ofHours(1));
        assertThat(accepted(url)).containsExactly("u2:p2");
    }

    /** P2: a process that starts in mid-grace accepts the same as one that saw it all. */
    @Test
    void randomSchedulesLookTheSameToAProcessThatStartsLater() {
        int crosses = 0;
        for (int seed = 0; seed < 30; seed++) {
            Random random = new Random(seed);
            VirtualTime clock = new VirtualTime(seed);
            InMemoryStore vault = new InMemoryStore(clock.clock());
            vault.put("user", "u0");
            vault.put("password", "p0");
            try (SecretSource early = source(clock, vault)) {
                RotatingSecret seesAll = early.composed("url", "{user}:{password}");
                start(clock, early);
                List<String> inForce = new ArrayList<>(List.of("u0:p0"));
                int user = 0;
                int password = 0;
                for (int step = 1; step <= 6; step++) {
                    clock.advance(Duration.ofSeconds(1 + random.nextInt(random.nextBoolean() ? 20 : 30_000)));
                    if (random.nextBoolean()) {
                        user = random.nextInt(4) == 0 ? Math.max(0, user - 1) : step; // at times a rollback
                        vault.put("user", "u" + user);
                        inForce.add("u" + user + ":p" + password);
                        clock.advance(Duration.ofSeconds(random.nextInt(3)));
                    }
                    if (random.nextBoolean()) {
                        password = step;
                        vault.put("password", "p" + password);
                        inForce.add("u" + user + ":p" + password);
                    }
                }
                clock.advance(ROUND);
                try (SecretSource late = source(clock, vault)) {
                    RotatingSecret restarted = late.composed("url", "{user}:{password}");
                    start(clock, late);
                    assertThat(accepted(seesAll)).as("seed %d", seed).isEqualTo(accepted(restarted));
                    crosses += accepted(seesAll).size() - 1;
                    assertThat(inForce).as("seed %d", seed).containsAll(accepted(seesAll));
                    assertThat(accepted(seesAll).get(0)).isEqualTo("u" + user + ":p" + password);
                    clock.advance(Duration.ofHours(5));
                    assertThat(accepted(seesAll)).as("seed %d", seed).isEqualTo(accepted(restarted));
                }
            }
        }
        assertThat(crosses).isGreaterThan(30);
    }

    @Test
    void partThatIsRevokedTakesAllWithItAtTheNextCheck() {
        String first = store.put("user", "u1");
        store.put("password", "p1");
        RotatingSecret url = started();
        time.advance(Duration.ofHours(1));
        put("u2", "p2");
        time.advance(ROUND);
        assertThat(accepted(url)).containsExactly("u2:p2", "u1:p1");
        store.disable("user", first);
        time.advance(ROUND);
        assertThat(accepted(url)).containsExactly("u2:p2");
        store.failWith(Outcome.DISABLED);
        time.advance(ROUND);
        assertThat(accepted(url)).isEmpty();
        assertThatThrownBy(url::current)
                .isInstanceOf(SecretUnavailableException.class)
                .hasMessageContainingAll("'url'", "its part 'user' is not available");
        store.recover();
        time.advance(ROUND);
        assertThat(accepted(url)).containsExactly("u2:p2");
    }

    /** What is new may wait for a store that hangs; what was revoked may not. In real time: it really hangs. */
    @Test
    void revokedPreviousIsRefusedWhileAnotherPartIsAskedAgain() {
        InMemoryStore users = new InMemoryStore();
        HangingStore passwords = new HangingStore();
        try (SecretSource over = SecretSource.builder(users)
                .store("slow", passwords)
                .refreshInterval(Duration.ofMinutes(10))
                .build()) {
            String first = users.put("user", "u1");
            RotatingSecret url = over.composed("url", "{user}:{slow:password}");
            over.start(Duration.ofSeconds(30));
            users.put("user", "u2");
            refresh(over.secret("user"));
            await().until(() -> accepted(url).equals(List.of("u2:p1", "u1:p1")));
            passwords.hangs = true;
            users.disable("user", first);
            users.put("user", "u3");
            refresh(over.secret("user"));
            await().atMost(Duration.ofSeconds(8)) // a change waits for 10 seconds
                    .until(() -> accepted(url).equals(List.of("u2:p1")));
            passwords.release.countDown();
            await().until(() -> accepted(url).equals(List.of("u3:p1", "u2:p1")));
        }
    }

    private static void refresh(RotatingSecret secret) {
        assertThat(secret.refresh(RefreshCause.OPERATOR)).succeedsWithin(Duration.ofSeconds(10));
    }

    /** Also where the replaced parts are not accepted beside the new ones. */
    @Test
    void partsRotatedTogetherAreOneRotationWithoutAnyGrace() {
        put("u1", "p1");
        SecretSource over =
                SecretSource.builder(store).grace(Duration.ZERO).threads(time).build();
        RotatingSecret url = over.composed("url", "{user}:{password}");
        List<String> seen = new ArrayList<>();
        url.onRotation(version -> seen.add(version.value().revealText()));
        start(time, over);
        time.advance(Duration.ofMinutes(5));
        put("u2", "p2");
        time.advance(ROUND);
        assertThat(seen).containsExactly("u1:p1", "u2:p2");
        assertThat(accepted(url)).containsExactly("u2:p2");
    }

    /** A store that asked to be left alone is not asked; what it holds is waited for ten seconds at most. */
    @Test
    void partWhoseStoreAskedToBeLeftAloneIsWaitedForALittle() {
        store.put("user", "u1");
        boolean[] throttled = new boolean[1];
        SecretStore other = new SecretStore() {
            @Override
            public String description() {
                return "other";
            }

            @Override
            public List<StoreResult> read(List<StoreQuery> queries) {
                return List.of(
                        throttled[0]
                                ? StoreResult.failed(Outcome.THROTTLED, "too many", Duration.ofMinutes(10))
                                : StoreResult.found(StoredSecret.of(
                                        "t", List.of(StoredVersion.of("p", SecretValue.ofText("p1"))))));
            }
        };
        SecretSource over =
                SecretSource.builder(store).store("other", other).threads(time).build();
        RotatingSecret url = over.composed("url", "{user}:{other:password}");
        start(time, over);
        throttled[0] = true;
        time.advance(ROUND);
        store.put("user", "u2");
        var unused = over.secret("user").refresh(RefreshCause.OPERATOR);
        time.advance(Duration.ofSeconds(9));
        assertThat(accepted(url)).containsExactly("u1:p1");
        time.advance(Duration.ofSeconds(2));
        assertThat(accepted(url)).containsExactly("u2:p1", "u1:p1");
    }

    /** P4: a part that changes all the time costs the store of another part a few calls, and not one for each change. */
    @Test
    void flappingPartIsNoBurdenToTheStoreOfAnother() {
        InMemoryStore vault = new InMemoryStore(time.clock());
        vault.put("password", "p");
        SecretSource over =
                SecretSource.builder(store).store("vault", vault).threads(time).build();
        store.put("user", "u");
        RotatingSecret url = over.composed("url", "{user}:{vault:password}");
        start(time, over);
        time.advance(Duration.ofMinutes(2));
        long before = vault.reads();
        for (int i = 0; i < 60; i++) {
            store.put("user", "u" + i);
            var unused = over.secret("user").refresh(RefreshCause.LOGIN_FAILED);
            time.advance(Duration.ofSeconds(1));
        }
        assertThat(vault.reads() - before).isLessThanOrEqualTo(10);
        time.advance(ROUND);
        assertThat(url.current().revealText()).isEqualTo("u59:p");
    }

    /** P8, on real threads: what a second start waits for includes what is made of the parts. */
    @Test
    void secondStartFindsWhatWasMissing() {
        for (int i = 0; i < 50; i++) {
            InMemoryStore vault = new InMemoryStore();
            vault.put("user", "u");
            try (SecretSource over = SecretSource.from(vault)) {
                RotatingSecret url = over.composed("url", "{user}:{password}");
                assertThatThrownBy(() -> over.start(Duration.ofSeconds(10))).isInstanceOf(SecretStartupException.class);
                vault.put("password", "p");
                over.start(Duration.ofSeconds(10));
                assertThat(url.current().revealText()).isEqualTo("u:p");
            }
        }
    }

    @Test
    void refreshIsAnsweredWhenTheSourceIsClosed() {
        InMemoryStore vault = new InMemoryStore();
        vault.put("user", "u");
        SecretSource over = SecretSource.from(vault);
        RotatingSecret url = over.composed("url", "{user}");
        over.start(Duration.ofSeconds(10));
        vault.hang();
        CompletableFuture<RefreshResult> underWay = url.refresh(RefreshCause.OPERATOR);
        over.close();
        assertThat(underWay).succeedsWithin(Duration.ofSeconds(10));
        assertThat(url.refresh(RefreshCause.OPERATOR))
                .succeedsWithin(Duration.ofSeconds(10))
                .isEqualTo(RefreshResult.LIMITED);
        assertThat(over.secret("made-late").refresh(RefreshCause.OPERATOR))
                .succeedsWithin(Duration.ofSeconds(10))
                .isEqualTo(RefreshResult.LIMITED);
    }

    @Test
    void missingPartIsNamedAtStart() {
        store.put("user", "u1");
        RotatingSecret url = source.composed("url", "{user}:{password}");
        CompletableFuture<Void> settled = source.begin();
        time.run();
        assertThat(settled).isCompleted();
        assertThat(url.status().state()).isEqualTo(SecretState.UNAVAILABLE);
        assertThat(url.status().outcome()).contains(Outcome.NOT_FOUND);
        assertThat(url.status().detail()).startsWith("its part 'password' is not available");
        store.put("password", "p1");
        time.advance(ROUND);
        assertThat(accepted(url)).containsExactly("u1:p1");
    }

    @Test
    void startWaitsForAPartThatCannotBeReached() {
        put("u1", "p1");
        store.failWith(Outcome.UNREACHABLE);
        RotatingSecret url = source.composed("url", "{user}:{password}");
        CompletableFuture<Void> settled = source.begin();
        time.run();
        assertThat(settled).isNotDone();
        store.recover();
        time.advance(Duration.ofSeconds(3));
        assertThat(settled).isCompleted();
        assertThat(accepted(url)).containsExactly("u1:p1");
    }

    @Test
    void servesOnDegradedWhileAPartIs() {
        put("u1", "p1");
        RotatingSecret url = started();
        store.put("password", "changeme");
        time.advance(ROUND);
        assertThat(accepted(url)).containsExactly("u1:p1");
        assertThat(url.status().state()).isEqualTo(SecretState.DEGRADED);
        assertThat(url.status().detail())
                .contains("its part 'password' is degraded")
                .doesNotContain("changeme");
        store.put("password", "p2");
        time.advance(ROUND);
        assertThat(accepted(url)).containsExactly("u1:p2", "u1:p1");
        assertThat(url.status().state()).isEqualTo(SecretState.HEALTHY);
    }

    /** P6: as old as the oldest news that it is made of. */
    @Test
    void failsClosedByItsOwnLimit() {
        put("u1", "p1");
        InMemoryStore passwords = new InMemoryStore(time.clock());
        passwords.put("password", "p1");
        SecretSource over = SecretSource.builder(store)
                .store("other", passwords)
                .secret("url", url -> url.maxStale(Duration.ofMinutes(5)).failClosed())
                .threads(time)
                .build();
        RotatingSecret url = over.composed("url", "{user}:{other:password}");
        start(time, over);
        passwords.failWith(Outcome.UNREACHABLE);
        time.advance(Duration.ofMinutes(4));
        assertThat(accepted(url)).containsExactly("u1:p1");
        assertThat(url.status().state()).isEqualTo(SecretState.DEGRADED);
        time.advance(Duration.ofMinutes(2));
        assertThat(accepted(url)).isEmpty();
        assertThatThrownBy(url::current).hasMessageContaining("is longer ago than PT5M and so it is refused");
        assertThat(accepted(over.secret("other:password"))).containsExactly("p1");
        passwords.recover();
        time.advance(Duration.ofMinutes(5));
        assertThat(accepted(url)).containsExactly("u1:p1");
        assertThat(url.status().state()).isEqualTo(SecretState.HEALTHY);
    }

    @Test
    void degradedPartIsReportedOnceForAsLongAsItLasts() {
        put("u1", "p1");
        Logger logger = (Logger) LoggerFactory.getLogger(SecretSource.class);
        ListAppender<ILoggingEvent> seen = new ListAppender<>();
        seen.start();
        logger.addAppender(seen);
        try {
            started();
            store.failWith(Outcome.UNREACHABLE);
            time.advance(Duration.ofHours(1));
            store.recover();
            time.advance(Duration.ofMinutes(10));
        } finally {
            logger.detachAppender(seen);
        }
        assertThat(seen.list.stream()
                        .map(ILoggingEvent::getFormattedMessage)
                        .filter(message -> message.startsWith("Secret 'url'")))
                .satisfiesExactly(
                        first -> assertThat(first).startsWith("Secret 'url' is DEGRADED: its part '"),
                        second -> assertThat(second).isEqualTo("Secret 'url' is HEALTHY again"));
    }

    @Test
    void companionBelongsToAPartAndNotToTheWhole() {
        SecretSource over = SecretSource.builder(store)
                .secret("url", url -> url.companion("url-previous"))
                .threads(time)
                .build();
        assertThatThrownBy(() -> over.composed("url", "{user}"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("'url'", "companion", "its parts");
    }

    @Test
    void valueThatCannotStandInItsPlaceIsHeldOff() {
        store.put("host", "db-1");
        RotatingSecret url = source.composed("url", "postgresql://{host}/app");
        begin();
        store.put("host", "canary/@x");
        time.advance(ROUND);
        assertThat(accepted(url)).containsExactly("postgresql://db-1/app");
        assertThat(source.secret("host").status().detail())
                .contains("cannot stand in a URL's host")
                .doesNotContain("canary");
        store.put("host", SecretValue.of(new byte[] {(byte) 0xff}));
        time.advance(ROUND);
        assertThat(accepted(url)).containsExactly("postgresql://db-1/app");
        store.put("host", "db-2");
        time.advance(ROUND);
        assertThat(accepted(url)).containsExactly("postgresql://db-2/app", "postgresql://db-1/app");
    }

    @Test
    void changeOfOnePartIsServedWhenTheOtherIsConfirmed() {
        put("u1", "p1");
        RotatingSecret url = started();
        store.put("password", "p2");
        long before = store.reads();
        RefreshResult result =
                source.secret("password").refresh(RefreshCause.OPERATOR).getNow(RefreshResult.LIMITED);
        assertThat(result).isEqualTo(RefreshResult.LIMITED); // not yet
        time.run();
        assertThat(accepted(url)).containsExactly("u1:p2", "u1:p1");
        assertThat(store.reads() - before).isEqualTo(2);
    }

    /** A store that hangs delays a change for ten seconds, or one interval, at most. In real time: it really hangs. */
    @Test
    void changeOfOnePartIsServedWhenTheOthersStoreHangs() {
        InMemoryStore users = new InMemoryStore();
        HangingStore passwords = new HangingStore();
        try (SecretSource over = SecretSource.builder(users)
                .store("slow", passwords)
                .refreshInterval(Duration.ofMillis(50))
                .build()) {
            users.put("user", "u1");
            RotatingSecret url = over.composed("url", "{user}:{slow:password}");
            over.start(Duration.ofSeconds(30));
            assertThat(accepted(url)).containsExactly("u1:p1");
            passwords.hang();
            users.put("user", "u2");
            await().until(() -> accepted(url).get(0).equals("u2:p1"));
            passwords.release.countDown();
        }
    }

    private static final class HangingStore implements SecretStore {

        private final CountDownLatch release = new CountDownLatch(1);
        private final CountDownLatch hanging = new CountDownLatch(1);
        private volatile boolean hangs;

        void hang() {
            hangs = true;
            await().until(() -> hanging.getCount() == 0);
        }

        @Override
        public String description() {
            return "hanging";
        }

        @Override
        public List<StoreResult> read(List<StoreQuery> queries) throws InterruptedException {
            if (hangs) {
                hanging.countDown();
                release.await();
            }
            return List.of(
                    StoreResult.found(StoredSecret.of("t", List.of(StoredVersion.of("p", SecretValue.ofText("p1"))))));
        }
    }

    @Test
    void refreshAsksAllParts() {
        put("u1", "p1");
        RotatingSecret url = started();
        long before = store.reads();
        CompletableFuture<RefreshResult> nothing = url.refresh(RefreshCause.OPERATOR);
        time.run();
        assertThat(nothing).isCompletedWithValue(RefreshResult.UNCHANGED);
        assertThat(store.reads() - before).isEqualTo(2);
        put("u2", "p2");
        CompletableFuture<RefreshResult> changed = url.refresh(RefreshCause.OPERATOR);
        var published = changed.thenApply(result -> accepted(url));
        time.run();
        assertThat(changed).isCompletedWithValue(RefreshResult.CHANGED);
        assertThat(published.join().get(0)).isEqualTo("u2:p2");
        store.failWith(Outcome.UNREACHABLE);
        CompletableFuture<RefreshResult> failed = url.refresh(RefreshCause.OPERATOR);
        time.run();
        assertThat(failed).isCompletedWithValue(RefreshResult.FAILED);
        source.close();
        CompletableFuture<RefreshResult> closed = url.refresh(RefreshCause.OPERATOR);
        time.run();
        assertThat(closed).isCompletedWithValue(RefreshResult.LIMITED);
    }

    @Test
    void gateMapAndListenersWorkAsOnAnyOther() {
        put("u1", "p1");
        RotatingSecret url = source.composed("url", "{user}:{password}");
        List<String> refused = new ArrayList<>(List.of("u2:p1"));
        Rotating<SecretValue> proven = url.gatedBy(version -> {
            if (refused.contains(version.value().revealText())) {
                throw new UnusableSecretException("the server refused it");
            }
        });
        Rotating<Integer> length = url.map(SecretValue::length);
        begin();
        assertThat(accepted(proven)).containsExactly("u1:p1");
        assertThat(length.current()).isEqualTo(5);
        time.advance(Duration.ofHours(1));
        store.put("user", "u2");
        time.advance(ROUND);
        assertThat(accepted(url)).containsExactly("u2:p1", "u1:p1");
        assertThat(accepted(proven)).containsExactly("u1:p1");
        assertThat(url.status().detail()).contains("the server refused it");
        store.put("password", "p2");
        time.advance(ROUND);
        assertThat(accepted(proven)).containsExactly("u2:p2");
        url.recordUse(url.versions().previous().get(0), time.clock().millis());
        assertThat(url.status().uses()).containsEntry(Role.PREVIOUS, 1L);
    }

    @Test
    void announcedPartComesIntoForceByTheClock() {
        put("u1", "p1");
        Instant begin = VirtualTime.START.plusSeconds(600);
        store.add(
                "user",
                StoredVersion.of("next", SecretValue.ofText("u2"))
                        .withActivatedAt(VirtualTime.START)
                        .withNotBefore(begin));
        RotatingSecret url = started();
        time.advance(Duration.ofMinutes(5));
        store.put("password", "p2");
        time.advance(Duration.ofMinutes(6));
        // u2 was created before p2 but came into force after it: u2:p1 never was.
        assertThat(accepted(url)).containsExactly("u2:p2", "u1:p2", "u1:p1");
        assertThat(url.versions().current().orElseThrow().activatedAt()).contains(begin);
    }

    @Test
    void policyIsTheStrictestOfTheParts() {
        put("u1", "p1");
        assertThat(started().policy()).isEqualTo(new RotationPolicy(Duration.ofSeconds(60), GRACE));
    }

    @Test
    void filesAreRememberedAndForgottenTogether(@TempDir Path directory) throws IOException {
        Files.writeString(directory.resolve("user"), "u1");
        Files.writeString(directory.resolve("password"), "p1");
        SecretSource files = source(time, DirectoryStore.at(directory));
        RotatingSecret url = files.composed("url", "{user}:{password}");
        var unused = files.begin();
        time.run();
        time.advance(Duration.ofHours(1));
        Files.writeString(directory.resolve("user"), "u2");
        Files.writeString(directory.resolve("password"), "p2");
        time.advance(ROUND);
        assertThat(accepted(url)).containsExactly("u2:p2", "u1:p1");
        url.forgetRemembered();
        time.run();
        assertThat(accepted(url)).containsExactly("u2:p2");
    }

    @Test
    void staysHealthyWhenItsPartsCannotChange() {
        SecretSource environment = source(time, EnvironmentStore.of(Map.of("USER", "u1", "PASSWORD", "p1")));
        RotatingSecret url = environment.composed("url", "{USER}:{PASSWORD}");
        start(time, environment);
        time.advance(Duration.ofHours(1));
        assertThat(accepted(url)).containsExactly("u1:p1");
        assertThat(url.status().state()).isEqualTo(SecretState.HEALTHY);
    }

    @Test
    void composedSecretCanBePartOfAnother() {
        put("u1", "p1");
        store.put("host", "db");
        source.composed("login", "{user}:{password}");
        RotatingSecret url = source.composed("url", "pg://{login|raw}@{host}/");
        begin();
        assertThat(accepted(url)).containsExactly("pg://u1:p1@db/");
        time.advance(Duration.ofHours(1));
        put("u2", "p2");
        time.advance(ROUND);
        assertThat(accepted(url)).containsExactly("pg://u2:p2@db/", "pg://u1:p1@db/");
        CompletableFuture<RefreshResult> refreshed = url.refresh(RefreshCause.OPERATOR);
        time.run();
        assertThat(refreshed).isCompletedWithValue(RefreshResult.UNCHANGED);
    }

    @Test
    void madeAfterTheStartItIsServedAtOnce() {
        put("u1", "p1");
        source.secret("user");
        begin();
        RotatingSecret url = source.composed("url", "{user}:{password}");
        time.run();
        assertThat(accepted(url)).containsExactly("u1:p1");
        assertThat(source.composed("url", "{user}:{password}")).isSameAs(url);
    }

    @Test
    void malformedOrTakenNamesAreRefusedBeforeAnythingIsMade() {
        assertThatThrownBy(() -> source.composed("a:b", "{user}")).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> source.composed("a#b", "{user}")).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> source.composed("url", "{user")).hasMessageContaining("character 1");
        assertThatThrownBy(() -> source.composed("url", "{user}:{gcp:x}")).hasMessageContaining("'gcp'");
        assertThatThrownBy(() -> source.composed("url", "{user}:{url}")).hasMessageContaining("of itself");
        assertThat(source.statuses()).isEmpty();
        source.secret("user");
        assertThatThrownBy(() -> source.composed("user", "{password}")).hasMessageContaining("taken");
        source.composed("url", "{user}");
        assertThatThrownBy(() -> source.composed("url", "{password}")).hasMessageContaining("taken");
    }
}
