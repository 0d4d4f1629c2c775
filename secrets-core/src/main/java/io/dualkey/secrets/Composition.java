package io.dualkey.secrets;

import io.dualkey.secrets.Acceptance.Change;
import io.dualkey.secrets.PartNode.View;
import io.dualkey.secrets.StoreResult.Failed;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What a composed secret is made of. It feeds the secret with the history of its parts: which values stood together, and
 * from when on, by the stores' word.
 */
final class Composition implements SecretStore, Feed {

    /*
     * Concurrency: `made` and `catchingUp` belong to the serial queue of the composed secret, the target. Parts tell on
     * their own queues that something may have changed; what they have published is read here from volatile fields, each
     * part as one consistent view, and a part that changes meanwhile tells again. The other fields are set before the
     * first of them can tell.
     */

    /** A rotation that changes several secrets passes through states that nobody is meant to use; it takes no longer. */
    private static final Duration SETTLE = Duration.ofSeconds(10);

    /**
     * The versions of all parts that were current together from a moment on.
     *
     * @param changed the parts that changed then
     */
    record Together(Instant from, List<VersionRecord> parts, Set<Integer> changed) {}

    /** What was handed over of it. */
    private record Made(Together together, StoredVersion version) {}

    /**
     * What a reference of the template means.
     *
     * @param field selects from the secret's value; null for all of it
     */
    record Source(SecretNode secret, @Nullable JsonPointer field) {}

    private final Template template;
    private final EngineThreads threads;
    private final Runnable afterMade;
    private final List<Source> sources; // of the references, in their order
    private final List<SecretNode> roots;

    private final CompletableFuture<RefreshResult> closed = new CompletableFuture<>();

    private volatile @Nullable SecretNode target;
    private List<PartNode> parts = List.of(); // of the roots, in their order
    private List<Made> made = List.of(); // the last history handed over; its last is the current one
    private @Nullable Object catchingUp;

    Composition(Template template, List<Source> sources, EngineThreads threads, Runnable afterMade) {
        this.template = template;
        this.threads = threads;
        this.afterMade = afterMade;
        this.sources = List.copyOf(sources);
        this.roots = sources.stream().map(Source::secret).distinct().toList();
    }

    /** The places that a secret fills: fields of one version stand together, never one beside another version's. */
    private PartNode part(SecretNode root) {
        return root.attach(new PartNode(root, value -> {
            List<SecretValue> values = new ArrayList<>();
            for (int i = 0; i < sources.size(); i++) {
                Source source = sources.get(i);
                if (source.secret == root) {
                    values.add(template.check(i, source.field == null ? value : source.field.select(value)));
                }
            }
            return List.copyOf(values);
        }));
    }

    /** The parts' policies as one: changes are noticed when the slowest is, and nothing outlives any part's grace. */
    RotationPolicy policy() {
        Duration interval = Duration.ZERO;
        Duration grace = roots.get(0).policy().grace();
        for (SecretNode part : roots) {
            RotationPolicy policy = part.policy();
            interval = policy.refreshInterval().compareTo(interval) > 0 ? policy.refreshInterval() : interval;
            grace = shorter(grace, policy.grace());
        }
        return new RotationPolicy(interval, grace);
    }

    private Duration settling() {
        return shorter(policy().refreshInterval(), SETTLE);
    }

    private static Duration shorter(Duration a, Duration b) {
        return a.compareTo(b) <= 0 ? a : b;
    }

    /** Begins to feed a secret. */
    void feed(SecretNode composed) {
        target = composed;
        parts = roots.stream().map(this::part).toList();
        roots.forEach(root -> root.watch(() -> composed.queue().execute(this::changed)));
        composed.queue().execute(this::changed);
    }

    private SecretNode target() {
        return Objects.requireNonNull(target);
    }

