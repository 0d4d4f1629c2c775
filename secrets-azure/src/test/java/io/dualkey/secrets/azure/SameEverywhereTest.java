package io.dualkey.secrets.azure;

import static org.assertj.core.api.Assertions.assertThat;

import io.dualkey.secrets.SecretValue;
import io.dualkey.secrets.StoreResult.Failed;
import io.dualkey.secrets.StoredSecret;
import io.dualkey.secrets.StoredVersion;
import io.dualkey.secrets.azure.KeyVaultStub.Held;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Operators do at random what they can do to versions. After each step a process that was running throughout, one that has just
 * started, and one that reads every version there is accept the same.
 */
class SameEverywhereTest {

    private static final int SCENARIOS = 6;
    private static final int STEPS = 12;

    private static KeyVaultStub vault;

    @BeforeAll
    static void startVault() {
        vault = new KeyVaultStub();
    }

    @AfterAll
    static void stopVault() {
        vault.close();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void runningAndRestartedProcessesAcceptTheSame(boolean byList) throws InterruptedException {
        for (int seed = 1; seed <= SCENARIOS; seed++) {
            scenario(seed, byList);
        }
    }

    private static void scenario(int seed, boolean byList) throws InterruptedException {
        String name = "s" + seed + (byList ? "l" : "g");
        Random random = new Random(seed);
        Rig running = new Rig(vault);
        running.store = byList ? running.store.checkedByList() : running.store;
        vault.put(name, "v", running.now.minusSeconds(60));
        List<String> log = new ArrayList<>();
        for (int step = 1; step <= STEPS; step++) {
            log.add(step(name, random, running.now, step));
            boolean failed = running.check(name) instanceof Failed;
            Rig fresh = running.restarted();
            boolean freshFailed = fresh.check(name) instanceof Failed;
            List<String> expected = new ArrayList<>(all(name, running));
            if (failed || freshFailed) { // an order to refuse all of it
                assertThat(expected).as("seed %s: %s", seed, log).isEmpty();
                assertThat(freshFailed).as("seed %s: %s", seed, log).isEqualTo(failed);
                running.forget(); // as core does
            } else {
                assertThat(running.accepted(name))
                        .as("running, seed %s: %s", seed, log)
                        .isEqualTo(expected);
                assertThat(fresh.accepted(name))
                        .as("restarted, seed %s: %s", seed, log)
                        .isEqualTo(expected);
            }
            running.pass(Duration.ofMinutes(1 + random.nextInt(16 * 60)));
            if (!failed) {
                running.check(name);
            }
        }
    }

    private static String step(String name, Random random, Instant now, int step) {
        List<Held> versions = vault.versions(name);
        Held one = versions.get(Math.max(0, versions.size() - 1 - random.nextInt(4)));
        switch (random.nextInt(8)) {
            case 0 -> {
                vault.disable(name, one.id());
                return now + " disable " + one.value();
            }
            case 1 -> {
                vault.change(name, one.id(), held -> held.enabled(true));
                return now + " enable " + one.value();
            }
            case 2 -> {
                vault.change(name, one.id(), held -> held.exp(now.plusSeconds(60L * random.nextInt(2_000))));
                return now + " expire " + one.value();
            }
            case 3 -> {
                String id = vault.put(name, "v" + step, now);
                vault.change(name, id, held -> held.nbf(now.plusSeconds(60L * random.nextInt(2_000))));
                return now + " announce v" + step;
            }
            default -> {
                vault.put(name, "v" + step, now);
                return now + " put v" + step;
            }
        }
    }

    /** What is accepted by one who reads everything. */
    private static List<String> all(String name, Rig rig) {
        List<StoredVersion> versions = vault.versions(name).stream()
                .map(held -> {
                    StoredVersion version = StoredVersion.of(held.id(), SecretValue.ofText(held.value()))
                            .withActivatedAt(Instant.ofEpochSecond(held.created()))
                            .withEnabled(held.enabled());
                    version = held.nbf() == null ? version : version.withNotBefore(Instant.ofEpochSecond(held.nbf()));
                    return held.exp() == null ? version : version.withExpires(Instant.ofEpochSecond(held.exp()));
                })
                .toList();
        return rig.accepted(name, StoredSecret.of("all", versions));
    }
}
