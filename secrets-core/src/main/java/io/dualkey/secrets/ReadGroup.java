package io.dualkey.secrets;

import io.dualkey.secrets.StoreResult.Failed;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The secrets that are read from a store in one call, the schedule on which they are read, and the budgets ahead of it. */
final class ReadGroup implements Feed {

    /*
     * Concurrency: `lock` guards the fields below it and nothing else: no I/O, no callback and no completion of
     * a future
     * happens while it is held. At most one read is under way (`flight`); whoever asks meanwhile gets its
     * future. A flight is
     * completed after its results are published, and the next scheduled one is set up by its end, so a group
     * that is started
     * always has either a flight or a timer, whatever a store throws.
     *
     * A hint of the store's sets `hinted` until a read begins, and brings the timer forward. A read under way may have
     * missed the change, so its end sets the timer for another. A hinted read leaves the time of the next check as it was.
     */

    private static final Logger log = LoggerFactory.getLogger(SecretSource.class);
    /** Is told of each check that has ended, outside of the lock. */
    interface CheckListener {

        void checked(SecretNode secret, Outcome outcome, Duration took);
    }

    private static final Duration FIRST_RETRY = Duration.ofMillis(500);
    /** A store that asks for more has made a mistake, or somebody else has. */
    private static final Duration LONGEST_RETRY_AFTER = Duration.ofHours(1);
    /** How many untrusted callers may hang on one read. */
    private static final int MAX_UNTRUSTED_WAITING = 64;
    /** Hinted reads begin at least so far apart, or a tenth of the interval if that is shorter. */
    private static final Duration HINT_SPACING = Duration.ofMillis(100);

    private final SecretStore store;
    private final boolean canChange;
    private final Duration interval;
    private final EngineThreads threads;
    private final Runnable afterFlight;
    private final CheckListener checked;
    private final List<SecretNode> secrets = new CopyOnWriteArrayList<>();
    private volatile @Nullable Callable<List<StoreResult>> firstRead; // shared with other groups

    private final Object lock = new Object();
    private @Nullable CompletableFuture<RefreshResult> flight;
    private Runnable timer = () -> {};
    private boolean started;
    private boolean closed;
    private boolean spread;
    private int failures;
    private long leaveAloneUntil; // what the store's Retry-After asks for, on the monotonic clock
    private boolean leaveAlone;
    private long begun; // the last read, on the monotonic clock
    private long due; // the next scheduled check, likewise
    private boolean hinted; // and no read has begun since
    private boolean ahead; // the read under way, if any, was hinted
    private boolean answered; // the store has answered it: who asks from now on is not served by it
    private Registration watch = () -> {};
    private final Map<RefreshCause, Lane> lanes = new EnumMap<>(RefreshCause.class);
    private final Lane catchUps = new Lane(3, Duration.ofSeconds(10), 0);

    ReadGroup(
            SecretStore store, Duration interval, EngineThreads threads, Runnable afterFlight, CheckListener checked) {
        this.store = store;
        this.canChange = store.canChange();
        this.interval = interval;
        this.threads = threads;
        this.afterFlight = afterFlight;
        this.checked = checked;
        Duration untrusted = longer(Duration.ofSeconds(30), interval);
        lanes.put(RefreshCause.UNTRUSTED, new Lane(1, untrusted, 4));
        lanes.put(RefreshCause.LOGIN_FAILED, new Lane(1, Duration.ofSeconds(1), 6));
        lanes.put(RefreshCause.OPERATOR, new Lane(5, Duration.ofSeconds(12), 0));
    }

    void add(SecretNode secret) {
        secrets.add(secret);
        boolean late;
        synchronized (lock) {
            late = started;
        }
        if (late) {
            var unused = readAfterCurrent();
        }
    }

    SecretStore store() {
        return store;
    }

    /** Whether all of its secrets have something to serve. */
    boolean warm() {
        return secrets.stream().allMatch(SecretNode::warm);
    }

