package io.dualkey.secrets;

import io.dualkey.secrets.Acceptance.Accepted;
import io.dualkey.secrets.Acceptance.Verdict;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A handle in the tree below one secret: the secret itself, or something derived from it. Each node applies the
 * acceptance function to the secret's history with its own idea of which versions are usable.
 */
abstract sealed class Node<T> implements Rotating<T> permits SecretNode, MappedNode, GatedNode {

    /*
     * Concurrency: `versions` is the only thing that readers touch; it always holds a complete, immutable view.
     * All changes
     * are made on the secret's serial queue, parent before child, so a child is never ahead of its parent. The
     * exception is
     * a node that is being made: its maker evaluates it once before anybody else can see it, from what its parent has
     * published, and attaching it queues another evaluation, which catches what changed in between. Parsers and listeners run on the queue or on queues of
     * their own, never under a lock.
     */

    private static final Logger log = LoggerFactory.getLogger(SecretSource.class);

    private volatile Versions<T> versions = new Versions<>(null, List.of(), null);
    private volatile @Nullable String problem;
    private final List<Node<?>> children = new CopyOnWriteArrayList<>();
    private final List<Listener<T>> listeners = new ArrayList<>(); // touched on the serial queue only

    /** The secret at the top of the tree. */
    abstract SecretNode root();

    /** Whether a version's value can be used here. */
    abstract boolean usable(VersionRecord version);

    /** The value of a usable version. */
    abstract T value(VersionRecord version);

    /** Why a version cannot be used here; null when it can, or when that is not known yet. */
    abstract @Nullable String problemWith(VersionRecord version);

    /** What follows from a new view; called on the serial queue, never while the node is being made. */
    void evaluated(List<Occurrence> history, Instant now) {}

    /**
     * Finds out what it can about the versions that the secret has, and forgets all others. What it found is published as
     * one immutable object, from which {@link #usable}, {@link #value} and {@link #problemWith} answer.
     */
    abstract void prepare(Set<VersionRecord> alive);

    @Override
    public final T current() {
        Version<T> current = versions.currentOrNull();
        if (current == null) {
            throw new SecretUnavailableException(root().whyUnavailable());
        }
        return current.value();
    }

    @Override
    public final Versions<T> versions() {
        return versions;
    }

    @Override
    public String name() {
        return root().name();
    }

    @Override
    public RotationPolicy policy() {
        return root().policy();
    }

    @Override
    public final <R> Rotating<R> map(Parser<? super T, ? extends R> parser) {
        return attach(new MappedNode<>(this, Objects.requireNonNull(parser, "parser")));
    }

    @Override
    public final Rotating<T> gatedBy(Gate<T> gate) {
        return attach(new GatedNode<>(this, Objects.requireNonNull(gate, "gate")));
    }

    final <N extends Node<?>> N attach(N child) {
        Node<?> made = child;
        made.evaluate(root().history(), root().now());
        children.add(child);
        root().queue().execute(root()::evaluateAll);
        return child;
    }

    @Override
    public final CompletableFuture<RefreshResult> refresh(RefreshCause cause) {
        return root().refreshGroup(Objects.requireNonNull(cause, "cause"));
    }

    @Override
    public final void recordUse(Version<T> version, long epochMillis) {
        version.record().uses().used(epochMillis);
        root().used(version.role(), epochMillis);
    }

    @Override
    public final Registration onRotation(Consumer<? super Version<T>> action) {
        Listener<T> listener = new Listener<>(Objects.requireNonNull(action, "listener"), root());
        root().queue().execute(() -> {
            listeners.add(listener);
            listener.offer(versions.currentOrNull());
        });
        return () -> {
            listener.closed = true;
            root().queue().execute(() -> listeners.remove(listener));
        };
    }

