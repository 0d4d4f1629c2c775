package io.dualkey.secrets;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Many engines, the real ones, on one store in one virtual time. */
class FleetTest {

    private static final Duration INTERVAL = Duration.ofSeconds(60);

    private int ends;

    /**
     * P4: a fleet that is started in one second spreads out: at most twice the mean of a healthy fleet in any 10 seconds, while
     * the store is healthy and while it is not.
     */
    @Test
    void fleetStartedTogetherSpreadsOut() {
        Fleet fleet = new Fleet(1000, 10);
        assertThat(fleet.calls).as("the first fetch").isEqualTo(10_000);

        int busiest = fleet.busiestTenSeconds(Duration.ofMinutes(10));
        long inHealth = fleet.calls;
        double mean = inHealth / 60.0;
        assertThat(busiest).as("10 seconds in health, mean %s", mean).isLessThanOrEqualTo((int) (2 * mean));

        fleet.store.failWith(Outcome.THROTTLED);
        busiest = fleet.busiestTenSeconds(Duration.ofMinutes(10));
        assertThat(busiest).as("10 seconds of throttling").isLessThanOrEqualTo((int) (2 * mean));
        assertThat(fleet.calls).as("never more calls than in health").isLessThanOrEqualTo(inHealth);

        fleet.store.recover();
        busiest = fleet.busiestTenSeconds(Duration.ofMinutes(10));
        assertThat(busiest).as("10 seconds of coming back").isLessThanOrEqualTo((int) (2 * mean));
    }

    private static final class Fleet {

        final VirtualTime time = new VirtualTime(7);
        final InMemoryStore store = new InMemoryStore(time.clock());
        long calls;
        private final Map<Long, Integer> bySecond = new TreeMap<>();

        Fleet(int replicas, int secrets) {
            SecretStore counting = new SecretStore() {
                @Override
                public String description() {
                    return "counting";
                }

                @Override
                public List<StoreResult> read(List<StoreQuery> queries) throws Exception {
                    calls++;
                    bySecond.merge(time.nanos() / 1_000_000_000L, 1, Integer::sum);
                    return store.read(queries);
                }
            };
            for (int secret = 0; secret < secrets; secret++) {
                store.put("s" + secret, "value");
            }
            for (int replica = 0; replica < replicas; replica++) {
                SecretSource source = SecretSource.builder(counting)
                        .refreshInterval(INTERVAL)
                        .threads(time)
                        .build();
                for (int secret = 0; secret < secrets; secret++) {
                    source.secret("s" + secret);
                }
                var unused = source.begin();
            }
            time.run();
        }

        int busiestTenSeconds(Duration period) {
            calls = 0;
            bySecond.clear();
            long from = time.nanos() / 1_000_000_000L;
            time.advance(period);
            int[] seconds = new int[(int) period.toSeconds() + 1];
            bySecond.forEach((second, count) -> seconds[(int) (second - from)] += count);
            int busiest = 0;
            for (int i = 0; i + 10 <= seconds.length; i++) {
                busiest = Math.max(busiest, Arrays.stream(seconds, i, i + 10).sum());
            }
            return busiest;
        }
    }

    /** P2: two processes that see the same store accept the same versions at every instant, whenever they started. */
    @Test
    void enginesThatStartedAtDifferentTimesAcceptTheSame() {
        long compared = 0;
        for (int seed = 0; seed < 2000; seed++) {
            compared += compareTwoEngines(new Random(seed), seed);
        }
        assertThat(compared).isGreaterThan(10_000);
        assertThat(ends)
                .as("times that something ended between two comparisons")
                .isGreaterThan(1_000);
    }

    private long compareTwoEngines(Random random, long seed) {
        VirtualTime time = new VirtualTime(seed);
        InMemoryStore store = new InMemoryStore(time.clock());
        Duration grace = Duration.ofMinutes(random.nextInt(120));
        List<String> ids = new ArrayList<>();
        store.put("key", "v0");
        List<RotatingSecret> started = new ArrayList<>();
        started.add(engine(store, time, grace));
        int steps = 12;
        int secondStartsAt = 1 + random.nextInt(steps - 2);
        long compared = 0;
        for (int step = 0; step < steps; step++) {
            act(store, ids, random, time.clock().instant());
            time.advance(Duration.ofSeconds(random.nextInt(3600)));
            if (step == secondStartsAt) {
                started.add(engine(store, time, grace));
            }
            time.advance(INTERVAL.multipliedBy(2)); // both have noticed by now
            if (started.size() == 2) {
                assertThat(describe(started.get(0)))
                        .as("seed %s step %s", seed, step)
                        .isEqualTo(describe(started.get(1)));
                compared++;
                compareAroundTheNextEnd(started, time, "seed " + seed + " step " + step);
            }
        }
        return compared;
    }

