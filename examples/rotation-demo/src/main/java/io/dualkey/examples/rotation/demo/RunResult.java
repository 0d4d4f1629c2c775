package io.dualkey.examples.rotation.demo;

import io.dualkey.examples.rotation.demo.Measurements.Slice;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/**
 * All that a run has shown. It has no secrets: labels, counts and times only.
 *
 * @param startedAt when the load started
 * @param seconds how long it lasted, after warming up
 * @param setting what the run was made with, for people
 * @param totals the counts
 * @param steady how long requests took while nothing was being rotated
 * @param steps the runbook, as it went
 * @param slices throughput and latency over time
 * @param keys what each signing key was over time
 * @param credentials how many connections each generation of credentials had over time
 * @param problems what went wrong; empty when all is well
 */
record RunResult(
        Instant startedAt,
        double seconds,
        String setting,
        Totals totals,
        Latency steady,
        List<Step> steps,
        List<Slice> slices,
        List<KeyBand> keys,
        List<CredentialBand> credentials,
        List<String> problems) {

    boolean passed() {
        return problems.isEmpty();
    }

    /** {@return how many steps brought something new into use} */
    long rotations() {
        return steps.stream()
                .filter(step -> step.kind().isRotation() && step.effective().isPresent())
                .count();
    }

    /**
     * Counts over the whole run, warming up included.
     *
     * @param requests sent by the clients
     * @param failures of these, the ones that ended in any way they should not
     * @param failureKinds the failures by kind
     * @param expectedRefusals of these, the ones refused because the key of their token had been removed
     * @param acceptedByCurrent tokens accepted by the current key, as the library counts
     * @param acceptedByPrevious tokens accepted by a previous key, as the library counts
     * @param failedLogins logins of the service that failed, as the library counts
     * @param refusedLogins logins that the database server refused, by its log
     * @param connectionsMoved connections that were replaced, as the library counts
     */
    record Totals(
            long requests,
            long failures,
            Map<String, Long> failureKinds,
            long expectedRefusals,
            long acceptedByCurrent,
            long acceptedByPrevious,
            long failedLogins,
            long refusedLogins,
            long connectionsMoved) {}
}