    /** Evaluates this node and then all below it. On the serial queue. Returns when the result may change by itself. */
    final @Nullable Instant evaluateTree(List<Occurrence> history, Instant now) {
        Instant next = evaluate(history, now);
        evaluated(history, now);
        for (Node<?> child : children) {
            next = earlier(next, child.evaluateTree(history, now));
        }
        return next;
    }

    private @Nullable Instant evaluate(List<Occurrence> history, Instant now) {
        prepare(history.stream().map(Occurrence::version).collect(Collectors.toUnmodifiableSet()));
        Verdict verdict = Acceptance.at(history, this::usable, policy().grace(), now);
        Version<T> before = versions.currentOrNull();
        Version<T> after = version(verdict.current());
        List<Version<T>> previous = new ArrayList<>();
        for (Accepted accepted : verdict.previous()) {
            previous.add(Objects.requireNonNull(version(accepted)));
        }
        versions = new Versions<>(after, previous, version(verdict.upcoming()));

        Verdict wanted = Acceptance.at(history, version -> true, policy().grace(), now);
        Accepted newest = wanted.current();
        problem = newest == null || (after != null && after.record() == newest.version())
                ? null
                : problemWith(newest.version());

        if (after != null && (before == null || before.record() != after.record())) {
            for (Listener<T> listener : listeners) {
                listener.offer(after);
            }
        }
        return verdict.nextChange();
    }

    private @Nullable Version<T> version(@Nullable Accepted accepted) {
        return accepted == null
                ? null
                : new Version<>(
                        accepted.version(),
                        value(accepted.version()),
                        accepted.role(),
                        accepted.activatedAt(),
                        accepted.until());
    }

    /** Why the version that the store wants is not served, here or further down; null if it is. */
    final @Nullable String problemInTree() {
        if (problem != null) {
            return problem;
        }
        for (Node<?> child : children) {
            String below = child.problemInTree();
            if (below != null) {
                return below;
            }
        }
        return null;
    }

    /** Adds the versions that this node and those below it accept, the current ones among them. */
    final void addAccepted(Set<VersionRecord> accepted) {
        versions.accepted().forEach(version -> accepted.add(version.record()));
        children.forEach(child -> child.addAccepted(accepted));
    }

    /** Adds the versions that this node and those below it serve as current ones. */
    final void addServed(Set<VersionRecord> served) {
        Version<T> current = versions.currentOrNull();
        if (current != null) {
            served.add(current.record());
        }
        children.forEach(child -> child.addServed(served));
    }

    /** Whether this node and all parsed from it have something to serve; what waits behind a gate does not count. */
    final boolean warm() {
        if (versions.currentOrNull() == null) {
            return false;
        }
        for (Node<?> child : children) {
            if (!(child instanceof GatedNode) && !child.warm()) {
                return false;
            }
        }
        return true;
    }

    static @Nullable Instant earlier(@Nullable Instant a, @Nullable Instant b) {
        if (a == null || b == null) {
            return a == null ? b : a;
        }
        return a.isBefore(b) ? a : b;
    }

    /** One listener with a queue of its own, so that it cannot delay another. */
    private static final class Listener<T> {

        private final Consumer<? super Version<T>> action;
        private final SecretNode root;
        private final SerialQueue queue;
        private @Nullable VersionRecord last; // touched on the secret's serial queue only
        volatile boolean closed;

        Listener(Consumer<? super Version<T>> action, SecretNode root) {
            this.action = action;
            this.root = root;
            this.queue = new SerialQueue(root.threads());
        }

        void offer(@Nullable Version<T> version) {
            if (version == null || version.record() == last) {
                return;
            }
            last = version.record();
            queue.execute(() -> {
                if (closed) {
                    return;
                }
                try {
                    action.accept(version);
                } catch (Throwable failure) { // theirs, not ours: the next version is delivered all the same
                    log.warn(
                            "A rotation listener of secret '{}' failed with {} on version {}",
                            root.name(),
                            failure.getClass().getName(),
                            version.id());
                }
            });
        }
    }
}
