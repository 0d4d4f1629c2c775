package io.dualkey.secrets;

import io.dualkey.secrets.Acceptance.Accepted;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.event.Level;

/** A handle that serves a version only once a gate has admitted it: the one admitted last. */
final class GatedNode<T> extends Node<T> {

    /*
     * Concurrency: `testing` and all changes of `refusals` and `admitted` belong to the serial queue (see Node); what is in
     * these two is immutable, so anybody may read them. The gate runs on a worker of its own, one version at a time, and
     * hands its answer back through the queue; an answer about a version that is gone by then is dropped.
     */

    private static final Duration FIRST_RETRY = Duration.ofSeconds(1);
    private static final Duration LONGEST_RETRY = Duration.ofHours(1);

    /**
     * The gate's last word about a version that it has held off.
     *
     * @param resting whether the version is not to be tried again yet
     */
    private record Refusal(String problem, int failures, boolean resting) {}

    private final Node<T> parent;
    private final Gate<T> gate;
    private volatile Map<VersionRecord, Refusal> refusals = Map.of(); // replaced as a whole
    private volatile @Nullable VersionRecord admitted;
    private boolean testing;

    GatedNode(Node<T> parent, Gate<T> gate) {
        this.parent = parent;
        this.gate = gate;
    }

    @Override
    SecretNode root() {
        return parent.root();
    }

    /** One that has been replaced must pass again before it can come back: it may have been changed elsewhere. */
    @Override
    boolean usable(VersionRecord version) {
        return version == admitted && parent.usable(version);
    }

    @Override
    T value(VersionRecord version) {
        return parent.value(version);
    }

    @Override
    @Nullable
    String problemWith(VersionRecord version) {
        Refusal refusal = refusals.get(version);
        return refusal == null || !parent.usable(version) ? parent.problemWith(version) : refusal.problem;
    }

    @Override
    void prepare(Set<VersionRecord> alive) {
        Map<VersionRecord, Refusal> after = new HashMap<>(refusals);
        after.keySet().retainAll(alive);
        refusals = Map.copyOf(after);
        VersionRecord last = admitted;
        if (last != null && !alive.contains(last)) {
            admitted = null;
        }
    }

    private void note(VersionRecord version, @Nullable Refusal refusal) {
        Map<VersionRecord, Refusal> after = new HashMap<>(refusals);
        if (refusal == null) {
            after.remove(version);
        } else {
            after.put(version, refusal);
        }
        refusals = Map.copyOf(after);
    }

    private boolean resting(VersionRecord version) {
        Refusal refusal = refusals.get(version);
        return refusal != null && refusal.resting;
    }

    /** Tests the version that would be current if it were admitted, unless it is. */
    @Override
    void evaluated(List<Occurrence> history, Instant now) {
        if (testing) {
            return;
        }
        Accepted candidate = Acceptance.at(
                        history, version -> parent.usable(version) && !resting(version), policy().grace(), now)
                .current();
        if (candidate == null || candidate.version() == admitted) {
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
        if (failure == null) {
            note(version, null);
            if (inForce(version)) { // else it was withdrawn meanwhile, and the one admitted before serves on
                RotationLog.event(
                                admitted == null ? Level.DEBUG : Level.INFO, "version-validated", name(), version.id())
                        .log("Version {} of secret '{}' has been tried and is good", version.id(), name());
                admitted = version;
            }
            root().evaluateAll();
            return;
        }
        Refusal last = refusals.get(version);
        int failures = last == null ? 0 : last.failures;
        String reason = UnusableSecretException.reasonOf(failure);
        note(version, new Refusal(reason, failures + 1, true));
        Duration delay = retryDelay(failure, failures);
        var unused = root().threads().schedule(delay, () -> root().queue().execute(() -> retry(version)));
        root().evaluateAll();
        if (problemInTree() != null) { // else nobody wants that version any more
            RotationLog.event(Level.WARN, "version-held-off", name(), version.id())
                    .log(
                            "Version {} of secret '{}' is held off, the one before it serves on; next try in {} s: {}",
                            version.id(),
                            name(),
                            Math.max(1, delay.toSeconds()),
                            reason);
        }
    }

    private boolean inForce(VersionRecord version) {
        return Acceptance.at(
                                root().history(),
                                one -> one == version && parent.usable(one),
                                policy().grace(),
                                root().now())
                        .current()
                != null;
    }

    private void retry(VersionRecord version) {
        Refusal last = refusals.get(version);
        if (last != null && last.resting) {
            note(version, new Refusal(last.problem, last.failures, false));
            root().evaluateAll();
        }
    }

    private Duration retryDelay(Throwable failure, int failures) {
        if (failure instanceof UnusableSecretException unusable
                && unusable.retryAfter().isPresent()) {
            Duration told = unusable.retryAfter().get();
            return told.compareTo(LONGEST_RETRY) < 0 ? told : LONGEST_RETRY;
        }
        Duration interval = policy().refreshInterval();
        Duration growing = FIRST_RETRY.multipliedBy(1L << Math.min(failures, 10));
        Duration longest = growing.compareTo(interval) < 0 ? growing : interval;
        double spread = 0.5 + 0.5 * root().threads().random(); // a fleet must not knock in step
        return Duration.ofNanos((long) (longest.toNanos() * spread));
    }
}