    /** The moments that matter are those at which something ends: a millisecond before, and one after. */
    private void compareAroundTheNextEnd(List<RotatingSecret> engines, VirtualTime time, String when) {
        Instant end = engines.get(0).versions().accepted().stream()
                .flatMap(version -> version.acceptedUntil().stream())
                .min(Instant::compareTo)
                .orElse(null);
        Duration wait =
                end == null ? Duration.ZERO : Duration.between(time.clock().instant(), end);
        if (wait.toMillis() < 2 || wait.compareTo(Duration.ofHours(2)) > 0) {
            return;
        }
        time.advance(wait.minusMillis(1));
        assertThat(describe(engines.get(0))).as("before: %s", when).isEqualTo(describe(engines.get(1)));
        String before = describe(engines.get(0));
        time.advance(Duration.ofMillis(2));
        assertThat(describe(engines.get(0))).as("after: %s", when).isEqualTo(describe(engines.get(1)));
        ends += describe(engines.get(0)).equals(before) ? 0 : 1; // another version may have ended it sooner
    }

    private static RotatingSecret engine(SecretStore store, VirtualTime time, Duration grace) {
        SecretSource source = SecretSource.builder(store)
                .refreshInterval(INTERVAL)
                .grace(grace)
                .threads(time)
                .build();
        RotatingSecret secret = source.secret("key");
        var unused = source.begin();
        time.run();
        return secret;
    }

    /** What an operator may do: rotate, roll back, announce, let expire, disable, remove, or leave a placeholder. */
    private static void act(InMemoryStore store, List<String> ids, Random random, Instant now) {
        switch (random.nextInt(8)) {
            case 0, 1, 2 -> ids.add(store.put("key", "v" + random.nextInt(5)));
            case 3 -> {
                StoredVersion announced = StoredVersion.of(
                                "n" + ids.size(), SecretValue.ofText("n" + random.nextInt(5)))
                        .withActivatedAt(now)
                        .withNotBefore(now.plusSeconds(random.nextInt(7200)));
                store.add("key", announced);
                ids.add(announced.id());
            }
            case 4 -> {
                StoredVersion limited = StoredVersion.of("e" + ids.size(), SecretValue.ofText("e" + random.nextInt(5)))
                        .withActivatedAt(now)
                        .withExpires(now.plusSeconds(random.nextInt(7200)));
                store.add("key", limited);
                ids.add(limited.id());
            }
            case 5 -> any(ids, random, id -> store.disable("key", id));
            case 6 -> any(ids, random, id -> store.remove("key", id));
            default -> ids.add(store.put("key", "changeme"));
        }
    }

    private static void any(List<String> ids, Random random, Consumer<String> action) {
        if (!ids.isEmpty()) {
            action.accept(ids.get(random.nextInt(ids.size())));
        }
    }

    private static String describe(RotatingSecret secret) {
        Versions<SecretValue> versions = secret.versions();
        StringBuilder text = new StringBuilder();
        for (Version<SecretValue> version : versions.accepted()) {
            text.append(describe(version)).append(' ');
        }
        return text + versions.upcoming().map(FleetTest::describe).orElse("");
    }

    private static String describe(@Nullable Version<SecretValue> version) {
        return version == null
                ? ""
                : version.role() + ":" + version.value().revealText() + "<"
                        + version.acceptedUntil().orElse(Instant.MAX);
    }

    /** P5: a flood of untrusted requests stays in its lane; an operator and a real rotation are served in its midst. */
    @Test
    void floodOfUntrustedRequestsStaysInItsLane() {
        VirtualTime time = new VirtualTime(3);
        InMemoryStore store = new InMemoryStore(time.clock());
        store.put("key", "one");
        RotatingSecret secret = engine(store, time, Duration.ofHours(24));
        Map<RefreshResult, Integer> answers = new HashMap<>();
        long before = store.reads();
        for (int second = 0; second < 120; second++) {
            flood(secret, time, answers);
        }
        long spent = store.reads() - before;
        assertThat(spent).as("reads in two minutes of the flood").isBetween(2L, 5L);
        assertThat(answers.get(RefreshResult.LIMITED)).isGreaterThan(11_000_000);

        store.put("key", "two");
        var operator = secret.refresh(RefreshCause.OPERATOR);
        time.run();
        assertThat(operator).isCompletedWithValue(RefreshResult.CHANGED);

        store.put("key", "three");
        int seconds = 0;
        while (!secret.current().revealText().equals("three")) {
            flood(secret, time, answers);
            seconds++;
        }
        assertThat(seconds).as("until a real rotation is seen").isLessThanOrEqualTo(66);
    }

    private static void flood(RotatingSecret secret, VirtualTime time, Map<RefreshResult, Integer> answers) {
        for (int i = 0; i < 100_000; i++) {
            var answer = secret.refresh(RefreshCause.UNTRUSTED);
            if (answer.isDone()) {
                answers.merge(answer.join(), 1, Integer::sum);
            }
            if (i % 10_000 == 0) {
                time.run();
            }
        }
        time.advance(Duration.ofSeconds(1));
    }
}
