package io.dualkey.secrets;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.PriorityQueue;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;

/** The engine's threads in virtual time: nothing runs but in {@link #run} and {@link #advance}, on the caller's thread.
 * Several engines may share one, as a fleet shares the time. Tests of other modules use it too. */
public class VirtualTime implements EngineThreads {

    private record Timer(long at, long order, AtomicReference<Runnable> task) {

        void run() {
            Runnable once = task.getAndSet(null);
            if (once != null) {
                once.run();
            }
        }
    }

    static final Instant START = Instant.parse("2026-01-01T00:00:00Z");

    private final Queue<Runnable> work = new ArrayDeque<>();
    private final PriorityQueue<Timer> timers =
            new PriorityQueue<>(Comparator.comparingLong(Timer::at).thenComparingLong(Timer::order));
    private final Clock clock = new VirtualClock();
    private final Random random;
    private long nanos;
    private Instant now = START;
    private long order;
    private int cancelled;

    public VirtualTime() {
        this(1);
    }

    public VirtualTime(long seed) {
        this.random = new Random(seed);
    }

    /** Makes a source that lives in this time, and loads its secrets. */
    public void start(SecretSource.Builder builder, Consumer<SecretSource> handles) {
        SecretSource source = builder.threads(this).build();
        handles.accept(source);
        var unused = source.begin();
        run();
    }

    void run() {
        for (Runnable task = work.poll(); task != null; task = work.poll()) {
            task.run();
        }
    }

    public void advance(Duration duration) {
        long end = nanos + duration.toNanos();
        run();
        while (!timers.isEmpty() && timers.peek().at() <= end) {
            Timer next = timers.remove();
            set(next.at());
            next.run();
            run();
        }
        set(end);
    }

    private void set(long time) {
        if (time != nanos) {
            nanos = time;
            now = START.plusNanos(time);
        }
    }

    private final class VirtualClock extends Clock {

        @Override
        public Instant instant() {
            return now;
        }

        @Override
        public ZoneId getZone() {
            return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(ZoneId zone) {
            return this;
        }
    }

    @Override
    public Clock clock() {
        return clock;
    }

    @Override
    public long nanos() {
        return nanos;
    }

    @Override
    public double random() {
        return random.nextDouble();
    }

    @Override
    public Runnable schedule(Duration delay, Runnable task) {
        Timer timer = new Timer(nanos + delay.toNanos(), order++, new AtomicReference<>(task));
        timers.add(timer);
        return () -> cancel(timer);
    }

    /** A large fleet cancels timers by the million, long before their time. */
    private void cancel(Timer timer) {
        if (timer.task().getAndSet(null) != null && ++cancelled > 1000 && cancelled > timers.size() / 2) {
            timers.removeIf(one -> one.task().get() == null);
            cancelled = 0;
        }
    }

    @Override
    public void execute(Runnable task) {
        work.add(task);
    }

    @Override
    public void close() {
        work.clear();
        timers.clear();
    }
}
