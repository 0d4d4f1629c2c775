package io.dualkey.secrets.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariConfig;
import io.dualkey.secrets.InMemoryStore;
import io.dualkey.secrets.RefreshCause;
import io.dualkey.secrets.RotatingSecret;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.SecretValue;
import io.dualkey.secrets.StoredVersion;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What happens to connections whose credentials an operator revokes in the store. */
class RevocationTest {

    private static final Duration SOON = Duration.ofSeconds(10);
    private static final int POOL = 3;

    private final InMemoryStore store = new InMemoryStore();
    private final SecretSource secrets = SecretSource.from(store);
    private final RotatingSecret secret = secrets.secret("db");
    private final List<AutoCloseable> open = new ArrayList<>(List.of(secrets));
    private RotatingDataSource database;

    @BeforeEach
    void start() throws SQLException {
        open.add(new FakeDriver("revocation", user -> {
            if (user.equals("bad")) {
                throw new SQLException("refused", "28P01");
            }
        }));
        HikariConfig config = new HikariConfig();
        config.setMaximumPoolSize(POOL);
        config.setConnectionTimeout(1_500);
        database = RotatingDataSource.over(config, secret);
        open.add(0, database);
    }

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable one : open) {
            one.close();
        }
    }

    private static String url(String user) {
        return "jdbc:revocation://db/x?user=" + user + "&password=pw";
    }

    private void fill() throws SQLException {
        secrets.start(SOON);
        try (Connection one = database.getConnection()) {
            assertThat(one.isValid(1)).isTrue();
        }
        await().atMost(SOON).until(() -> total() == POOL);
    }

    private int total() {
        return database.pool().getHikariPoolMXBean().getTotalConnections();
    }

    private void refresh() {
        secret.refresh(RefreshCause.OPERATOR).join();
    }

    @Test
    void closesIdleConnectionsOfADisabledSecretAndThoseInUseWhenTheyAreReturned() throws Exception {
        String id = store.put("db", url("one"));
        fill();
        Connection inUse = database.getConnection();
        store.disable("db", id);
        refresh();

        await().atMost(SOON).until(() -> total() == 1);
        assertThat(inUse.isValid(1)).isTrue();
        assertThat(database.status().current()).isEmpty();
        inUse.close();
        await().atMost(SOON).until(() -> total() == 0);
        await().atMost(SOON).until(() -> database.status().credentials().get(0).phase() == CredentialPhase.RELEASED);
        assertThatThrownBy(database::getConnection).isInstanceOf(SQLTransientConnectionException.class);

        store.put("db", url("two"));
        refresh();
        await().atMost(SOON).ignoreExceptions().until(() -> {
            try (Connection again = database.getConnection()) {
                return again.getSchema().equals("two");
            }
        });
        assertThat(database.status().current()).isPresent();
    }

    @Test
    void takesAVersionBackThatIsEnabledAgain() throws Exception {
        StoredVersion version =
                StoredVersion.of("only", SecretValue.ofText(url("one"))).withActivatedAt(Instant.now());
        store.add("db", version);
        fill();
        store.disable("db", "only");
        refresh();
        await().atMost(SOON).until(() -> total() == 0);

        store.remove("db", "only");
        store.add("db", version);
        refresh();
        await().atMost(SOON).ignoreExceptions().until(() -> {
            try (Connection again = database.getConnection()) {
                return again.isValid(1);
            }
        });
        await().atMost(SOON).until(() -> total() == POOL);
        assertThat(database.status().current().map(CredentialStatus::connections))
                .contains(POOL);
    }

    @Test
    void keepsConnectionsWhileANewerVersionIsYetToPassItsTrial() throws Exception {
        String id = store.put("db", url("one"));
        fill();
        store.put("db", url("bad"));
        store.disable("db", id);
        refresh();
        await().atMost(SOON).until(() -> database.status().failedLogins() == 1);

        await().during(Duration.ofSeconds(2)).atMost(SOON).until(() -> total() == POOL);
        try (Connection one = database.getConnection()) {
            assertThat(one.getSchema()).isEqualTo("one");
        }
        store.put("db", url("two"));
        refresh();
        await().atMost(SOON).until(() -> database.status().connectionsMoved() == POOL);
    }
}