    /** Makes the first read together with other groups. To be called before the start. */
    void startWith(FirstReads first) {
        firstRead = first.add(queries(secrets).stream().flatMap(List::stream).toList());
    }

    void start() {
        synchronized (lock) {
            if (started) {
                return;
            }
            started = true;
        }
        poll();
        if (store.canChange()) {
            threads.execute(this::watch);
        }
    }

    @Override
    public void close() {
        CompletableFuture<RefreshResult> underWay;
        Registration watching;
        synchronized (lock) {
            closed = true;
            timer.run();
            underWay = flight;
            watching = watch;
        }
        if (underWay != null) { // its worker is interrupted and may not get to say how it ended
            underWay.complete(RefreshResult.FAILED);
        }
        end(watching);
    }

    private void watch() {
        Registration watching;
        try {
            watching = store.watch(this::hint);
        } catch (Throwable failure) { // whatever a store throws, the schedule goes on
            log.warn(
                    "Watching {} failed with {}: it is checked on schedule",
                    store.description(),
                    failure.getClass().getName());
            return;
        }
        boolean late;
        synchronized (lock) {
            watch = watching;
            late = closed;
        }
        if (late) {
            end(watching);
        }
    }

    private void end(Registration watching) {
        try {
            watching.close();
        } catch (RuntimeException failure) { // the other groups must be closed as well
            log.warn(
                    "Ending the watch of {} failed with {}",
                    store.description(),
                    failure.getClass().getName());
        }
    }

    /** The store says that something may have changed. */
    private void hint() {
        synchronized (lock) {
            if (hinted || closed) {
                return;
            }
            hinted = true;
            if (flight == null) {
                timer.run();
                timer = threads.schedule(untilHintedRead(), this::poll);
            }
        }
    }

    /** Under the lock. */
    private Duration untilHintedRead() {
        long now = threads.nanos();
        long spacing = shorter(HINT_SPACING, interval.dividedBy(10)).toNanos();
        long wait = Math.max(0, begun + spacing - now);
        return Duration.ofNanos(leaveAlone ? Math.max(wait, leaveAloneUntil - now) : wait);
    }

    @Override
    public CompletableFuture<RefreshResult> refresh(RefreshCause cause) {
        @Nullable CompletableFuture<RefreshResult> mine = null;
        synchronized (lock) {
            if (!started || closed) {
                return CompletableFuture.completedFuture(RefreshResult.LIMITED);
            }
            // An operator writes to the store and then asks: a read that began before may have missed the change.
            CompletableFuture<RefreshResult> joined = cause == RefreshCause.OPERATOR ? null : flight;
            long now = threads.nanos();
            boolean wait = leaveAlone && now - leaveAloneUntil < 0;
            // A read that was answered already may be too old for who asks now, but is better than none.
            if ((joined != null && !answered) || wait || !lane(cause).take(now)) {
                boolean flood = joined != null
                        && cause == RefreshCause.UNTRUSTED
                        && joined.getNumberOfDependents() >= MAX_UNTRUSTED_WAITING;
                return joined == null || flood
                        ? CompletableFuture.completedFuture(RefreshResult.LIMITED)
                        : joined.copy();
            }
            if (flight == null) {
                mine = takeOff(); // in the same breath as the permission: who comes next joins, and is not turned down
            }
        }
        return mine == null ? readAfterCurrent() : run(mine);
    }

    /** It happens once for each change of another secret, which may come often where a directory is watched. */
    @Override
    public CompletableFuture<RefreshResult> catchUp() {
        synchronized (lock) {
            if (!started || closed) {
                return CompletableFuture.completedFuture(RefreshResult.LIMITED);
            }
            long now = threads.nanos();
            boolean leave = leaveAlone && now - leaveAloneUntil < 0;
            if (canChange && (leave || !catchUps.take(now))) {
                return CompletableFuture.completedFuture(RefreshResult.LIMITED);
            }
        }
        return canChange ? readAfterCurrent() : CompletableFuture.completedFuture(RefreshResult.UNCHANGED);
    }

