package io.dualkey.examples.rotation.demo;

import static org.assertj.core.api.Assertions.assertThat;

import io.dualkey.examples.rotation.demo.Sample.Result;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class MeasurementsTest {

    private static final long SECOND = Duration.ofSeconds(1).toNanos();

    @Test
    void knowsPercentilesOfAWindow() {
        List<Sample> samples = LongStream.rangeClosed(1, 100)
                .mapToObj(i -> new Sample(i * SECOND, i * 1_000, Result.SERVED))
                .toList();

        Latency all = Measurements.latency(samples, at -> true);
        Latency firstTen = Measurements.latency(samples, at -> at <= 10 * SECOND);

        assertThat(all.requests()).isEqualTo(100);
        assertThat(all.p50()).isBetween(50_000L, 50_100L);
        assertThat(all.p99()).isBetween(99_000L, 99_100L);
        assertThat(all.max()).isBetween(100_000L, 100_100L);
        assertThat(firstTen).isEqualTo(new Latency(10, 5_003, 10_007, 10_007));
    }

    @Test
    void countsAWaitThatIsLongerThanAllTimeouts() {
        List<Sample> samples = List.of(new Sample(0, Duration.ofHours(1).toNanos() / 1000, Result.FAILED));

        assertThat(Measurements.latency(samples, at -> true).max()).isGreaterThan(59_000_000);
    }

    @Test
    void tellsFailuresFromRefusalsThatWereExpected() {
        Measurements measurements = new Measurements(new RunClock(System.nanoTime()));

        measurements.record(System.nanoTime(), Result.SERVED);
        measurements.record(System.nanoTime(), Result.REFUSED_AS_EXPECTED);
        measurements.recordFailure(System.nanoTime(), "HTTP 500");
        measurements.recordFailure(System.nanoTime(), "HTTP 500");

        assertThat(measurements.requests()).isEqualTo(4);
        assertThat(measurements.expectedRefusals()).isEqualTo(1);
        assertThat(measurements.failures()).isEqualTo(2);
        assertThat(measurements.failureKinds()).isEqualTo(Map.of("HTTP 500", 2L));
    }

    @Test
    void leavesWarmingUpAndTheBrokenEndOutOfTheSlices() {
        long zero = System.nanoTime();
        Measurements measurements = new Measurements(new RunClock(zero));

        measurements.record(zero - 1, Result.SERVED);
        measurements.record(zero, Result.SERVED);
        measurements.recordFailure(zero + SECOND, "HTTP 500");
        measurements.record(zero + 2 * SECOND, Result.SERVED);

        List<Measurements.Slice> slices = measurements.slices(Duration.ofSeconds(1), Duration.ofMillis(2_900));

        assertThat(slices).hasSize(2);
        assertThat(slices.get(0).perSecond()).isEqualTo(1);
        assertThat(slices.get(0).failures()).isZero();
        assertThat(slices.get(1).failures()).isEqualTo(1);
    }
}
