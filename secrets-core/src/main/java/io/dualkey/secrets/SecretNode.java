package io.dualkey.secrets;

import io.dualkey.secrets.Occurrence.Hold;
import io.dualkey.secrets.SecretOptions.Settings;
import io.dualkey.secrets.SecretStatus.VersionStatus;
import io.dualkey.secrets.StoreResult.Failed;
import io.dualkey.secrets.StoreResult.Found;
import io.dualkey.secrets.StoredVersion.Stage;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.event.Level;

/** One secret of a source: its history as the store tells it or as this process remembers it, and its state. */
final class SecretNode extends Node<SecretValue> implements RotatingSecret {

    /*
     * Concurrency: the history, what is known of the store and the state are replaced on the serial queue, each
     * by a new
     * immutable object in a volatile field, so that anybody may read them. Only the group's single read at a
     * time feeds them.
     */

    private static final Duration EXPIRY_WARNING = Duration.ofDays(7);

    /** The last check with the store. */
    private record Check(Outcome outcome, String detail, Instant at) {}

    private final String name;
    private final SecretStore store;
    private final Settings settings;
    private final EngineThreads threads;
    private final SerialQueue queue;
    private final Feed feed;
    private final @Nullable String companion;

    private volatile List<Occurrence> history = List.of();
    private volatile @Nullable Check lastCheck;
    private volatile @Nullable Instant lastSuccess;
    private volatile @Nullable Instant nextCheck;
    private volatile @Nullable StoredSecret known;
    private volatile @Nullable StoredSecret knownCompanion;
    private volatile @Nullable String companionProblem;
    private volatile SecretState reported = SecretState.LOADING;
    private final boolean companionConfigured;
    private final List<Runnable> watchers = new CopyOnWriteArrayList<>();
    private final Map<String, FieldNode> fields = new ConcurrentHashMap<>();
    private List<String> warned = List.of(); // on the queue only, as is what follows
    private boolean companionSeen; // or configured
    private List<Occurrence> standIns = List.of(); // what begins the history: see movedTo
    private Runnable nextFlip = () -> {};

    private final Map<Role, UseCounter> uses = new EnumMap<>(Role.class); // filled when made, then only read
    private final Map<Outcome, LongAdder> checks = new EnumMap<>(Outcome.class); // likewise

    SecretNode(String name, SecretStore store, Settings settings, EngineThreads threads, Feed feed) {
        this.name = name;
        this.store = store;
        this.settings = settings;
        this.threads = threads;
        this.feed = feed;
        this.companion = settings.companion() == null ? store.companionOf(name).orElse(null) : settings.companion();
        this.companionConfigured = settings.companion() != null;
        this.companionSeen = companionConfigured;
        this.queue = new SerialQueue(threads);
        for (Role role : Role.values()) {
            uses.put(role, new UseCounter());
        }
        for (Outcome outcome : Outcome.values()) {
            checks.put(outcome, new LongAdder());
        }
    }

