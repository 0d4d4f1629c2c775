package io.dualkey.benchmarks.fleet;

import io.dualkey.secrets.RefreshCause;
import io.dualkey.secrets.Role;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.SecretStore;
import io.dualkey.secrets.VirtualTime;
import io.dualkey.secrets.jwt.JwtResult;
import io.dualkey.secrets.jwt.JwtSigner;
import io.dualkey.secrets.jwt.JwtVerifier;
import io.dualkey.secrets.jwt.KeyFormat;
import io.dualkey.secrets.jwt.VerifiedJwt;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Replicas with engines, signers and verifiers of their own, the real ones, on one vault in one virtual time. Each replica
 * uses ten secrets, of which the first is the key of its tokens. Each secret is rotated once a day at a time of its own, the
 * key first, so that a previous version is in its grace all the time. One replica in ten
 * signs, all verify, and their clocks are up to half a minute off.
 */
final class Fleet {

    private static final Duration GRACE = Duration.ofHours(24);
    private static final Duration TTL = Duration.ofMinutes(15);
    private static final Duration STEP = Duration.ofSeconds(10);
    private static final int LARGEST_SKEW_MILLIS = 30_000;
    /** Checks are spread evenly from the first one on. */
    private static final Duration WARM_UP = Duration.ofMinutes(5);
    /** How many replicas are given a new token, and an old one at the end of its life. */
    private static final int VERIFIERS = 200;

    private static final int VERIFIERS_OF_OLD = 20;
    private static final int CALLS_OF_A_START = 4;

    private final FleetCase fleet;
    private final Duration period;
    private final Random random = new Random(8);
    private final VirtualTime time = new VirtualTime(8);
    private final SimulatedVault vault;
    private final List<String> names = IntStream.range(0, FleetCase.SECRETS)
            .mapToObj(number -> number == 0 ? "jwt-key" : "secret-" + number)
            .toList();
    private final List<SecretSource> replicas = new ArrayList<>();
    private final List<JwtSigner> signers = new ArrayList<>();
    private final List<JwtVerifier> verifiers = new ArrayList<>();
    private final @Nullable Rotation[] rotations;
    private final Queue<Issued> issued = new ArrayDeque<>();
    private long tokens;
    private long ofPrevious;
    private long refused;

    private record Issued(String token, Instant until) {}

    /** When a secret was rotated, and when each of the replicas had learnt of it. */
    private final class Rotation {

        final long at = time.nanos();
        final long[] took = new long[fleet.replicas()];
        int learnt;

        void learnt() {
            took[learnt++] = time.nanos() - at;
        }

        @Nullable
        Duration until(double part) {
            int needed = (int) Math.ceil(took.length * part);
            return learnt < needed ? null : Duration.ofNanos(took[needed - 1]);
        }
    }

    private Fleet(FleetCase fleet, Duration period) {
        this.fleet = fleet;
        this.period = period;
        long share = Math.round(FleetCase.SECRETS * period.toSeconds() / 86400.0);
        this.rotations = new Rotation[(int) Math.max(2, share)];
        this.vault = new SimulatedVault(fleet.service(), time, names.get(0));
    }

    /**
     * {@return what a fleet did}
     *
     * @param fleet the case
     * @param period how long it is watched, at least two hours
     */
    static FleetResult run(FleetCase fleet, Duration period) {
        return new Fleet(fleet, period).run();
    }

    private FleetResult run() {
        start();
        time.advance(WARM_UP);
        vault.count(period);
        Instant begin = time.clock().instant();
        Instant end = begin.plus(period);
        int next = 0;
        while (time.clock().instant().isBefore(end)) {
            if (next < rotations.length && !time.clock().instant().isBefore(begin.plus(rotationTime(next)))) {
                rotate(next++);
            }
            useTokens();
            time.advance(STEP);
        }
        SimulatedVault.Traffic traffic = vault.traffic();
        double hours = period.toSeconds() / 3600.0;
        return new FleetResult(
                fleet,
                traffic.calls() / hours,
                traffic.busiestTenSeconds(),
                traffic.throttled(),
                traffic.busiestHourOfReads(),
                slowest(0.5),
                slowest(0.99),
                slowest(1),
                tokens,
                ofPrevious,
                refused);
    }

    /** The secrets are rotated one after the other, as many as the period has its share of, and early enough to see what follows. */
    private Duration rotationTime(int secret) {
        return secret < rotations.length
                ? period.multipliedBy(secret + 1).dividedBy(rotations.length + 3)
                : period.plus(Duration.ofMinutes(30)); // not while we watch
    }

