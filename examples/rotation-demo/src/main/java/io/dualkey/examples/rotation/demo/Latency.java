package io.dualkey.examples.rotation.demo;

import org.HdrHistogram.Histogram;

/**
 * How long a set of requests took.
 *
 * @param requests how many they were
 * @param p50 the median, in microseconds
 * @param p99 the 99th percentile, in microseconds
 * @param max the longest, in microseconds
 */
record Latency(long requests, long p50, long p99, long max) {

    /** A minute is longer than any timeout. */
    private static final long LONGEST = 60_000_000;

    static Histogram histogram() {
        return new Histogram(LONGEST, 3);
    }

    static void record(Histogram histogram, long micros) {
        histogram.recordValue(Math.min(micros, LONGEST));
    }

    static Latency of(Histogram histogram) {
        return new Latency(
                histogram.getTotalCount(),
                histogram.getValueAtPercentile(50),
                histogram.getValueAtPercentile(99),
                histogram.getMaxValue());
    }
}