    /**
     * A part has changed, or may have. Parts that are changed together in their stores are seen one by one: before anything
     * is made of a new value and an old one, the store of the old one is asked whether it really is still the one.
     */
    private void changed() {
        List<VersionRecord> now = current();
        List<VersionRecord> before = made.isEmpty() ? List.of() : made.get(made.size() - 1).together.parts;
        if (before.isEmpty() || now.isEmpty() || now.equals(before) || revoked(before)) {
            makeNow();
            return;
        }
        withdraw();
        if (catchingUp != null) {
            return;
        }
        List<CompletableFuture<RefreshResult>> asked = new ArrayList<>();
        for (int i = 0; i < parts.size(); i++) {
            if (before.get(i) == now.get(i)) {
                asked.add(roots.get(i).feed().catchUp().thenCompose(Composition::unlessLimited));
            }
        }
        if (asked.isEmpty()) {
            makeNow();
            return;
        }
        Object mine = new Object();
        catchingUp = mine;
        Runnable caughtUp = () -> target().queue().execute(() -> {
            if (catchingUp == mine) {
                makeNow();
            }
        });
        Runnable timer = threads.schedule(settling(), caughtUp);
        var unused = CompletableFuture.allOf(asked.toArray(new CompletableFuture<?>[0]))
                .whenComplete((done, failure) -> {
                    timer.run();
                    caughtUp.run();
                });
    }

    /** A part that may not be asked now is waited for, until the time is up. */
    private static CompletableFuture<RefreshResult> unlessLimited(RefreshResult result) {
        return result == RefreshResult.LIMITED ? new CompletableFuture<>() : CompletableFuture.completedFuture(result);
    }

    /** Takes back what was handed over of versions that have been revoked since; what is new may wait, this may not. */
    private void withdraw() {
        List<Made> left =
                made.stream().filter(one -> !revoked(one.together.parts)).toList();
        if (left.size() < made.size()) {
            made = left;
            var unused = handOver();
        }
    }

    /** What is current now; empty if a part has nothing. */
    private List<VersionRecord> current() {
        List<VersionRecord> current = new ArrayList<>();
        for (PartNode part : parts) {
            Version<List<SecretValue>> version = part.view().versions().currentOrNull();
            if (version == null) {
                return List.of();
            }
            current.add(version.record());
        }
        return current;
    }

    /** Whether one of these was taken back, rather than followed by another version. */
    private boolean revoked(List<VersionRecord> records) {
        for (int i = 0; i < parts.size(); i++) {
            if (!parts.get(i).view().standing().contains(records.get(i))) {
                return true;
            }
        }
        return false;
    }

    private static @Nullable Version<List<SecretValue>> acceptedIn(View view, VersionRecord record) {
        for (Version<List<SecretValue>> version : view.versions().accepted()) {
            if (version.record() == record) {
                return version;
            }
        }
        return null;
    }

    private void makeNow() {
        var unused = make();
    }

    /**
     * Hands the history to the composed secret.
     *
     * @return completed when it is published: whether anything changed
     */
    private CompletableFuture<Boolean> make() {
        catchingUp = null;
        List<View> views = parts.stream().map(PartNode::view).toList();
        SecretNode lacking = firstWithout(views);
        if (lacking != null) {
            return lacking.state() == SecretState.LOADING
                    ? CompletableFuture.completedFuture(false)
                    : told(target().offer(List.of(StoreResult.failed(
                            made.isEmpty() ? outcome(lacking) : Outcome.DISABLED,
                            "its part '" + lacking.name() + "' is not available"))));
        }
        List<Together> history = history(views.stream().map(View::changes).toList(), settling());
        List<Made> all = new ArrayList<>();
        for (int i = 0; i < history.size(); i++) {
            StoredVersion version = version(history.get(i), views, i + 1 == history.size());
            if (version != null) {
                all.add(new Made(history.get(i), version));
            }
        }
        made = List.copyOf(all);
        return handOver();
    }

