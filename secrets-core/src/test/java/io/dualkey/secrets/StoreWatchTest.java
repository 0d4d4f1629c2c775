package io.dualkey.secrets;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What a store's hints bring about, in virtual time. P4: they speed up the schedule, are bounded, and nothing depends on them. */
class StoreWatchTest {

    private static final Duration INTERVAL = Duration.ofHours(1);

    private final VirtualTime time = new VirtualTime();
    private final InMemoryStore secrets = new InMemoryStore(time.clock());
    private final Watched store = new Watched();
    private final SecretSource source =
            SecretSource.builder(store).refreshInterval(INTERVAL).threads(time).build();

    /** The memory, with a watch that the test drives. */
    private final class Watched implements SecretStore {

        private @Nullable Runnable changed;
        private int hintsDuringReads;
        private @Nullable StoreResult failure;
        private boolean broken;

        void hint() {
            if (changed != null) {
                changed.run();
            }
        }

        @Override
        public String description() {
            return "watched";
        }

        @Override
        public List<StoreResult> read(List<StoreQuery> queries) throws Exception {
            List<StoreResult> results = secrets.read(queries);
            if (hintsDuringReads > 0) {
                hintsDuringReads--;
                secrets.put("key", "during " + hintsDuringReads);
                hint();
            }
            return failure == null ? results : List.of(failure);
        }

        @Override
        public Registration watch(Runnable told) {
            if (broken) {
                throw new IllegalStateException("no watch today");
            }
            changed = told;
            return () -> changed = null;
        }
    }

    @Test
    void hintIsReadAtOnce() {
        RotatingSecret secret = started();
        time.advance(Duration.ofMinutes(1));
        secrets.put("key", "two");
        store.hint();
        time.advance(Duration.ZERO);
        assertThat(secret.current().revealText()).isEqualTo("two");
    }

    @Test
    void hintDuringAReadIsFollowedByOneMoreRead() {
        RotatingSecret secret = started();
        time.advance(Duration.ofMinutes(1));
        long before = secrets.reads();
        store.hintsDuringReads = 1;
        store.hint();
        store.hint();
        time.advance(Duration.ZERO);
        assertThat(secrets.reads()).isEqualTo(before + 1);
        assertThat(secret.current().revealText()).isEqualTo("one");
        time.advance(Duration.ofMillis(100));
        assertThat(secrets.reads()).isEqualTo(before + 2);
        assertThat(secret.current().revealText()).isEqualTo("during 0");
        time.advance(Duration.ofMinutes(1));
        assertThat(secrets.reads()).isEqualTo(before + 2);
    }

    /** A thousand hints a second for ten seconds: ten reads a second, and the last change is not lost. */
    @Test
    void stormOfHintsIsBoundedAndItsEndIsSeen() {
        RotatingSecret secret = started();
        time.advance(Duration.ofMinutes(1));
        long before = secrets.reads();
        for (int i = 0; i < 10_000; i++) {
            time.advance(Duration.ofMillis(1));
            store.hint();
        }
        secrets.put("key", "last");
        store.hint();
        time.advance(Duration.ofMillis(100));
        assertThat(secrets.reads() - before).isBetween(100L, 102L);
        assertThat(secret.current().revealText()).isEqualTo("last");
    }

    @Test
    void scheduleGoesOnRegardlessOfHints() {
        RotatingSecret secret = started();
        time.advance(INTERVAL.multipliedBy(2));
        long before = secrets.reads();
        Duration step = Duration.ofMinutes(10);
        for (Duration passed = Duration.ZERO;
                passed.compareTo(INTERVAL.multipliedBy(20)) < 0;
                passed = passed.plus(step)) {
            store.hint();
            time.advance(step);
        }
        // 120 hinted reads, and one scheduled check in 0.9 to 1.1 intervals as if there had been none.
        assertThat(secrets.reads() - before).isBetween(120L + 17, 120L + 23);
        secrets.put("key", "unannounced");
        time.advance(INTERVAL.multipliedBy(2));
        assertThat(secret.current().revealText()).isEqualTo("unannounced");
    }

    @Test
    void retryAfterIsHonouredWhateverIsHinted() {
        RotatingSecret secret = started();
        time.advance(Duration.ofMinutes(1));
        store.failure = StoreResult.failed(Outcome.THROTTLED, "slow down", Duration.ofMinutes(10));
        store.hint();
        time.advance(Duration.ZERO);
        store.failure = null;
        secrets.put("key", "two");
        long before = secrets.reads();
        for (int i = 0; i < 9; i++) {
            store.hint();
            time.advance(Duration.ofMinutes(1));
        }
        assertThat(secrets.reads()).isEqualTo(before);
        time.advance(Duration.ofMinutes(1));
        assertThat(secret.current().revealText()).isEqualTo("two");
    }

    @Test
    void storeThatCannotWatchIsCheckedOnSchedule() {
        store.broken = true;
        RotatingSecret secret = started();
        secrets.put("key", "two");
        time.advance(INTERVAL.multipliedBy(2));
        assertThat(secret.current().revealText()).isEqualTo("two");
        source.close();
    }

    @Test
    void closingEndsTheWatch() {
        RotatingSecret secret = started();
        Runnable changed = store.changed;
        assertThat(changed).isNotNull();
        long before = secrets.reads();
        source.close();
        assertThat(store.changed).isNull();
        changed.run();
        time.advance(INTERVAL);
        assertThat(secrets.reads()).isEqualTo(before);
        assertThat(secret.current().revealText()).isEqualTo("one");
    }

    private RotatingSecret started() {
        secrets.put("key", "one");
        RotatingSecret secret = source.secret("key");
        var unused = source.begin();
        time.run();
        assertThat(secret.current().revealText()).isEqualTo("one");
        return secret;
    }
}
