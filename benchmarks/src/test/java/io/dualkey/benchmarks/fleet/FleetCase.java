package io.dualkey.benchmarks.fleet;

import java.time.Duration;

/**
 * A fleet, and how it learns of a rotation.
 *
 * @param service the vault
 * @param way how new versions reach the replicas
 * @param replicas how many there are
 * @param interval how often each replica checks the vault, or where there are mounts, the provider of each node
 */
record FleetCase(VaultService service, Way way, int replicas, Duration interval) {

    /** How new versions reach the replicas. */
    enum Way {
        /** Each replica checks the vault at intervals. */
        POLLING("polling"),
        /** One provider for each node checks the vault and fills a directory, which the replicas of the node watch. */
        MOUNT("node-local mount"),
        /** A signal of the vault's tells each replica to check at once. The intervals go on, as a safety net. */
        PUSH("push"),
        /** The same, and one signal in a hundred is lost. */
        LOSSY_PUSH("push, 1 in 100 lost");

        final String title;

        Way(String title) {
            this.title = title;
        }
    }

    static final int SECRETS = 10;
    static final int REPLICAS_OF_A_NODE = 20;

    private static final Duration LEAST_SPREAD = Duration.ofSeconds(2);
    private static final Duration SKEW = Duration.ofSeconds(60);

    /** What one replica reads of a rotation at most, of values and of lists: docs/azure.md and docs/aws.md. */
    private static final int CALLS_OF_A_CHANGE = 3;

    boolean pushed() {
        return way == Way.PUSH || way == Way.LOSSY_PUSH;
    }

    int nodes() {
        return (replicas + REPLICAS_OF_A_NODE - 1) / REPLICAS_OF_A_NODE;
    }

    /** Over how long a signal lets the replicas check, each at a moment of its own, so that half of the limit is left. */
    Duration spread() {
        double seconds = replicas * CALLS_OF_A_CHANGE / (service.valuesPerSecond() / 2);
        Duration needed = Duration.ofSeconds((long) Math.ceil(seconds));
        return needed.compareTo(LEAST_SPREAD) > 0 ? needed : LEAST_SPREAD;
    }

    /** For how long the signer goes on with the key before: two intervals and the clock skew. */
    Duration propagation() {
        return interval.multipliedBy(2).plus(SKEW);
    }
}
