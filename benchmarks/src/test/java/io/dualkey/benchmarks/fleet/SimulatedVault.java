package io.dualkey.benchmarks.fleet;

import io.dualkey.secrets.Outcome;
import io.dualkey.secrets.SecretStore;
import io.dualkey.secrets.SecretValue;
import io.dualkey.secrets.StoreQuery;
import io.dualkey.secrets.StoreResult;
import io.dualkey.secrets.StoredSecret;
import io.dualkey.secrets.StoredVersion;
import io.dualkey.secrets.VirtualTime;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A vault that keeps two versions of each secret, counts the calls and answers 429 with {@code Retry-After} beyond its
 * limit. An answer takes no time. Not safe for use by several threads: virtual time has one.
 */
final class SimulatedVault implements SecretStore {

    private static final int WINDOW = 10;

    /** The versions of a secret, the newer one last. */
    private record Secret(StoredSecret stored, Instant changed) {

        List<StoredVersion> versions() {
            return stored.versions();
        }
    }

    /** What was counted since a moment. */
    record Traffic(long calls, int busiestTenSeconds, long throttled, int busiestHourOfReads) {}

    private final VaultService service;
    private final VirtualTime time;
    private final String watched;
    private final Map<String, Secret> secrets = new HashMap<>();
    private final Quota gets;
    private final Quota others;

    private long from;
    private long calls;
    private long throttled;
    private int[] bySecond = new int[0];
    private int[] readsByHour = new int[0];

    /**
     * An empty vault.
     *
     * @param watched the secret whose reads are counted for an alert
     */
    SimulatedVault(VaultService service, VirtualTime time, String watched) {
        this.service = service;
        this.time = time;
        this.watched = watched;
        this.gets = new Quota(service.gets, service.getSeconds);
        this.others = service.oneLimit() ? gets : new Quota(service.others, service.otherSeconds);
    }

    /** So many calls in so many seconds, counted from the full window on. */
    private final class Quota {

        private final int limit;
        private final long windowNanos;
        private long window = -1;
        private int taken;

        Quota(int limit, int seconds) {
            this.limit = limit;
            this.windowNanos = Duration.ofSeconds(seconds).toNanos();
        }

        boolean take() {
            long now = time.nanos() / windowNanos;
            if (now != window) {
                window = now;
                taken = 0;
            }
            return taken++ < limit;
        }

        Duration untilNext() {
            return Duration.ofNanos(windowNanos - time.nanos() % windowNanos);
        }
    }

    /** The calls made for one secret. */
    final class Calls {

        private final boolean counted;
        private @Nullable Quota refusedBy;

        Calls(String name) {
            this.counted = name.equals(watched);
        }

        /** Reads the value of the latest version, or of the one before. */
        boolean get(boolean latest) {
            if (counted && latest) {
                int hour = (int) ((time.nanos() - from) / Duration.ofHours(1).toNanos());
                if (hour < readsByHour.length) {
                    readsByHour[hour]++;
                }
            }
            return call(gets);
        }

        /** Reads what is no value: a list or a description. */
        boolean other() {
            return call(others);
        }

        private boolean call(Quota quota) {
            calls++;
            int second = (int) ((time.nanos() - from) / 1_000_000_000L);
            if (second < bySecond.length) {
                bySecond[second]++;
            }
            if (quota.take()) {
                return true;
            }
            throttled++;
            refusedBy = quota;
            return false;
        }

        StoreResult refused() {
            return StoreResult.failed(
                    Outcome.THROTTLED,
                    Outcome.THROTTLED.description(),
                    Objects.requireNonNull(refusedBy).untilNext());
        }
    }

    /** Counts anew from now on. */
    void count(Duration period) {
        from = time.nanos();
        calls = 0;
        throttled = 0;
        bySecond = new int[(int) period.toSeconds() + 1];
        readsByHour = new int[(int) period.toHours() + 1];
    }

    /** {@return what was counted} */
    Traffic traffic() {
        int busiest = 0;
        int sum = 0;
        for (int second = 0; second < bySecond.length; second++) {
            sum += bySecond[second] - (second >= WINDOW ? bySecond[second - WINDOW] : 0);
            busiest = Math.max(busiest, sum);
        }
        return new Traffic(
                calls, busiest, throttled, Arrays.stream(readsByHour).max().orElse(0));
    }

    /** Adds a version that came into force at a moment; the one before the last is forgotten. */
    void put(String name, String value, Instant activated) {
        Secret before = secrets.get(name);
        StoredVersion added = StoredVersion.of(name + "@" + activated, SecretValue.ofText(value))
                .withActivatedAt(activated);
        List<StoredVersion> versions = before == null
                ? List.of(added)
                : List.of(before.versions().get(before.versions().size() - 1), added);
        secrets.put(name, new Secret(StoredSecret.of(added.id(), versions), activated));
    }

    /** {@return the versions of a secret, the newest last, as a provider that mounts files reads them; null if it is throttled} */
    @Nullable
    List<StoredVersion> mount(String name) {
        Calls made = new Calls(name);
        return service.mount(made) ? Objects.requireNonNull(secrets.get(name)).versions() : null;
    }

    @Override
    public String description() {
        return service.title;
    }

    @Override
    public List<StoreResult> read(List<StoreQuery> queries) {
        return queries.stream().map(this::read).toList();
    }

    private StoreResult read(StoreQuery query) {
        Secret secret = secrets.get(query.name());
        if (secret == null) {
            return StoreResult.failed(Outcome.NOT_FOUND, Outcome.NOT_FOUND.description());
        }
        StoredSecret known = query.known().orElse(null);
        boolean changed = known == null || !known.tag().equals(secret.stored().tag());
        boolean previousMatters = secret.versions().size() > 1
                && secret.changed().plus(query.grace()).isAfter(query.now());
        Calls made = new Calls(query.name());
        if (!service.check(made, changed, previousMatters)) {
            return made.refused();
        }
        return changed ? StoreResult.found(secret.stored()) : StoreResult.unchanged();
    }
}
