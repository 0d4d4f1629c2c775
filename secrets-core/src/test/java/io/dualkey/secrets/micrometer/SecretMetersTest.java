package io.dualkey.secrets.micrometer;

import static org.assertj.core.api.Assertions.assertThat;

import io.dualkey.secrets.InMemoryStore;
import io.dualkey.secrets.RefreshCause;
import io.dualkey.secrets.RotatingSecret;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.Versions;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import org.junit.jupiter.api.Test;

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
            assertThat(registry.get("dualkey.secret.checks")
                            .tag("outcome", "ok")
                            .functionCounter()
                            .count())
                    .isEqualTo(2);
            assertThat(registry.get("dualkey.secret.versions").gauge().value()).isEqualTo(2);
            assertThat(registry.get("dualkey.secret.healthy").gauge().value()).isEqualTo(1);
            assertThat(registry.getMetersAsString()).doesNotContain("canary");
        }
    }

    private static double uses(SimpleMeterRegistry registry, String role) {
        return registry.get("dualkey.secret.uses")
                .tag("secret", "jwt-key")
                .tag("role", role)
                .functionCounter()
                .count();
    }
}
