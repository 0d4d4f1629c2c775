package io.dualkey.secrets;

import io.dualkey.secrets.Acceptance.Accepted;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A handle that serves a version only once a gate has admitted it. */
final class GatedNode<T> extends Node<T> {

    /*
     * Concurrency: `testing` and all changes of `tests` belong to the serial queue (see Node). The gate runs on a worker
     * of its own,
     * one version at a time, and hands its answer back through the queue; an answer about a version that is gone
     * by then
     * is dropped.
     */

    private static final Logger log = LoggerFactory.getLogger(SecretSource.class);
    private static final Duration FIRST_RETRY = Duration.ofSeconds(1);

    private enum Answer {
        ADMITTED,
        HELD_OFF,
        UNKNOWN
    }

    private record Test(Answer answer, @Nullable String problem, int failures) {}

    private static final Test UNTESTED = new Test(Answer.UNKNOWN, null, 0);

    private final Node<T> parent;
    private final Gate<T> gate;
    private volatile Map<VersionRecord, Test> tests = Map.of(); // replaced as a whole, on the serial queue
    private boolean testing;

    GatedNode(Node<T> parent, Gate<T> gate) {
        this.parent = parent;
        this.gate = gate;
    }

    @Override
    SecretNode root() {
        return parent.root();
    }

    @Override
    boolean usable(VersionRecord version) {
        return parent.usable(version) && test(version).answer == Answer.ADMITTED;
    }

    @Override
    T value(VersionRecord version) {
        return parent.value(version);
    }

    @Override
    @Nullable
    String problemWith(VersionRecord version) {
        return parent.usable(version) ? test(version).problem : parent.problemWith(version);
    }

    @Override
    void prepare(Set<VersionRecord> alive) {
        Map<VersionRecord, Test> after = new HashMap<>(tests);
        after.keySet().retainAll(alive);
        tests = Map.copyOf(after);
    }

    private void note(VersionRecord version, Test test) {
        Map<VersionRecord, Test> after = new HashMap<>(tests);
        after.put(version, test);
        tests = Map.copyOf(after);
    }

    private Test test(VersionRecord version) {
        return tests.getOrDefault(version, UNTESTED);
    }

    /** Tests the version that would be current if it were admitted, unless a newer one already is. */
    @Override
    void evaluated(Instant now) {
        if (testing) {
            return;
        }
        Accepted candidate = Acceptance.at(
                        root().history(),
                        version -> parent.usable(version) && test(version).answer != Answer.HELD_OFF,
                        policy().grace(),
                        now)
                .current();
        if (candidate == null || test(candidate.version()).answer != Answer.UNKNOWN) {
            return;
        }
        VersionRecord version = candidate.version();
        Version<T> asked =
                new Version<>(version, value(version), Role.UPCOMING, candidate.activatedAt(), candidate.until());
        testing = true;
        root().threads().execute(() -> {
            Throwable failure = null;
            try {
                gate.admit(asked);
            } catch (Throwable thrown) { // a gate may fail in any way: the last admitted version is served on
                failure = thrown;
            }
            Throwable answer = failure;
            root().queue().execute(() -> answered(version, answer));
        });
    }

    private void answered(VersionRecord version, @Nullable Throwable failure) {
        testing = false;
        int failures = test(version).failures;
        if (failure == null) {
            note(version, new Test(Answer.ADMITTED, null, failures));
        } else {
            String reason = UnusableSecretException.reasonOf(failure);
            note(version, new Test(Answer.HELD_OFF, reason, failures + 1));
            Duration delay = retryDelay(failure, failures);
            log.warn(
                    "Version {} of secret '{}' is held off, the one before it serves on; next try in {} s: {}",
                    version.id(),
                    name(),
                    Math.max(1, delay.toSeconds()),
                    reason);
            root().threads().schedule(delay, () -> root().queue().execute(() -> retry(version)));
        }
        root().evaluateAll();
    }

    private void retry(VersionRecord version) {
        Test last = tests.get(version);
        if (last != null && last.answer == Answer.HELD_OFF) {
            note(version, new Test(Answer.UNKNOWN, last.problem, last.failures));
            root().evaluateAll();
        }
    }

    private Duration retryDelay(Throwable failure, int failures) {
        if (failure instanceof UnusableSecretException unusable
                && unusable.retryAfter().isPresent()) {
            return unusable.retryAfter().get();
        }
        Duration interval = policy().refreshInterval();
        Duration growing = FIRST_RETRY.multipliedBy(1L << Math.min(failures, 10));
        return growing.compareTo(interval) < 0 ? growing : interval;
    }
}
