package io.dualkey.secrets.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/** Runs the ends of connections' lifetimes when the test says so, instead of half a minute later. */
final class LifetimesAtWill extends ScheduledThreadPoolExecutor {

    private final Queue<Runnable> ends = new ConcurrentLinkedQueue<>();

    LifetimesAtWill() {
        super(1);
    }

    @Override
    public ScheduledFuture<?> schedule(Runnable command, long delay, TimeUnit unit) {
        if (unit.toSeconds(delay) >= 20) {
            ends.add(command);
        }
        return super.schedule(command, delay, unit);
    }

    void endLifetimes() {
        assertThat(ends).isNotEmpty();
        ends.forEach(Runnable::run);
    }
}