    private Lane lane(RefreshCause cause) {
        return Objects.requireNonNull(lanes.get(cause));
    }

    private CompletableFuture<RefreshResult> readAfterCurrent() {
        CompletableFuture<RefreshResult> underWay;
        synchronized (lock) {
            underWay = flight;
        }
        return underWay == null ? read() : underWay.thenCompose(ended -> read());
    }

    private void poll() {
        var unused = read();
    }

    /** Starts a read, or joins the one under way. */
    private CompletableFuture<RefreshResult> read() {
        CompletableFuture<RefreshResult> mine;
        synchronized (lock) {
            if (flight != null) {
                return flight.copy();
            }
            if (closed) {
                return CompletableFuture.completedFuture(RefreshResult.LIMITED);
            }
            mine = takeOff();
        }
        return run(mine);
    }

    /** Under the lock: others join from now on. Whoever calls this runs it afterwards. */
    private CompletableFuture<RefreshResult> takeOff() {
        CompletableFuture<RefreshResult> mine = new CompletableFuture<>();
        flight = mine;
        timer.run();
        begun = threads.nanos();
        answered = false;
        ahead = hinted;
        hinted = false;
        return mine;
    }

    private CompletableFuture<RefreshResult> run(CompletableFuture<RefreshResult> mine) {
        threads.execute(() -> readNow(mine));
        return mine.copy();
    }

    private void readNow(CompletableFuture<RefreshResult> mine) {
        List<SecretNode> asked = List.copyOf(secrets);
        List<List<StoreQuery>> queries = queries(asked);
        long begin = threads.nanos();
        List<StoreResult> results =
                readStore(queries.stream().flatMap(List::stream).toList());
        Duration took = Duration.ofNanos(threads.nanos() - begin);
        synchronized (lock) {
            answered = true;
        }

        List<CompletableFuture<Boolean>> published = new ArrayList<>();
        int from = 0;
        for (int i = 0; i < asked.size(); i++) {
            int to = from + queries.get(i).size();
            published.add(asked.get(i).offer(results.subList(from, to)));
            Outcome outcome = results.get(from) instanceof Failed failed ? failed.outcome() : Outcome.OK;
            checked.checked(asked.get(i), outcome, took);
            from = to;
        }
        var unused = CompletableFuture.allOf(published.toArray(new CompletableFuture<?>[0]))
                .whenComplete((done, failure) -> {
                    boolean changed = published.stream().anyMatch(CompletableFuture::join);
                    // On a worker: what callers hang on the future must not hold up the serial queue of a secret.
                    threads.execute(() -> land(mine, results, changed));
                });
    }

    private static List<List<StoreQuery>> queries(List<SecretNode> asked) {
        return asked.stream().map(SecretNode::queries).toList();
    }

    private List<StoreResult> readStore(List<StoreQuery> queries) {
        Callable<List<StoreResult>> first = firstRead;
        firstRead = null;
        try {
            List<StoreResult> results = first == null ? store.read(queries) : first.call();
            if (results.size() == queries.size()) {
                return List.copyOf(results);
            }
            return failed(queries, "the store gave " + results.size() + " results for " + queries.size() + " queries");
        } catch (Throwable failure) { // whatever a store throws, the schedule goes on
            if (failure instanceof InterruptedException) {
                Thread.currentThread().interrupt();
            }
            return failed(
                    queries, "reading it failed with " + failure.getClass().getName());
        }
    }

    private static List<StoreResult> failed(List<StoreQuery> queries, String detail) {
        StoreResult failed = StoreResult.failed(Outcome.UNREACHABLE, detail);
        return queries.stream().map(query -> failed).toList();
    }