    /** Hands over what was made, and what is wrong with the parts, as one piece of news. */
    private CompletableFuture<Boolean> handOver() {
        Failed problem = null;
        Instant asOf = target().now();
        for (SecretNode root : roots) {
            if (root.state() != SecretState.HEALTHY && problem == null) {
                problem = new Failed(outcome(root), "its part '" + root.name() + "' is degraded", null);
            }
            Instant success = root.lastSuccess();
            if (root.canChange() && success != null && success.isBefore(asOf)) {
                asOf = success;
            }
        }
        List<StoredVersion> versions = made.stream().map(Made::version).toList();
        return told(target().offerMade(StoredSecret.of("composed", versions), asOf, problem));
    }

    private @Nullable SecretNode firstWithout(List<View> views) {
        for (int i = 0; i < views.size(); i++) {
            if (views.get(i).versions().currentOrNull() == null) {
                return roots.get(i);
            }
        }
        return null;
    }

    private static Outcome outcome(SecretNode part) {
        Outcome outcome = part.status().outcome().orElse(Outcome.UNREACHABLE);
        // A part that is served on was not disabled by its store's word, which would have ended it.
        return outcome == Outcome.OK || outcome == Outcome.DISABLED ? Outcome.MALFORMED : outcome;
    }

    private CompletableFuture<Boolean> told(CompletableFuture<Boolean> published) {
        var unused = published.thenRun(afterMade);
        return published;
    }

    /** What stood together, as a version; null if one of the parts is not accepted any more. */
    private @Nullable StoredVersion version(Together together, List<View> views, boolean current) {
        List<String> ids = new ArrayList<>();
        Map<SecretNode, Iterator<SecretValue>> values = new HashMap<>();
        Instant end = Instant.MAX;
        for (int i = 0; i < views.size(); i++) {
            Version<List<SecretValue>> value = acceptedIn(views.get(i), together.parts.get(i));
            if (value == null) {
                return null;
            }
            ids.add(value.id());
            values.put(roots.get(i), value.value().iterator());
            Instant until = value.acceptedUntil().orElse(Instant.MAX);
            end = until.isBefore(end) ? until : end;
        }
        List<SecretValue> inOrder = sources.stream()
                .map(source -> Objects.requireNonNull(values.get(source.secret)).next())
                .toList();
        StoredVersion version = StoredVersion.of(String.join("+", ids), template.render(inOrder));
        if (!together.from.equals(Instant.MIN)) {
            version = version.withActivatedAt(together.from);
        }
        // The current one ends when a part tells so, together with the beginning of the next.
        return current || end.equals(Instant.MAX) ? version : version.withExpires(end);
    }

    /**
     * Which versions stood together, oldest first; the last of them are the current ones. A pure function of what was
     * current in each part, so that another process, or this one after a restart, finds the same.
     *
     * <p>A state in the midst of a rotation of several secrets is left out, a new user with an old password: one that did
     * not last, and in which a part was about to change that had not changed since the rotation began.
     */
    static List<Together> history(List<List<Change>> parts, Duration settle) {
        List<Together> all = states(parts);
        List<Together> history = new ArrayList<>();
        Set<Integer> rotated = new HashSet<>();
        for (int i = 0; i < all.size(); i++) {
            rotated.addAll(all.get(i).changed);
            boolean midst = i + 1 < all.size()
                    && Collections.disjoint(rotated, all.get(i + 1).changed)
                    && Duration.between(all.get(i).from, all.get(i + 1).from).compareTo(settle) < 0;
            if (!midst) {
                history.add(all.get(i));
                rotated.clear();
            }
        }
        return history;
    }