    /** Starts the replicas one after the other, so slowly that they use half of the limit. */
    private void start() {
        double seconds = fleet.replicas()
                * (double) names.size()
                * CALLS_OF_A_START
                / (fleet.service().valuesPerSecond() / 2);
        Duration starting = Duration.ofSeconds(Math.max(60, (long) seconds));
        for (int secret = 0; secret < names.size(); secret++) {
            Instant rotated = time.clock()
                    .instant()
                    .plus(starting)
                    .plus(WARM_UP)
                    .plus(rotationTime(secret))
                    .minus(GRACE);
            vault.put(names.get(secret), newValue(), rotated.minus(GRACE));
            vault.put(names.get(secret), newValue(), rotated);
        }
        @Nullable SecretStore store = null;
        for (int replica = 0; replica < fleet.replicas(); replica++) {
            if (fleet.way() != FleetCase.Way.MOUNT) {
                store = vault;
            } else if (store == null || replica % FleetCase.REPLICAS_OF_A_NODE == 0) {
                NodeMount mount = new NodeMount(vault, names);
                mount.every(fleet.interval(), part(fleet.interval()), time);
                store = mount;
            }
            boolean signs = replica % 10 == 0;
            SecretSource.Builder source = SecretSource.builder(store).grace(GRACE);
            if (fleet.way() != FleetCase.Way.MOUNT) {
                source.refreshInterval(fleet.interval());
            }
            time.start(source, made -> join(made, signs));
            time.advance(starting.dividedBy(fleet.replicas()));
        }
    }

    private void join(SecretSource source, boolean signs) {
        Clock clock = Clock.offset(
                time.clock(), Duration.ofMillis(random.nextInt(2 * LARGEST_SKEW_MILLIS) - LARGEST_SKEW_MILLIS));
        var key = source.secret(names.get(0));
        verifiers.add(JwtVerifier.hs256(key, KeyFormat.BASE64)
                .refreshWait(Duration.ZERO)
                .clock(clock)
                .build());
        if (signs) {
            signers.add(JwtSigner.hs256(key, KeyFormat.BASE64)
                    .ttl(TTL)
                    .propagation(fleet.propagation())
                    .clock(clock)
                    .build());
        }
        for (int secret = 0; secret < names.size(); secret++) {
            int number = secret;
            var unused = source.secret(names.get(secret)).onRotation(version -> {
                if (number < rotations.length && rotations[number] != null) {
                    rotations[number].learnt();
                }
            });
        }
        replicas.add(source);
    }

    private String newValue() {
        byte[] bytes = new byte[32];
        random.nextBytes(bytes);
        return Base64.getEncoder().encodeToString(bytes);
    }

    private Duration part(Duration whole) {
        return Duration.ofNanos((long) (whole.toNanos() * random.nextDouble()));
    }

    private void rotate(int secret) {
        rotations[secret] = new Rotation();
        String name = names.get(secret);
        vault.put(name, newValue(), time.clock().instant());
        if (fleet.pushed()) {
            for (SecretSource replica : replicas) {
                if (fleet.way() != FleetCase.Way.LOSSY_PUSH || random.nextInt(100) > 0) {
                    var unused = time.schedule(part(fleet.spread()), () -> push(replica, name));
                }
            }
        }
    }

    /** What a webhook or a subscriber does. */
    private static void push(SecretSource replica, String name) {
        replica.find(name).ifPresent(secret -> {
            var unused = secret.refresh(RefreshCause.OPERATOR);
        });
    }

    private void useTokens() {
        Instant now = time.clock().instant();
        String token = signers.get(random.nextInt(signers.size())).sign(Map.of("sub", "alice"));
        if (fleet.replicas() <= VERIFIERS) {
            verifiers.forEach(verifier -> verify(verifier, token));
        } else {
            verifyBySome(VERIFIERS, token);
        }
        String old = null;
        while (!issued.isEmpty() && issued.element().until().isBefore(now)) {
            issued.remove();
        }
        if (!issued.isEmpty()) {
            old = issued.element().token();
            verifyBySome(VERIFIERS_OF_OLD, old);
        }
        issued.add(new Issued(token, now.plus(TTL)));
    }

    private void verifyBySome(int count, String token) {
        for (int i = 0; i < count; i++) {
            verify(verifiers.get(random.nextInt(verifiers.size())), token);
        }
    }

    private void verify(JwtVerifier verifier, String token) {
        JwtResult result = verifier.check(token);
        tokens++;
        if (result instanceof VerifiedJwt jwt) {
            ofPrevious += jwt.keyRole() == Role.PREVIOUS ? 1 : 0;
        } else {
            refused++;
        }
    }

    /** The longest time among the rotations until a part of the fleet had the new version; null if one did not get there. */
    private @Nullable Duration slowest(double part) {
        Duration slowest = Duration.ZERO;
        for (Rotation rotation : rotations) {
            Duration one = rotation == null ? null : rotation.until(part);
            if (one == null) {
                return null;
            }
            slowest = one.compareTo(slowest) > 0 ? one : slowest;
        }
        return slowest;
    }
}
