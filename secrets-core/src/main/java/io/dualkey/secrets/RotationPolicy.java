package io.dualkey.secrets;

import java.time.Duration;

/**
 * How one secret rotates. Immutable and safe for use by several threads.
 *
 * @param refreshInterval how long a change in the store takes at most to be noticed while the store is healthy, give or
 *     take a tenth; positive
 * @param grace how long a version is accepted after another has become current; zero means not at all
 */
public record RotationPolicy(Duration refreshInterval, Duration grace) {

    /**
     * Checks the ranges.
     *
     * @param refreshInterval positive
     * @param grace zero or more
     * @throws IllegalArgumentException if the interval is not positive or the grace period is negative
     */
    public RotationPolicy {
        if (refreshInterval.isNegative() || refreshInterval.isZero()) {
            throw new IllegalArgumentException("refreshInterval must be positive, but is " + refreshInterval);
        }
        if (grace.isNegative()) {
            throw new IllegalArgumentException("grace must not be negative, but is " + grace);
        }
    }
}
