package io.dualkey.benchmarks.fleet;

import static org.assertj.core.api.Assertions.assertThat;

import io.dualkey.benchmarks.fleet.FleetCase.Way;
import io.dualkey.benchmarks.report.Page;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/**
 * What fleets of 10 to 10,000 replicas ask of a vault, and how soon they learn of a rotation. The same seed gives the same
 * result. {@code docs/fleet.md} has the results and what follows from them. Not a part of the build, for its length.
 *
 * <pre>benchmarks/fleet</pre>
 */
class FleetSimulation {

    private static final Duration PUSH_INTERVAL = Duration.ofHours(1);
    private static final Duration MOUNT_INTERVAL = Duration.ofMinutes(2);

    @Test
    void fleetsOfAllSizes() throws Exception {
        int largest = Integer.getInteger("fleet.largest", 10_000);
        List<FleetCase> cases =
                cases().stream().filter(one -> one.replicas() <= largest).toList();
        List<FleetResult> results = runAll(cases);
        write(Path.of("../docs"), new FleetReport(results));

        assertThat(results).allSatisfy(result -> assertThat(result.refused()).isZero());
    }

    /** The intervals are those that leave a third of the limit at least. */
    static List<FleetCase> cases() {
        List<FleetCase> cases = new ArrayList<>();
        for (VaultService service : VaultService.values()) {
            for (int replicas : new int[] {10, 100, 1000, 10_000}) {
                cases.add(new FleetCase(service, Way.POLLING, replicas, pollingInterval(replicas)));
                cases.add(new FleetCase(service, Way.MOUNT, replicas, MOUNT_INTERVAL));
                cases.add(new FleetCase(service, Way.PUSH, replicas, PUSH_INTERVAL));
                if (replicas == 1000) {
                    cases.add(new FleetCase(service, Way.LOSSY_PUSH, replicas, PUSH_INTERVAL));
                }
            }
        }
        return cases;
    }

    private static Duration pollingInterval(int replicas) {
        return Duration.ofMinutes(replicas <= 100 ? 1 : replicas <= 1000 ? 5 : 15);
    }

    /** Large fleets are watched for a part of a day, with its share of the rotations. */
    static Duration period(int replicas) {
        return Duration.ofHours(replicas <= 100 ? 24 : replicas <= 1000 ? 6 : 3);
    }

    private static List<FleetResult> runAll(List<FleetCase> cases) throws InterruptedException, ExecutionException {
        ExecutorService workers =
                Executors.newFixedThreadPool(Runtime.getRuntime().availableProcessors());
        try {
            List<Future<FleetResult>> running = new ArrayList<>();
            for (FleetCase one : cases) {
                Callable<FleetResult> run = () -> Fleet.run(one, period(one.replicas()));
                running.add(workers.submit(run));
            }
            List<FleetResult> results = new ArrayList<>();
            for (Future<FleetResult> one : running) {
                results.add(one.get());
                System.out.println(results.get(results.size() - 1));
            }
            return results;
        } finally {
            workers.shutdownNow();
        }
    }

    private static void write(Path docs, FleetReport report) throws IOException {
        Files.createDirectories(docs.resolve("results"));
        Files.writeString(docs.resolve("results/fleet.json"), report.json());
        Files.writeString(docs.resolve("images/fleet.svg"), report.plot().toString());
        new Page(docs.resolve("fleet.md")).replace("fleet", report.markdown());
    }
}
