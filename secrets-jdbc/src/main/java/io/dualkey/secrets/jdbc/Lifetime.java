package io.dualkey.secrets.jdbc;

import java.util.concurrent.Delayed;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The task by which HikariCP ends the life of one pooled connection when {@code maxLifetime} has passed, and the future
 * by which the pool calls it off when it closes the connection earlier. Running the task ahead of its time is how an
 * old connection retires: the pool closes it at once if it is idle, else when it is returned, and never aborts it.
 */
final class Lifetime implements ScheduledFuture<Object> {

    /*
     * Concurrency: each field is a flag or a reference of its own, written by one kind of thread: `timer` by whoever
     * schedules (the pool's thread that made the connection, then only its housekeeper), `left` by the pool when it
     * closes the connection, the rest by the retirement's thread alone.
     */

    private final Runnable endOfLife;
    private final BooleanSupplier mayEnd;
    private final Runnable onLeft;
    private final long attachedAt = System.nanoTime();
    private volatile @Nullable ScheduledFuture<?> timer;
    private volatile boolean left;
    private boolean pooled;
    private long retiredAt;
    private boolean retired;

    Lifetime(Runnable endOfLife, BooleanSupplier mayEnd, Runnable onLeft) {
        this.endOfLife = endOfLife;
        this.mayEnd = mayEnd;
        this.onLeft = onLeft;
    }

    /** Lets the task run by the clock, as the pool asked; again and again while it is not the time for it. */
    void schedule(ScheduledExecutorService executor, long delay, TimeUnit unit) {
        timer = executor.schedule(
                () -> {
                    if (left) {
                        return;
                    }
                    boolean now = false;
                    try {
                        now = mayEnd.getAsBoolean();
                    } finally { // also if it fails: the end comes some time
                        if (!now) {
                            schedule(executor, 1, TimeUnit.SECONDS);
                        }
                    }
                    if (now) {
                        endOfLife.run();
                    }
                },
                delay,
                unit);
    }

    /** Whether the pool has let go of the connection. */
    boolean hasLeft() {
        return left;
    }

    /** Whether the connection is in the pool for certain, see {@link Retirement}. */
    boolean isPooled(long now) {
        return pooled || now - attachedAt > TimeUnit.SECONDS.toNanos(10);
    }

    void setPooled() {
        pooled = true;
    }

    /** Has the pool close the connection, now or when it is returned. */
    void retire(long now) {
        if (!retired) {
            retired = true;
            retiredAt = now;
        }
        endOfLife.run();
    }

    boolean isRetired() {
        return retired;
    }

    /** How long ago {@link #retire} was first called. */
    long nanosSinceRetired(long now) {
        return now - retiredAt;
    }

    /** The pool closes the connection. */
    @Override
    public boolean cancel(boolean mayInterruptIfRunning) {
        left = true;
        ScheduledFuture<?> last = timer;
        if (last != null) {
            last.cancel(false);
        }
        onLeft.run();
        return true;
    }

    @Override
    public boolean isCancelled() {
        return left;
    }

    @Override
    public boolean isDone() {
        return left;
    }

    @Override
    public Object get() throws InterruptedException, ExecutionException {
        return delegate().get();
    }

    @Override
    public Object get(long timeout, TimeUnit unit) throws InterruptedException, ExecutionException, TimeoutException {
        return delegate().get(timeout, unit);
    }

    @Override
    public long getDelay(TimeUnit unit) {
        return delegate().getDelay(unit);
    }

    @Override
    public int compareTo(Delayed other) {
        return delegate().compareTo(other);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return this == other;
    }

    @Override
    public int hashCode() {
        return System.identityHashCode(this);
    }

    private ScheduledFuture<?> delegate() {
        ScheduledFuture<?> last = timer;
        if (last == null) {
            throw new IllegalStateException("not scheduled yet");
        }
        return last;
    }
}