    private void land(CompletableFuture<RefreshResult> mine, List<StoreResult> results, boolean changed) {
        boolean failed = false;
        Duration retryAfter = Duration.ZERO;
        for (StoreResult result : results) {
            if (result instanceof Failed failure
                    && (failure.outcome() == Outcome.UNREACHABLE || failure.outcome() == Outcome.THROTTLED)) {
                failed = true;
                retryAfter = failure.retryAfter() == null ? retryAfter : longer(retryAfter, failure.retryAfter());
            }
        }
        retryAfter = shorter(retryAfter, LONGEST_RETRY_AFTER);
        boolean cold = secrets.stream().anyMatch(SecretNode::cold);
        synchronized (lock) {
            flight = null;
            failures = failed ? failures + 1 : 0;
            leaveAlone = !retryAfter.isZero();
            leaveAloneUntil = threads.nanos() + retryAfter.toNanos();
            lanes.values().forEach(lane -> lane.ended(changed));
            if (!closed && (canChange || cold)) {
                Duration delay = longer(nextCheck(cold), retryAfter);
                timer = threads.schedule(hinted ? shorter(delay, untilHintedRead()) : delay, this::poll);
                Instant next = threads.clock().instant().plus(delay);
                secrets.forEach(secret -> secret.checkIsDue(next));
            }
        }
        mine.complete(changed ? RefreshResult.CHANGED : failed ? RefreshResult.FAILED : RefreshResult.UNCHANGED);
        afterFlight.run();
    }

    /** Under the lock. A fleet that is hinted all at once must not check in step ever after. */
    private Duration nextCheck(boolean cold) {
        long now = threads.nanos();
        if (!ahead || cold || due - now <= 0) {
            due = now + nextDelay(cold).toNanos();
        }
        return Duration.ofNanos(due - now);
    }

    /** Under the lock. Full jitter where something failed, so that a fleet does not come back in one wave. */
    private Duration nextDelay(boolean cold) {
        double random = threads.random();
        if (cold) {
            Duration ceiling = FIRST_RETRY.multipliedBy(1L << Math.min(failures, 10));
            if (ceiling.compareTo(interval) < 0) {
                return fraction(ceiling, 0.1 + 0.9 * random);
            }
        }
        if (cold || failures > 0) {
            return fraction(interval, 1 + random * Math.min(failures, 3)); // never sooner than a healthy check
        }
        if (!spread) { // started together with a whole fleet: from here on its members are apart
            spread = true;
            return fraction(interval, 0.05 + 0.95 * random);
        }
        return fraction(interval, 0.9 + 0.2 * random);
    }

    private static Duration fraction(Duration duration, double factor) {
        return Duration.ofNanos((long) (duration.toNanos() * factor));
    }

    private static Duration longer(Duration a, Duration b) {
        return a.compareTo(b) >= 0 ? a : b;
    }

    private static Duration shorter(Duration a, Duration b) {
        return a.compareTo(b) <= 0 ? a : b;
    }

    /** The budget of one cause: some reads at once, then one each spacing, which doubles while reads find nothing new. */
    private static final class Lane {

        private final int burst;
        private final long spacingNanos;
        private final int maxDoublings;
        private int fruitless;
        private boolean mine;
        private final long[] taken;
        private int count;

        Lane(int burst, Duration spacing, int maxDoublings) {
            this.burst = burst;
            this.spacingNanos = spacing.toNanos();
            this.maxDoublings = maxDoublings;
            this.taken = new long[burst];
        }

        boolean take(long now) {
            long window = (spacingNanos << Math.min(fruitless, maxDoublings)) * burst;
            int slot = count % burst;
            if (count >= burst && now - taken[slot] < window) {
                return false;
            }
            taken[slot] = now;
            count++;
            mine = true;
            return true;
        }

        void ended(boolean changed) {
            if (changed) {
                fruitless = 0;
            } else if (mine) {
                fruitless++;
            }
            mine = false;
        }
    }
}
