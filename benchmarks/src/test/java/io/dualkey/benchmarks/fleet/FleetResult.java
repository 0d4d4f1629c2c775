package io.dualkey.benchmarks.fleet;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What a simulated fleet did. The times are of the slowest of the rotations; null where a part of the fleet did not get there.
 *
 * @param fleet the case
 * @param callsPerHour of the vault, by the whole fleet
 * @param busiestTenSeconds the calls in the busiest 10 seconds
 * @param throttled calls that were answered 429
 * @param readsOfOneVersion how often the latest version of one secret was read in the busiest hour
 * @param half until half of the fleet had a new version
 * @param most until 99% had it
 * @param all until all had it
 * @param tokens verifications of tokens
 * @param ofPrevious how many of them were by a previous key
 * @param refused how many tokens were refused
 */
record FleetResult(
        FleetCase fleet,
        double callsPerHour,
        int busiestTenSeconds,
        long throttled,
        int readsOfOneVersion,
        @Nullable Duration half,
        @Nullable Duration most,
        @Nullable Duration all,
        long tokens,
        long ofPrevious,
        long refused) {}