    /** All states in which every part had a current version. In the first after a gap all parts count as changed. */
    private static List<Together> states(List<List<Change>> parts) {
        List<Together> states = new ArrayList<>();
        int[] taken = new int[parts.size()];
        boolean whole = false;
        for (Instant moment = next(parts, taken); moment != null; moment = next(parts, taken)) {
            Set<Integer> changed = new HashSet<>();
            List<VersionRecord> now = new ArrayList<>();
            for (int i = 0; i < taken.length; i++) {
                List<Change> changes = parts.get(i);
                if (taken[i] < changes.size() && !changes.get(taken[i]).at().isAfter(moment)) {
                    taken[i]++;
                    changed.add(i);
                }
                VersionRecord current =
                        taken[i] == 0 ? null : changes.get(taken[i] - 1).current();
                if (current != null) {
                    now.add(current);
                }
            }
            boolean wholeBefore = whole;
            whole = now.size() == taken.length;
            for (int i = 0; i < taken.length && !wholeBefore; i++) {
                changed.add(i);
            }
            if (whole) {
                states.add(new Together(moment, List.copyOf(now), changed));
            }
        }
        return states;
    }

    private static @Nullable Instant next(List<List<Change>> parts, int[] taken) {
        Instant next = null;
        for (int i = 0; i < taken.length; i++) {
            if (taken[i] < parts.get(i).size()) {
                Instant at = parts.get(i).get(taken[i]).at();
                next = next == null || at.isBefore(next) ? at : next;
            }
        }
        return next;
    }

    @Override
    public CompletableFuture<RefreshResult> refresh(RefreshCause cause) {
        return afterAll(roots.stream().map(root -> root.feed().refresh(cause)).toList());
    }

    /** Completed when it is made of what its parts have published by now. */
    @Override
    public CompletableFuture<RefreshResult> settle() {
        return afterAll(roots.stream().map(root -> root.feed().settle()).toList());
    }

    @Override
    public void close() {
        closed.complete(RefreshResult.LIMITED);
    }

    @Override
    public CompletableFuture<RefreshResult> catchUp() {
        return afterAll(roots.stream().map(root -> root.feed().catchUp()).toList());
    }

    /** Makes the secret anew once all parts have been asked; the most telling of their answers is the answer. */
    private CompletableFuture<RefreshResult> afterAll(List<CompletableFuture<RefreshResult>> asked) {
        CompletableFuture<RefreshResult> answer = new CompletableFuture<>();
        var unused = CompletableFuture.allOf(asked.toArray(new CompletableFuture<?>[0]))
                .whenComplete((done, failure) -> target().queue().execute(() -> makeThen(answer, asked)));
        return CompletableFuture.anyOf(answer, closed).thenApply(RefreshResult.class::cast); // closed, the queue rests
    }

    private void makeThen(CompletableFuture<RefreshResult> answer, List<CompletableFuture<RefreshResult>> asked) {
        RefreshResult answered = mostTelling(asked);
        try {
            var unused = make().thenRun(() -> answer.complete(answered));
        } catch (Throwable failure) { // the queue reports it; whoever waits must not wait for ever
            answer.complete(RefreshResult.FAILED);
            throw failure;
        }
    }

    private static RefreshResult mostTelling(List<CompletableFuture<RefreshResult>> ended) {
        for (RefreshResult result : List.of(RefreshResult.CHANGED, RefreshResult.FAILED, RefreshResult.UNCHANGED)) {
            if (ended.stream().anyMatch(one -> one.join() == result)) {
                return result;
            }
        }
        return RefreshResult.LIMITED;
    }

    @Override
    public void forgetRemembered() {
        roots.forEach(SecretNode::forgetRemembered);
    }

    @Override
    public String description() {
        return roots.stream()
                .map(root -> "'" + root.name() + "'")
                .collect(Collectors.joining(", ", "composed of ", ""));
    }

    @Override
    public boolean canChange() {
        return roots.stream().anyMatch(SecretNode::canChange);
    }

    /** Never called: the parts are read, and this is told what they hold. */
    @Override
    public List<StoreResult> read(List<StoreQuery> queries) {
        return queries.stream().map(query -> StoreResult.unchanged()).toList();
    }
}
