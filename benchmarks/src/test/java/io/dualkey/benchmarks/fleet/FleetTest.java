package io.dualkey.benchmarks.fleet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.dualkey.benchmarks.fleet.FleetCase.Way;
import io.dualkey.secrets.Outcome;
import io.dualkey.secrets.StoreQuery;
import io.dualkey.secrets.StoreResult;
import io.dualkey.secrets.VirtualTime;
import java.time.Duration;
import java.util.List;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;

/** The small fleets, for a part of a day: what the figures of docs/fleet.md rest on. */
class FleetTest {

    private static final Duration MINUTE = Duration.ofMinutes(1);
    private static final Duration PERIOD = Duration.ofHours(2);

    /** One GET of the latest version each minute, and one more of the previous in its grace: docs/azure.md. */
    @Test
    void pollingCostsTwoCallsACheckOfAzureInAGracePeriod() {
        FleetResult ten = Fleet.run(new FleetCase(VaultService.AZURE, Way.POLLING, 10, MINUTE), PERIOD);

        assertThat(ten.callsPerHour()).isCloseTo(10 * 10 * 60 * 2, Percentage.withPercentage(2));
        assertThat(ten.readsOfOneVersion()).isCloseTo(10 * 60, within(20));
        assertNothingIsRefused(ten);
        assertThat(ten.all()).isBetween(Duration.ofSeconds(1), Duration.ofSeconds(66));
    }

    /** One DescribeSecret each minute; values are read when something has changed. */
    @Test
    void pollingCostsOneCallACheckOfAws() {
        FleetResult ten = Fleet.run(new FleetCase(VaultService.AWS, Way.POLLING, 10, MINUTE), PERIOD);

        assertThat(ten.callsPerHour()).isCloseTo(10 * 10 * 60, Percentage.withPercentage(2));
        assertThat(ten.readsOfOneVersion()).isEqualTo(10);
        assertNothingIsRefused(ten);
    }

    /** What the vault is asked follows from the number of nodes: 2 of them, 10 secrets, 3 calls, 30 times an hour. */
    @Test
    void mountsAskForEachNode() {
        FleetResult forty = Fleet.run(new FleetCase(VaultService.AZURE, Way.MOUNT, 40, Duration.ofMinutes(2)), PERIOD);

        assertThat(forty.callsPerHour()).isCloseTo(2 * 10 * 3 * 30, Percentage.withPercentage(2));
        assertNothingIsRefused(forty);
        assertThat(forty.all()).isBetween(Duration.ofSeconds(1), Duration.ofMinutes(2));
    }

    /**
     * The signer waits for two intervals, and so a signal that was lost costs time and nothing else: nearly all replicas learn
     * within seconds, and the rest at their next check.
     */
    @Test
    void pushReachesAFleetInSecondsAndLostSignalsAreMadeUpFor() {
        FleetResult hundred =
                Fleet.run(new FleetCase(VaultService.AZURE, Way.LOSSY_PUSH, 100, Duration.ofMinutes(30)), PERIOD);

        // A check of each secret each half hour, and three calls of each replica for each of the two rotations.
        double expected = 100 * 10 * 2 * 2 + 2 * 100 * 3 / 2.0;
        assertThat(hundred.callsPerHour()).isCloseTo(expected, Percentage.withPercentage(10));
        assertThat(hundred.half()).isLessThanOrEqualTo(Duration.ofSeconds(2));
        assertThat(hundred.all()).isBetween(Duration.ofSeconds(3), Duration.ofMinutes(33));
        assertNothingIsRefused(hundred);
    }

    private static void assertNothingIsRefused(FleetResult result) {
        assertThat(result.refused()).isZero();
        assertThat(result.throttled()).isZero();
        assertThat(result.tokens()).isGreaterThan(5_000);
        assertThat(result.ofPrevious()).as("tokens by the key before").isGreaterThan(100);
    }

    @Test
    void theVaultThrottlesBeyondItsLimitUntilTheNextWindow() {
        VirtualTime time = new VirtualTime();
        SimulatedVault vault = new SimulatedVault(VaultService.AZURE, time, "key");
        vault.put("key", "value", time.clock().instant());
        vault.count(Duration.ofMinutes(1));
        StoreQuery query = StoreQuery.of("key", Duration.ZERO, time.clock().instant());
        time.advance(Duration.ofSeconds(4));
        for (int i = 0; i < 2000; i++) { // a first read is a GET and a list
            assertThat(vault.read(List.of(query)).get(0)).isInstanceOf(StoreResult.Found.class);
        }

        assertThat(vault.read(List.of(query)))
                .containsExactly(
                        StoreResult.failed(Outcome.THROTTLED, Outcome.THROTTLED.description(), Duration.ofSeconds(6)));
        time.advance(Duration.ofSeconds(6));
        assertThat(vault.read(List.of(query)).get(0)).isInstanceOf(StoreResult.Found.class);
        assertThat(vault.traffic().throttled()).isOne();
        assertThat(vault.traffic().calls()).isEqualTo(4003);
    }

    @Test
    void durationsReadWell() {
        assertThat(FleetReport.words(Duration.ofMillis(1999))).isEqualTo("2 s");
        assertThat(FleetReport.words(Duration.ofSeconds(60))).isEqualTo("1 min");
        assertThat(FleetReport.words(Duration.ofSeconds(118))).isEqualTo("118 s");
        assertThat(FleetReport.words(Duration.ofMinutes(15))).isEqualTo("15 min");
        assertThat(FleetReport.words(Duration.ofMinutes(60))).isEqualTo("1 h");
        assertThat(FleetReport.words(null)).isEqualTo("not reached");
    }
}