    @Override
    SecretNode root() {
        return this;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public RotationPolicy policy() {
        return settings.policy();
    }

    SerialQueue queue() {
        return queue;
    }

    EngineThreads threads() {
        return threads;
    }

    /** What is accepted follows from this: nothing does once the secret fails closed. */
    List<Occurrence> history() {
        return refusedAsStale(now()) ? List.of() : history;
    }

    private boolean refusedAsStale(Instant now) {
        return settings.failClosed() && stale(now);
    }

    /** Whether the last successful check is too long ago. */
    private boolean stale(Instant now) {
        Instant end = staleFrom();
        return end != null && !now.isBefore(end);
    }

    /** What cannot change is never stale. */
    private @Nullable Instant staleFrom() {
        Instant success = lastSuccess;
        Duration limit = settings.maxStale();
        return limit == null || success == null || !canChange() ? null : success.plus(limit);
    }

    @Nullable
    Instant lastSuccess() {
        return lastSuccess;
    }

    /** Whether the store owes an answer for so long that what it said last says little. */
    private boolean unanswered(Instant now) {
        Check check = lastCheck;
        return check != null
                && canChange()
                && check.outcome == Outcome.OK
                && now.isAfter(check.at.plus(policy().refreshInterval().multipliedBy(3)));
    }

    Instant now() {
        return threads.clock().instant();
    }

    @Override
    boolean usable(VersionRecord version) {
        return problemWith(version) == null;
    }

    @Override
    SecretValue value(VersionRecord version) {
        return version.value();
    }

    @Override
    @Nullable
    String problemWith(VersionRecord version) {
        return version.value().placeholderProblem();
    }

    @Override
    void prepare(Set<VersionRecord> alive) {}

    Feed feed() {
        return feed;
    }

    /** The handle on a field of this secret, always the same one. */
    FieldNode field(JsonPointer pointer) {
        return fields.computeIfAbsent(pointer.path(), path -> attach(new FieldNode(this, pointer)));
    }

    /** Calls back, on the serial queue, after every check and whenever what is accepted may have changed by itself. */
    void watch(Runnable watcher) {
        watchers.add(watcher);
    }

    /** The store that keeps the secret: one layer of a layered store, once it is known which. */
    private SecretStore keeper() {
        StoredSecret secret = known;
        return secret == null ? store : secret.layer().orElse(store);
    }

    boolean canChange() {
        return store.canChange();
    }

    CompletableFuture<RefreshResult> refreshGroup(RefreshCause cause) {
        return feed.refresh(cause);
    }

    /** What to ask the store: the secret, and its companion if it may have one. */
    List<StoreQuery> queries() {
        StoreQuery main = new StoreQuery(name, known, policy().grace(), now());
        return companion == null
                ? List.of(main)
                : List.of(main, new StoreQuery(companion, knownCompanion, policy().grace(), now()).asCompanionTo(name));
    }

    /**
     * Takes the answers to {@link #queries}.
     *
     * @return completed when they are published: whether anything changed
     */
    CompletableFuture<Boolean> offer(List<StoreResult> results) {
        return published(() -> accept(results));
    }

    /**
     * Takes what was made of other secrets, and what is wrong with them, in one step.
     *
     * @param asOf how old the oldest of the news is that it was made of
     * @return completed when it is published: whether anything changed
     */
    CompletableFuture<Boolean> offerMade(StoredSecret made, Instant asOf, @Nullable Failed problem) {
        return published(() -> {
            List<Occurrence> before = history;
            known = made;
            lastSuccess = asOf;
            history = told(made.versions());
            apply();
            check(problem == null ? Outcome.OK : problem.outcome(), problem == null ? "" : problem.detail(), now());
            return !history.equals(before);
        });
    }

    private CompletableFuture<Boolean> published(BooleanSupplier change) {
        CompletableFuture<Boolean> published = new CompletableFuture<>();
        queue.execute(() -> {
            boolean changed = false;
            try {
                changed = change.getAsBoolean();
            } finally {
                published.complete(changed);
            }
        });
        return published;
    }

    private boolean accept(List<StoreResult> results) {
        Instant now = now();
        StoreResult main = results.get(0);
        StoreResult previous = results.size() > 1 ? results.get(1) : StoreResult.unchanged();
        List<Occurrence> before = history;
        if (main instanceof Failed failed) {
            takeCompanion(previous);
            if (failed.outcome() == Outcome.DISABLED) {
                history = List.of(); // the store's explicit word, which counts at once
                known = null;
                standIns = List.of();
            } else {
                List<Occurrence> mine = history.subList(standIns.size(), history.size()).stream()
                        .filter(one -> one.hold() != Hold.WHILE_LISTED)
                        .toList();
                history = after(standIns, withCompanion(mine, now)); // what an operator took away is gone all the same
            }
            apply();
            check(failed.outcome(), failed.detail(), now);
            return !history.equals(before);
        }
        int ofLayerBefore = standIns.size();
        if (main instanceof Found found) {
            ofLayerBefore = movedTo(found.secret()) ? history.size() : ofLayerBefore;
            known = found.secret();
        }
        takeCompanion(previous); // after a move: it is the companion in the layer that has the secret now
        lastSuccess = now;
        StoredSecret secret = known;
        if (secret != null) {
            List<Occurrence> mine = history.subList(ofLayerBefore, history.size());
            List<Occurrence> told = withCompanion(
                    keeper().keepsHistory() ? told(secret.versions()) : remembered(mine, secret.versions(), now), now);
            history = after(standIns, told);
            apply();
            dropStandIns(told);
            forgetWhatIsOver();
        } else {
            apply();
        }
        check(Outcome.OK, "", now);
        return !history.equals(before);
    }

    /**
     * Takes the store's word about the companion. That it is not there, is disabled or is no value ends its acceptance; where
     * the store cannot tell, what it said last stands, and the state says so.
     */
    private void takeCompanion(StoreResult previous) {
        if (previous instanceof Found found) {
            knownCompanion = found.secret();
            companionProblem = null;
        } else if (previous instanceof Failed failed) {
            boolean gone = failed.outcome() == Outcome.NOT_FOUND
                    || failed.outcome() == Outcome.DISABLED
                    || failed.outcome() == Outcome.MALFORMED;
            knownCompanion = gone ? null : knownCompanion;
            companionProblem = failed.outcome() == Outcome.NOT_FOUND
                    ? null
                    : "its companion '" + companion + "' cannot be used: " + failed.detail();
        } else {
            companionProblem = null;
        }
    }

    /**
     * Sees to a secret that another layer of a layered store has now. None of the versions of the layer before is
     * accepted any more; but those that are served stand in until the new layer's can be used.
     *
     * @return whether it has moved
     */
    private boolean movedTo(StoredSecret secret) {
        StoredSecret before = known;
        if (before == null || before.layer().equals(secret.layer())) {
            return false;
        }
        Set<VersionRecord> served = new HashSet<>();
        addServed(served);
        Map<VersionRecord, Occurrence> standing = new LinkedHashMap<>();
        for (Occurrence one : history) {
            if (served.contains(one.version())) {
                standing.put(one.version(), one.asStandIn());
            }
        }
        standIns = List.copyOf(standing.values());
        companionSeen = companionConfigured;
        knownCompanion = null;
        return true;
    }

    private void dropStandIns(List<Occurrence> told) {
        if (!standIns.isEmpty()) {
            Set<VersionRecord> served = new HashSet<>();
            addServed(served);
            standIns = standIns.stream()
                    .filter(one -> served.contains(one.version())
                            && told.stream().noneMatch(other -> other.version() == one.version()))
                    .toList();
            history = after(standIns, told);
        }
    }

    private static List<Occurrence> after(List<Occurrence> first, List<Occurrence> second) {
        List<Occurrence> both = new ArrayList<>(first);
        both.addAll(second);
        return List.copyOf(both);
    }

    /** The history as the store tells it. */
    private List<Occurrence> told(List<StoredVersion> versions) {
        List<Occurrence> told = new ArrayList<>();
        for (StoredVersion version : versions) {
            SecretValue value = version.value().orElse(null);
            if (value != null) {
                told.add(Occurrence.of(version, recordOf(version.id(), value, told)));
            }
        }
        return List.copyOf(told);
    }

    /**
     * The history of a secret whose store keeps none: the values seen by this process, each from the moment it
     * was seen,
     * and the companion. Once a companion has been seen, it alone says what is accepted beside the current value.
     */
    private List<Occurrence> remembered(List<Occurrence> before, List<StoredVersion> versions, Instant now) {
        List<Occurrence> seen = new ArrayList<>();
        for (Occurrence one : before) {
            if (one.hold() != Hold.WHILE_LISTED) {
                seen.add(one);
            }
        }
        for (StoredVersion version : versions) {
            SecretValue value = version.value().orElse(null);
            if (value != null
                    && (seen.isEmpty()
                            || !seen.get(seen.size() - 1).version().value().equals(value))) {
                StoredVersion dated = seen.isEmpty() ? version : version.withActivatedAt(now);
                seen.add(Occurrence.of(dated, recordOf(version.id(), value, seen)));
            }
        }
        return seen;
    }

    /**
     * Drops what this process remembers and nothing can come of any more. Where a value came, went and came back, its last
     * time alone counts.
     */
    private void forgetWhatIsOver() {
        if (keeper().keepsHistory()) {
            return;
        }
        Set<VersionRecord> wanted = new HashSet<>();
        addAccepted(wanted);
        addServed(wanted); // however many unusable ones have come since
        List<Occurrence> kept = new ArrayList<>();
        for (int i = history.size() - 1; i >= 0; i--) {
            Occurrence one = history.get(i);
            boolean newest = i == history.size() - 1; // kept even if nobody can use it
            boolean old = one.hold() != Hold.WHILE_LISTED && i >= standIns.size();
            boolean again = kept.stream()
                    .anyMatch(other -> other.version() == one.version() && other.hold() != Hold.WHILE_LISTED);
            if (newest || !old || (wanted.contains(one.version()) && !again)) {
                kept.add(0, one);
            }
        }
        history = List.copyOf(kept);
    }

    /**
     * The history with the companion as the oldest of it. Once a companion has been seen, nothing that is merely
     * remembered is accepted as previous any more: what an operator takes away must be gone.
     */
    private List<Occurrence> withCompanion(List<Occurrence> told, Instant now) {
        Occurrence previous = companionVersion(told, now);
        companionSeen |= previous != null;
        List<Occurrence> all = new ArrayList<>(told);
        if (companionSeen && !keeper().keepsHistory()) {
            all.replaceAll(one -> one.withHold(Hold.NEVER));
        }
        if (previous != null) {
            all.add(0, previous);
        }
        return List.copyOf(all);
    }

    /** The companion's own current version. It has no activation: whenever it was written, it succeeds nothing. */
    private @Nullable Occurrence companionVersion(List<Occurrence> told, Instant now) {
        StoredSecret held = knownCompanion;
        if (held == null) {
            return null;
        }
        List<Occurrence> own = new ArrayList<>();
        for (StoredVersion version : held.versions()) {
            SecretValue value = version.value().orElse(null);
            if (value != null) {
                own.add(Occurrence.of(version, recordOf(version.id(), value, told)));
            }
        }
        Acceptance.Accepted current =
                Acceptance.at(own, this::usable, Duration.ZERO, now).current();
        if (current == null) {
            return null;
        }
        Stage stage = held.versions().stream().anyMatch(version -> version.stage() == Stage.PREVIOUS)
                ? Stage.PREVIOUS
                : Stage.NONE;
        return new Occurrence(current.version(), null, null, current.until(), true, stage, Hold.WHILE_LISTED);
    }

    /** The record of this material: equal material is one version, whatever its id. */
    private VersionRecord recordOf(String id, SecretValue value, List<Occurrence> more) {
        for (List<Occurrence> occurrences : List.of(history, more)) {
            for (Occurrence one : occurrences) {
                if (one.version().value().equals(value)) {
                    return one.version();
                }
            }
        }
        Level level = lastCheck == null ? Level.DEBUG : Level.INFO; // what is there at first is no news
        RotationLog.event(level, "version-seen", name, id).log("Version {} of secret '{}' has been read", id, name);
        return new VersionRecord(id, value);
    }

    @Override
    public void forgetRemembered() {
        feed.forgetRemembered();
        queue.execute(() -> {
            if (!keeper().keepsHistory()) {
                List<Occurrence> kept = new ArrayList<>(history);
                Set<VersionRecord> served = new HashSet<>();
                addServed(served);
                for (int i = 0; i < kept.size() - 1; i++) { // the newest, and what is served, may be previous one day
                    Occurrence one = kept.get(i);
                    if (one.hold() == Hold.GRACE && !served.contains(one.version())) {
                        kept.set(i, one.withHold(Hold.NEVER));
                    }
                }
                history = List.copyOf(kept);
                evaluateAll();
            }
        });
    }

    /** Applies the acceptance function again, here and in all derived handles, and sees to the next time it must. */
    void evaluateAll() {
        apply();
        report();
    }

    private void apply() {
        Versions<SecretValue> then = versions();
        Version<SecretValue> before = then.currentOrNull();
        Instant now = now();
        Instant next = earlier(evaluateTree(history(), now), ifAfter(now, staleFrom()));
        nextFlip.run();
        nextFlip = next == null
                ? () -> {}
                : threads.schedule(untilFlip(now, next), () -> queue.execute(this::evaluateAll));

        Version<SecretValue> after = versions().currentOrNull();
        if (after != null && before != null && before.record() != after.record()) {
            RotationLog.event(Level.INFO, "version-current", name, after.id())
                    .addKeyValue("dualkey.previous", before.id())
                    .log("Secret '{}' has a new version: {} after {}", name, after.id(), before.id());
        }
        for (Version<SecretValue> one : then.accepted()) {
            if (versions().accepted().stream().noneMatch(still -> still.record() == one.record())) {
                RotationLog.event(Level.INFO, "version-ended", name, one.id())
                        .log("Version {} of secret '{}' is not accepted any more", one.id(), name);
            }
        }
    }

    private static @Nullable Instant ifAfter(Instant now, @Nullable Instant time) {
        return time != null && time.isAfter(now) ? time : null;
    }

    /** A wall clock may be set while we wait, so no wait is long. */
    private static Duration untilFlip(Instant now, Instant next) {
        Duration longest = Duration.ofMinutes(1);
        Instant latest = now.plus(longest);
        // One millisecond more: the moment itself must have passed, and clocks count in milliseconds.
        return next.isAfter(latest) ? longest : Duration.between(now, next).plusMillis(1);
    }

    /** Notes a check, after its result has been applied: whoever waits for the check must find the result. */
    private void check(Outcome outcome, String detail, Instant now) {
        lastCheck = new Check(outcome, detail, now);
        Objects.requireNonNull(checks.get(outcome)).increment();
        if (outcome != Outcome.OK) {
            RotationLog.event(Level.DEBUG, "check-failed", name)
                    .addKeyValue("dualkey.outcome", outcome)
                    .log("A check of secret '{}' failed: {}", name, outcome);
        }
        report();
    }

    private void report() {
        SecretState state = state();
        if (state != reported) {
            if (state == SecretState.DEGRADED || state == SecretState.UNAVAILABLE) {
                RotationLog.event(Level.WARN, "state-changed", name)
                        .addKeyValue("dualkey.state", state)
                        .log("Secret '{}' is {}: {}", name, state, detail());
            } else if (reported != SecretState.LOADING) {
                RotationLog.event(Level.INFO, "state-changed", name)
                        .addKeyValue("dualkey.state", state)
                        .log("Secret '{}' is {} again", name, state);
            }
            reported = state;
        }
        List<String> now = warnings();
        for (String warning : now) {
            if (!warned.contains(warning)) {
                RotationLog.event(Level.WARN, "warning", name).log("Secret '{}': {}", name, warning);
            }
        }
        warned = now;
        watchers.forEach(Runnable::run);
    }

    /** What an operator should see to before it becomes a problem. The texts change only with what they are about. */
    private List<String> warnings() {
        List<String> warnings = new ArrayList<>();
        Instant now = now();
        rotationDue()
                .filter(due -> !due.isAfter(now))
                .ifPresent(due -> warnings.add("it was to be rotated by " + due + ": rotate it"));
        expires()
                .filter(end -> end.isBefore(now.plus(EXPIRY_WARNING)))
                .ifPresent(end -> warnings.add("its current version expires at " + end + ": rotate it before"));
        disabledLatest().ifPresent(warnings::add);
        return List.copyOf(warnings);
    }

    /** That an older version serves because the latest was disabled: by order, yet hardly for good. */
    private Optional<String> disabledLatest() {
        StoredSecret secret = known;
        StoredVersion latest = null;
        for (StoredVersion version : secret == null ? List.<StoredVersion>of() : secret.versions()) {
            Instant activated = version.activatedAt().orElse(Instant.MIN);
            if (latest == null || !activated.isBefore(latest.activatedAt().orElse(Instant.MIN))) {
                latest = version;
            }
        }
        if (latest == null || latest.enabled()) {
            return Optional.empty();
        }
        String disabled = "its latest version, " + latest.id() + ", is disabled and ";
        return versions().current().map(one -> disabled + one.id() + " serves instead: enable it or create a new one");
    }

    private Optional<Instant> rotationDue() {
        Duration every = settings.rotateEvery();
        return every == null
                ? Optional.empty()
                : versions().current().flatMap(Version::activatedAt).map(since -> since.plus(every));
    }

    private Optional<Instant> expires() {
        return versions().current().flatMap(Version::acceptedUntil);
    }

    SecretState state() {
        Check check = lastCheck;
        if (check == null) {
            return SecretState.LOADING;
        }
        if (!warm()) {
            return SecretState.UNAVAILABLE;
        }
        Instant now = now();
        boolean healthy = check.outcome == Outcome.OK
                && problemInTree() == null
                && companionProblem == null
                && !stale(now)
                && !unanswered(now);
        return healthy ? SecretState.HEALTHY : SecretState.DEGRADED;
    }

    /**
     * Whether a start need not wait for this secret any more: it can be read, or cannot without help from outside. Either
     * is known only when the first check has ended; the view is published before that.
     */
    boolean settled() {
        Check check = lastCheck;
        return check != null
                && (settings.optional()
                        || warm()
                        || (check.outcome != Outcome.UNREACHABLE && check.outcome != Outcome.THROTTLED));
    }

    /** Whether a start can do without it. */
    boolean optional() {
        return settings.optional();
    }

    /** Whether the store could not be read even once, which is worth another try soon. */
    boolean cold() {
        return lastSuccess == null && !settled();
    }

    private String detail() {
        Check check = lastCheck;
        Instant now = now();
        String place = " (" + store.description() + "); ";
        if (check == null) {
            return "it has not been read yet" + place + "SecretSource.start loads it: use it once that has returned";
        }
        String staleness = !stale(now)
                ? ""
                : "its last successful check, at " + lastSuccess + ", is longer ago than " + settings.maxStale()
                        + (settings.failClosed() ? " and so it is refused; " : "; ");
        if (check.outcome != Outcome.OK) {
            String happened = check.detail.isEmpty() ? check.outcome.description() : check.detail;
            return staleness + happened + place + check.outcome.advice();
        }
        if (unanswered(now)) {
            return staleness + "the store has not answered since " + check.at + place + Outcome.UNREACHABLE.advice();
        }
        String problem = problemInTree();
        if (problem != null) {
            return problem + place + Outcome.MALFORMED.advice();
        }
        String ofCompanion = companionProblem;
        if (ofCompanion != null) {
            return ofCompanion + place + "mend it, or remove it if its value is to be refused";
        }
        return warm() ? "" : Outcome.DISABLED.description() + place + Outcome.DISABLED.advice();
    }

    String whyUnavailable() {
        String detail = detail();
        return "Secret '" + name + "' is not available: "
                + (detail.isEmpty() ? "none of its versions has passed its gate yet, such as a login with it" : detail);
    }

    /** When the schedule has this secret checked next. */
    void checkIsDue(Instant at) {
        nextCheck = at;
    }

    void used(Role role, long epochMillis) {
        Objects.requireNonNull(uses.get(role)).used(epochMillis);
    }

    @Override
    public SecretStatus status() {
        Check check = lastCheck;
        Versions<SecretValue> versions = versions();
        List<VersionStatus> inForce = new ArrayList<>();
        versions.accepted().forEach(version -> inForce.add(VersionStatus.of(version)));
        versions.upcoming().ifPresent(version -> inForce.add(VersionStatus.of(version)));
        Map<Role, Long> counts = new EnumMap<>(Role.class);
        Map<Role, Instant> last = new EnumMap<>(Role.class);
        uses.forEach((role, counter) -> {
            counts.put(role, counter.count());
            counter.last().ifPresent(time -> last.put(role, time));
        });
        Map<Outcome, Long> ended = new EnumMap<>(Outcome.class);
        checks.forEach((outcome, count) -> ended.put(outcome, count.sum()));
        return new SecretStatus(
                name,
                keeper().description(),
                state(),
                check == null ? Optional.empty() : Optional.of(check.outcome),
                state() == SecretState.HEALTHY ? "" : detail(),
                check == null ? Optional.empty() : Optional.of(check.at),
                Optional.ofNullable(lastSuccess),
                Optional.ofNullable(nextCheck),
                Map.copyOf(ended),
                List.copyOf(inForce),
                Map.copyOf(counts),
                Map.copyOf(last),
                rotationDue(),
                expires(),
                warnings(),
                canChange());
    }

    /** The name; never a value. */
    @Override
    public String toString() {
        return "RotatingSecret[" + name + "]";
    }
}
