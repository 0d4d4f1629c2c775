package io.dualkey.secrets.jdbc.micrometer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariConfig;
import io.dualkey.secrets.InMemoryStore;
import io.dualkey.secrets.RefreshCause;
import io.dualkey.secrets.RotatingSecret;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.jdbc.FakeDatabase;
import io.dualkey.secrets.jdbc.RotatingDataSource;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.sql.Connection;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** P10: what operators see of the rotation of a data source's credentials. */
class DataSourceMetersTest {

    private static final Duration SOON = Duration.ofSeconds(10);

    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
    private final InMemoryStore store = new InMemoryStore();

    @Test
    void tellWhatConnectionsAreLoggedInWithAndWhatBecomesOfUsers() throws Exception {
        HikariConfig config = new HikariConfig();
        config.setMaximumPoolSize(2);
        config.setMinimumIdle(0);
        config.setPoolName("shop");
        try (AutoCloseable driver = FakeDatabase.refusing("canary-bad");
                SecretSource secrets = SecretSource.from(store)) {
            RotatingSecret secret = secrets.secret("db");
            try (RotatingDataSource database = RotatingDataSource.over(config, secret)) {
                assertThat(driver).isNotNull();
                new DataSourceMeters(database).bindTo(registry);
                assertThat(connections("current")).isZero();
                put("canary-1");
                secrets.start(SOON);
                Connection one = database.getConnection();
                assertThat(connections("current")).isEqualTo(1);

                put("canary-bad");
                secret.refresh(RefreshCause.OPERATOR).join();
                await().atMost(SOON).until(() -> gauge("dualkey.jdbc.credentials.held.off") == 1);
                assertThat(registry.get("dualkey.jdbc.logins.failed")
                                .tag("secret", "db")
                                .tag("pool", "shop")
                                .functionCounter()
                                .count())
                        .isEqualTo(1);

                put("canary-2");
                secret.refresh(RefreshCause.OPERATOR).join();
                await().atMost(SOON).until(() -> users("retiring") == 1);
                assertThat(gauge("dualkey.jdbc.credentials.held.off")).isZero();
                assertThat(connections("old")).isEqualTo(1);
                assertThat(connections("fallback")).isZero();
                one.close();
                await().atMost(SOON).until(() -> users("released") == 1);
                assertThat(users("safe_to_drop")).isZero();
                assertThat(connections("old")).isZero();
                assertThat(registry.get("dualkey.jdbc.connections.moved")
                                .functionCounter()
                                .count())
                        .isEqualTo(1);
            }
        }
        assertThat(registry.getMeters())
                .extracting(Meter::getId)
                .flatExtracting(Meter.Id::getTags)
                .extracting(Tag::getValue)
                .containsOnly("db", "shop", "current", "fallback", "old", "retiring", "released", "safe_to_drop");
    }

    private void put(String user) {
        store.put("db", FakeDatabase.url(user));
    }

    private double gauge(String name) {
        return registry.get(name).gauge().value();
    }

    private double connections(String role) {
        return registry.get("dualkey.jdbc.connections")
                .tag("role", role)
                .gauge()
                .value();
    }

    private double users(String phase) {
        return registry.get("dualkey.jdbc.users").tag("phase", phase).gauge().value();
    }
}
