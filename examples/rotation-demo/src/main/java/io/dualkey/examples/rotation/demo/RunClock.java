package io.dualkey.examples.rotation.demo;

/** The clock of the run: it shows zero when warming up ends. Safe for use by several threads. */
final class RunClock {

    private final long zero;

    /** A clock that shows zero at a moment of {@link System#nanoTime}. */
    RunClock(long zero) {
        this.zero = zero;
    }

    /** {@return what the clock showed, in nanoseconds, at a moment of {@link System#nanoTime}} */
    long at(long nanoTime) {
        return nanoTime - zero;
    }

    /** {@return what the clock shows now, in seconds} */
    double seconds() {
        return at(System.nanoTime()) / 1e9;
    }
}
