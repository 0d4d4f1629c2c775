package io.dualkey.secrets.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.dualkey.secrets.InMemoryStore;
import io.dualkey.secrets.Outcome;
import io.dualkey.secrets.RefreshCause;
import io.dualkey.secrets.RotatingSecret;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.SecretStartupException;
import io.dualkey.secrets.SecretState;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthContributors.Entry;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.boot.health.contributor.Status;

class SecretsHealthContributorTest {

    private static final String CANARY = "canary-4711";

    private final InMemoryStore store = new InMemoryStore();
    private final SecretSource source = SecretSource.from(store);
    private final SecretsHealthContributor health =
            new SecretsHealthContributor(source, new SecretNames(source, List.of()), List.of());

    @AfterEach
    void close() {
        source.close();
    }

    @Test
    void aSecretThatIsServedAndCheckedIsUp() {
        store.put("api-key", CANARY);
        var unused = source.secret("api-key");
        source.start(Duration.ofSeconds(10));

        Health up = healthOf("api-key");
        assertThat(up.getStatus()).isEqualTo(Status.UP);
        assertThat(up.getDetails()).containsEntry("state", "healthy").containsKey("lastSuccess");
        assertThat(up.getDetails()).doesNotContainKeys("reason", "warnings");
    }

    @Test
    void aSecretThatIsServedThoughItsStoreFailsIsUpAndSaysWhy() {
        store.put("api-key", CANARY);
        RotatingSecret secret = source.secret("api-key");
        source.start(Duration.ofSeconds(10));
        store.failWith(Outcome.ACCESS_DENIED);
        secret.refresh(RefreshCause.OPERATOR).join();

        Health degraded = healthOf("api-key");
        assertThat(degraded.getStatus()).isEqualTo(Status.UP);
        assertThat(degraded.getDetails())
                .containsEntry("state", "degraded")
                .hasEntrySatisfying(
                        "reason", reason -> assertThat(reason).asString().contains("access is denied"));
    }

    @Test
    void aNewVersionThatCannotBeUsedIsToldWithoutItsValue() {
        store.put("port", "5432");
        RotatingSecret secret = source.secret("port");
        var unused = secret.map(value -> Integer.parseInt(value.revealText()));
        source.start(Duration.ofSeconds(10));
        store.put("port", CANARY);
        secret.refresh(RefreshCause.OPERATOR).join();

        await().until(() -> secret.status().state() == SecretState.DEGRADED);
        Health degraded = healthOf("port");
        assertThat(degraded.getStatus()).isEqualTo(Status.UP);
        assertThat(degraded.toString()).contains("degraded").doesNotContain(CANARY);
    }

    @Test
    void aSecretThatIsNotServedIsDown() {
        var unused = source.secret("absent");
        assertThat(healthOf("absent").getStatus()).isEqualTo(Status.DOWN);
        assertThat(healthOf("absent").getDetails()).containsEntry("state", "loading");

        assertThat(source).satisfies(started -> {
            try {
                started.start(Duration.ofSeconds(10));
            } catch (RuntimeException missing) {
                assertThat(missing).hasMessageContaining("absent");
            }
        });
        assertThat(healthOf("absent").getStatus()).isEqualTo(Status.DOWN);
        assertThat(healthOf("absent").getDetails()).containsEntry("state", "unavailable");
    }

    @Test
    void tellsWhenThePreviousVersionEnds() {
        store.put("api-key", "first-value");
        RotatingSecret secret = source.secret("api-key");
        source.start(Duration.ofSeconds(10));
        store.put("api-key", CANARY);
        secret.refresh(RefreshCause.OPERATOR).join();

        assertThat(healthOf("api-key").getDetails()).containsKey("previousAcceptedUntil");
    }

    @Test
    void doesNotTellWhenThePreviousVersionEndsWhereThatIsOfNoUse() {
        SecretHealthDetails database = new SecretHealthDetails() {
            @Override
            public void addTo(String secret, Health.Builder health) {}

            @Override
            public boolean acceptsPrevious(String secret) {
                return !secret.equals("database-url");
            }
        };
        var with = new SecretsHealthContributor(source, new SecretNames(source, List.of()), List.of(database));
        for (String name : List.of("database-url", "api-key")) {
            store.put(name, "first-value");
            var unused = source.secret(name);
        }
        source.start(Duration.ofSeconds(10));
        for (String name : List.of("database-url", "api-key")) {
            store.put(name, CANARY);
            source.secret(name).refresh(RefreshCause.OPERATOR).join();
        }

        HealthIndicator of = (HealthIndicator) Objects.requireNonNull(with.getContributor("database-url"));
        assertThat(Objects.requireNonNull(of.health(true)).getDetails()).doesNotContainKey("previousAcceptedUntil");
        HealthIndicator other = (HealthIndicator) Objects.requireNonNull(with.getContributor("api-key"));
        assertThat(Objects.requireNonNull(other.health(true)).getDetails()).containsKey("previousAcceptedUntil");
    }

    @Test
    void aSecretIsShownByItsAlias() {
        store.put("prod/api-key", CANARY);
        var listed =
                List.of(new DualkeyProperties.Secret("api-key", "prod/api-key", true, null, null, null, false, null));
        var byAlias = new SecretsHealthContributor(source, new SecretNames(source, listed), List.of());
        source.start(Duration.ofSeconds(10));
        assertThat(byAlias.stream().map(Entry::name)).containsExactly("api-key");
        assertThat(byAlias.getContributor("api-key")).isNotNull();
        assertThat(byAlias.getContributor("unknown")).isNull();
    }

    @Test
    void aMissingSecretThatIsNotRequiredIsUnknownAndNotDown() {
        var listed = List.of(new DualkeyProperties.Secret("extra", null, false, null, null, null, false, null));
        var with = new SecretsHealthContributor(source, new SecretNames(source, listed), List.of());
        var unused = source.secret("extra");
        assertThatThrownBy(() -> source.start(Duration.ofSeconds(10))).isInstanceOf(SecretStartupException.class);
        HealthIndicator indicator = (HealthIndicator) with.getContributor("extra");
        assertThat(indicator.health().getStatus()).isEqualTo(Status.UNKNOWN);
    }

    @Test
    void followsHandlesThatAreMadeLater() {
        assertThat(health.stream()).isEmpty();
        assertThat(health.getContributor("late")).isNull();

        var unused = source.secret("late");

        assertThat(health.stream().map(Entry::name)).containsExactly("late");
        assertThat(health.getContributor("late")).isNotNull();
    }

    private Health healthOf(String secret) {
        HealthIndicator indicator = (HealthIndicator) Objects.requireNonNull(health.getContributor(secret));
        return Objects.requireNonNull(indicator.health(true));
    }
}
