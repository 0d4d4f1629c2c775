package io.dualkey.examples.rotation.demo;

import io.dualkey.examples.rotation.demo.Sample.Result;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongPredicate;
import org.HdrHistogram.Histogram;

/**
 * What the clients saw: every request is kept, a minute's worth of them, so that any window can be looked at
 * afterwards. Safe for use by several threads.
 */
final class Measurements {

    private final RunClock clock;
    private final Queue<Sample> samples = new ConcurrentLinkedQueue<>();
    private final LongAdder requests = new LongAdder();
    private final LongAdder failures = new LongAdder();
    private final LongAdder expectedRefusals = new LongAdder();
    private final Map<String, LongAdder> failureKinds = new ConcurrentHashMap<>();

    private final Object recent = new Object();
    private final Histogram sinceLast = Latency.histogram();
    private long lastTaken = System.nanoTime();

    Measurements(RunClock clock) {
        this.clock = clock;
    }

    /** Records a request that was due at a moment of {@link System#nanoTime} and has just ended. */
    void record(long dueNanos, Result result) {
        long micros = Math.max(0, (System.nanoTime() - dueNanos) / 1000);
        samples.add(new Sample(clock.at(dueNanos), micros, result));
        requests.increment();
        if (result == Result.REFUSED_AS_EXPECTED) {
            expectedRefusals.increment();
        }
        synchronized (recent) {
            Latency.record(sinceLast, micros);
        }
    }

    /** Records a request that was due at a moment of {@link System#nanoTime} and has failed in some way. */
    void recordFailure(long dueNanos, String kind) {
        record(dueNanos, Result.FAILED);
        failures.increment();
        failureKinds.computeIfAbsent(kind, any -> new LongAdder()).increment();
    }

    long requests() {
        return requests.sum();
    }

    long failures() {
        return failures.sum();
    }

    long expectedRefusals() {
        return expectedRefusals.sum();
    }

    /** {@return the failures by kind} */
    Map<String, Long> failureKinds() {
        Map<String, Long> kinds = new TreeMap<>();
        failureKinds.forEach((kind, count) -> kinds.put(kind, count.sum()));
        return kinds;
    }

    /**
     * What happened since the last call.
     *
     * @param perSecond requests per second
     * @param latency of these requests
     */
    record Recent(double perSecond, Latency latency) {}

    /** {@return what happened since the last call, for the terminal} */
    Recent takeRecent() {
        synchronized (recent) {
            Latency latency = Latency.of(sinceLast);
            long now = System.nanoTime();
            double seconds = Math.max(1, now - lastTaken) / 1e9;
            lastTaken = now;
            sinceLast.reset();
            return new Recent(latency.requests() / seconds, latency);
        }
    }

    /** {@return the latency of all requests that were due at a moment, in nanoseconds, which the filter lets pass} */
    Latency latency(LongPredicate when) {
        return latency(samples, when);
    }

    static Latency latency(Collection<Sample> samples, LongPredicate when) {
        Histogram histogram = Latency.histogram();
        for (Sample sample : samples) {
            if (when.test(sample.at())) {
                Latency.record(histogram, sample.micros());
            }
        }
        return Latency.of(histogram);
    }

    /** {@return the requests in slices of the time after warming up; a last slice that is not full is left out} */
    List<Slice> slices(Duration width, Duration length) {
        long each = width.toNanos();
        int count = (int) (length.toNanos() / each);
        List<Histogram> histograms = new ArrayList<>();
        long[] failed = new long[count];
        for (int i = 0; i < count; i++) {
            histograms.add(Latency.histogram());
        }
        for (Sample sample : samples) {
            int index = (int) Math.floorDiv(sample.at(), each);
            if (index >= 0 && index < count) {
                Latency.record(histograms.get(index), sample.micros());
                if (sample.result() == Result.FAILED) {
                    failed[index]++;
                }
            }
        }
        List<Slice> slices = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            double seconds = each / 1e9;
            slices.add(new Slice(i * seconds, seconds, Latency.of(histograms.get(i)), failed[i]));
        }
        return slices;
    }

    /**
     * The requests that were due in a short time.
     *
     * @param start in seconds
     * @param width in seconds
     * @param latency how long they took
     * @param failures how many of them failed
     */
    record Slice(double start, double width, Latency latency, long failures) {

        double perSecond() {
            return latency.requests() / width;
        }
    }
}
