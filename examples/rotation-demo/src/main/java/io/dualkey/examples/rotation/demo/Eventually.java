package io.dualkey.examples.rotation.demo;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** Waiting for what others do. */
final class Eventually {

    private static final long PAUSE = Duration.ofMillis(20).toNanos();

    private Eventually() {}

    /**
     * Waits until something is so.
     *
     * @throws IllegalStateException if it is not so in time, or the thread is interrupted
     */
    static void until(Duration limit, String what, BooleanSupplier condition) {
        long deadline = System.nanoTime() + limit.toNanos();
        while (!condition.getAsBoolean()) {
            if (Thread.currentThread().isInterrupted()) {
                throw new IllegalStateException("interrupted while waiting until " + what);
            }
            if (System.nanoTime() - deadline > 0) {
                throw new IllegalStateException("not within " + limit.toSeconds() + " s: " + what);
            }
            LockSupport.parkNanos(PAUSE);
        }
    }
}
