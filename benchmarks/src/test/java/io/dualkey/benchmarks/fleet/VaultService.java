package io.dualkey.benchmarks.fleet;

/** A vault's limits, and the calls that it is asked: those of the stores of this project, and of a provider that mounts files. */
enum VaultService {
    /** Azure Key Vault: 4,000 transactions of any kind in 10 seconds, for each vault. */
    AZURE("Azure Key Vault", 4000, 10, 4000, 10) {
        @Override
        boolean check(SimulatedVault.Calls calls, boolean changed, boolean previousMatters) {
            return calls.get(true) && (!changed || calls.other()) && (!previousMatters || calls.get(false));
        }

        @Override
        boolean mount(SimulatedVault.Calls calls) {
            return calls.other() && calls.get(true) && calls.get(false);
        }
    },
    /** AWS Secrets Manager: 40,000 DescribeSecret and 10,000 GetSecretValue a second, for each account and region. */
    AWS("AWS Secrets Manager", 10_000, 1, 40_000, 1) {
        @Override
        boolean check(SimulatedVault.Calls calls, boolean changed, boolean previousMatters) {
            return calls.other() && (!changed || (calls.get(true) && (!previousMatters || calls.get(false))));
        }

        @Override
        boolean mount(SimulatedVault.Calls calls) {
            return calls.get(true) && calls.get(false);
        }
    };

    final String title;
    final int gets;
    final int getSeconds;
    final int others;
    final int otherSeconds;

    VaultService(String title, int gets, int getSeconds, int others, int otherSeconds) {
        this.title = title;
        this.gets = gets;
        this.getSeconds = getSeconds;
        this.others = others;
        this.otherSeconds = otherSeconds;
    }

    /** Whether calls of all kinds count together. */
    boolean oneLimit() {
        return this == AZURE;
    }

    /** The calls of one check of one secret, as docs/azure.md and docs/aws.md have them. False if one was throttled. */
    abstract boolean check(SimulatedVault.Calls calls, boolean changed, boolean previousMatters);

    /** The calls of a provider that mounts the latest version and the one before. False if one was throttled. */
    abstract boolean mount(SimulatedVault.Calls calls);

    /** How many values can be read in a second. */
    double valuesPerSecond() {
        return (double) gets / getSeconds;
    }
}
