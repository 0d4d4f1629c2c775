package io.dualkey.secrets.micrometer;

import static org.assertj.core.api.Assertions.assertThat;

import io.dualkey.secrets.DirectoryStore;
import io.dualkey.secrets.EnvironmentStore;
import io.dualkey.secrets.InMemoryStore;
import io.dualkey.secrets.Outcome;
import io.dualkey.secrets.RefreshCause;
import io.dualkey.secrets.RotatingSecret;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.SecretValue;
import io.dualkey.secrets.StoredVersion;
import io.dualkey.secrets.Versions;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** P10: what operators see of secrets and stores. */
class SecretMetersTest {

    @Test
    void metersTellWhetherThePreviousVersionIsStillInUse() {
        InMemoryStore store = new InMemoryStore();
        store.put("jwt-key", "canary-1");
        store.put("jwt-key", "canary-2");
        try (SecretSource source = SecretSource.from(store)) {
            RotatingSecret secret = source.secret("jwt-key");
            source.start(Duration.ofSeconds(10));
            var registry = new SimpleMeterRegistry();
            Clock later = Clock.fixed(Instant.ofEpochSecond(100), ZoneOffset.UTC);
            new SecretMeters(source, later).bindTo(registry);

            Versions<?> versions = secret.versions();
            assertThat(versions.previous()).hasSize(1);
            secret.recordUse(secret.versions().accepted().get(0), 90_000);
            secret.recordUse(secret.versions().accepted().get(1), 40_000);
            assertThat(secret.refresh(RefreshCause.OPERATOR)).succeedsWithin(Duration.ofSeconds(10));

            assertThat(uses(registry, "current")).isEqualTo(1);
            assertThat(uses(registry, "previous")).isEqualTo(1);
            assertThat(registry.get("dualkey.secret.unused")
                            .tag("role", "previous")
                            .timeGauge()
                            .value())
                    .isEqualTo(60);
            assertThat(registry.get("dualkey.secret.unused")
                            .tag("role", "upcoming")
                            .timeGauge()
                            .value())
                    .isNaN();
            // The first check was before the registry was there.
            assertThat(registry.get("dualkey.secret.refresh")
                            .tag("outcome", "ok")
                            .timer()
                            .count())
                    .isEqualTo(1);
            assertThat(registry.get("dualkey.secret.versions")
                            .tag("role", "previous")
                            .gauge()
                            .value())
                    .isEqualTo(1);
            assertThat(registry.get("dualkey.secret.healthy").gauge().value()).isEqualTo(1);
            assertThat(registry.getMetersAsString()).doesNotContain("canary");
        }
    }

    @Test
    void metersTellAgeAndWhatComesUp() {
        Instant now = Instant.parse("2026-03-01T00:00:00Z");
        InMemoryStore store = new InMemoryStore();
        store.add(
                "api-key",
                StoredVersion.of("1", SecretValue.ofText("canary"))
                        .withActivatedAt(now.minus(Duration.ofDays(100)))
                        .withExpires(now.plus(Duration.ofDays(2))));
        Clock clock = Clock.fixed(now, ZoneOffset.UTC);
        SecretSource.Builder builder =
                SecretSource.builder(store).clock(clock).secret("api-key", key -> key.rotateEvery(Duration.ofDays(90)));
        try (SecretSource source = builder.build()) {
            var registry = new SimpleMeterRegistry();
            new SecretMeters(source, clock).bindTo(registry);
            source.secret("api-key"); // after the meters were bound
            source.start(Duration.ofSeconds(10));
            assertThat(days(registry, "dualkey.secret.age")).isEqualTo(100);
            assertThat(days(registry, "dualkey.secret.rotation.overdue")).isEqualTo(10);
            assertThat(days(registry, "dualkey.secret.expires")).isEqualTo(2);
            assertThat(days(registry, "dualkey.secret.stale")).isZero();
            assertThat(source.status("api-key").orElseThrow().warnings())
                    .hasSize(2)
                    .anySatisfy(one -> assertThat(one).contains("2026-02-19"))
                    .anySatisfy(one -> assertThat(one).contains("expires at 2026-03-03"));
        }
    }

    /** Failed calls cost as well; a directory makes none. */
    @Test
    void metersTellHowManyCallsTheVaultGets(@TempDir Path directory) throws IOException {
        Files.writeString(directory.resolve("file"), "canary");
        InMemoryStore vault = new InMemoryStore();
        vault.put("key", "canary");
        try (SecretSource source = SecretSource.builder()
                .store("vault", vault)
                .store("dir", DirectoryStore.at(directory))
                .store("env", EnvironmentStore.system())
                .build()) {
            var registry = new SimpleMeterRegistry();
            new SecretMeters(source).bindTo(registry);
            RotatingSecret secret = source.secret("vault:key");
            source.secret("dir:file");
            source.secret("env:PATH");
            source.start(Duration.ofSeconds(10));
            vault.failWith(Outcome.THROTTLED);
            assertThat(secret.refresh(RefreshCause.OPERATOR)).succeedsWithin(Duration.ofSeconds(10));
            assertThat(registry.get("dualkey.store.calls").functionCounters())
                    .singleElement()
                    .satisfies(counter -> {
                        assertThat(counter.getId().getTag("store")).isEqualTo(vault.description());
                        assertThat(counter.count()).isEqualTo(2);
                    });
            assertThat(stale(registry, "vault:key")).isNotNegative();
            assertThat(stale(registry, "env:PATH")).as("what cannot change").isNaN();
        }
    }

    private static double stale(SimpleMeterRegistry registry, String secret) {
        return registry.get("dualkey.secret.stale")
                .tag("secret", secret)
                .timeGauge()
                .value();
    }

    private static double days(SimpleMeterRegistry registry, String name) {
        return registry.get(name).timeGauge().value(TimeUnit.DAYS);
    }

    private static double uses(SimpleMeterRegistry registry, String role) {
        return registry.get("dualkey.secret.uses")
                .tag("secret", "jwt-key")
                .tag("role", role)
                .functionCounter()
                .count();
    }
}
