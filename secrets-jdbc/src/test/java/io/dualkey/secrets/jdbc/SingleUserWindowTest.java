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
import io.dualkey.secrets.StoredVersion.Stage;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** D3: one user has one password, which changes in the database and in the secret one after the other. */
class SingleUserWindowTest {

    private static final Duration SOON = Duration.ofSeconds(10);

    private final InMemoryStore store = new InMemoryStore();
    private final SecretSource secrets = SecretSource.from(store);
    private final RotatingSecret secret = secrets.secret("db");
    private final List<AutoCloseable> open = new CopyOnWriteArrayList<>(List.of(secrets));
    private final AtomicInteger refused = new AtomicInteger();
    private volatile String password = "old"; // on the server

    @BeforeEach
    void startServer() throws SQLException {
        open.add(new FakeDriver("window", (user, given) -> {
            if (!given.equals(password)) {
                refused.incrementAndGet();
                throw new SQLException("refused", "28P01");
            }
        }));
    }

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable one : open) {
            one.close();
        }
    }

    private static HikariConfig config() {
        HikariConfig config = new HikariConfig();
        config.setMaximumPoolSize(4);
        config.setMinimumIdle(0);
        config.setConnectionTimeout(5_000);
        return config;
    }

    private RotatingDataSource over(HikariConfig config) {
        RotatingDataSource database = RotatingDataSource.over(config, secret);
        open.add(0, database);
        return database;
    }

    private Connection borrow(RotatingDataSource database) throws SQLException {
        Connection connection = database.getConnection();
        open.add(0, connection);
        return connection;
    }

    private static String url(String password) {
        return "jdbc:window://db/x?user=app&password=" + password;
    }

    private void refresh() {
        secret.refresh(RefreshCause.OPERATOR).join();
    }

    private void announce(String text) {
        store.add("db", StoredVersion.of("next", SecretValue.ofText(text)).withStage(Stage.PENDING));
    }

    private static CredentialPhase phase(RotatingDataSource database, String version) {
        return database.status().credentials().stream()
                .filter(one -> one.version().equals(version))
                .map(CredentialStatus::phase)
                .findFirst()
                .orElse(null);
    }

    private static CredentialStatus statusOf(RotatingDataSource database, String version) {
        return database.status().credentials().stream()
                .filter(one -> one.version().equals(version))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void growsWithTheAnnouncedVersionUntilItIsTheCurrentOne() throws Exception {
        RotatingDataSource database = over(config());
        store.put("db", url("old"));
        secrets.start(SOON);
        Connection first = borrow(database);

        password = "new"; // by AWS's rotation, which has labelled the new version AWSPENDING
        announce(url("new"));
        Connection second = borrow(database); // its refused login asks the store, which announces the next one
        assertThat(second.isValid(1)).isTrue();
        assertThat(refused).hasValue(1);
        assertThat(phase(database, "v1")).isEqualTo(CredentialPhase.CURRENT);
        assertThat(phase(database, "next")).isEqualTo(CredentialPhase.FALLBACK);
        borrow(database);
        assertThat(refused).hasValue(1);

        store.remove("db", "next");
        store.add("db", StoredVersion.of("next", SecretValue.ofText(url("new"))).withActivatedAt(Instant.now()));
        refresh();
        await().atMost(SOON).until(() -> phase(database, "next") == CredentialPhase.CURRENT);
        first.close();
        await().atMost(SOON).until(() -> phase(database, "v1") == CredentialPhase.RELEASED);
        assertThat(statusOf(database, "next").connections()).isGreaterThanOrEqualTo(2);
        assertThat(database.status().connectionsMoved()).isEqualTo(1);
        assertThat(refused).hasValue(1);
    }

    @Test
    void startsWithThePreviousVersionWhileTheCurrentOneIsRefused() throws Exception {
        store.put("db", url("old"));
        store.put("db", url("new")); // the secret first: the server has the old password still
        RotatingDataSource database = over(config());
        secrets.start(SOON);

        assertThat(borrow(database).isValid(1)).isTrue();
        assertThat(phase(database, "v1")).isEqualTo(CredentialPhase.CURRENT);
        assertThat(refused).hasValue(1);

        password = "new";
        assertThat(borrow(database).isValid(1)).isTrue(); // the old one is refused, so the new one is tried again
        assertThat(phase(database, "v2")).isEqualTo(CredentialPhase.CURRENT);
        assertThat(phase(database, "v1")).isEqualTo(CredentialPhase.RETIRING);
        assertThat(refused).hasValue(2);
    }

    @Test
    void startsWithTheAnnouncedVersionWhileTheCurrentOneIsRefused() throws Exception {
        store.put("db", url("old"));
        announce(url("new"));
        password = "new";
        RotatingDataSource database = over(config());
        secrets.start(SOON);

        assertThat(borrow(database).isValid(1)).isTrue();
        assertThat(database.status().current().map(CredentialStatus::phase)).contains(CredentialPhase.FALLBACK);
        assertThat(refused).hasValue(1);
    }

    @Test
    void goesBackToTheCurrentVersionWhenTheAnnouncedOneIsCalledOff() throws Exception {
        RotatingDataSource database = over(config());
        store.put("db", url("old"));
        secrets.start(SOON);
        borrow(database);
        password = "new";
        announce(url("new"));
        Connection second = borrow(database);

        password = "old";
        store.remove("db", "next");
        refresh();
        await().atMost(SOON).until(() -> phase(database, "next") == CredentialPhase.RETIRING);
        assertThat(borrow(database).isValid(1)).isTrue();
        assertThat(statusOf(database, "v1").connections()).isEqualTo(2);
        second.close();
        await().atMost(SOON).until(() -> phase(database, "next") == CredentialPhase.RELEASED);
    }

    @Test
    void takesNoDetourToAnotherDatabase() throws Exception {
        store.put("db", "jdbc:window://elsewhere/x?user=app&password=new");
        password = "new";
        HikariConfig config = config();
        config.setConnectionTimeout(1_000);
        RotatingDataSource database = over(config);
        secrets.start(SOON);
        borrow(database).close();
        password = "old";
        store.put("db", url("old"));
        refresh();
        await().atMost(SOON).until(() -> phase(database, "v1") == CredentialPhase.RELEASED);
        borrow(database);

        password = "new"; // which the one before has, at the other database
        assertThatThrownBy(database::getConnection).isInstanceOf(SQLTransientConnectionException.class);
        assertThat(phase(database, "v1")).isEqualTo(CredentialPhase.RELEASED);
    }

    @Test
    void triesNoOlderVersionWithTheLastTryOfTheAccount() throws Exception {
        RotatingDataSource database = RotatingDataSource.builder(secret.map(DatabaseCredentials.parser()))
                .maxFailedLogins(2)
                .over(config());
        open.add(0, database);
        store.put("db", url("older"));
        store.put("db", url("old"));
        secrets.start(SOON);
        borrow(database);
        password = "new";
        var waiting = CompletableFuture.supplyAsync(() -> {
            try {
                return borrow(database);
            } catch (SQLException failure) {
                throw new IllegalStateException(failure);
            }
        });
        await().atMost(SOON).until(() -> refused.get() == 1);

        store.put("db", url("new"));
        refresh();
        await().atMost(SOON).until(() -> phase(database, "v3") == CredentialPhase.CURRENT);
        assertThat(waiting.get(10, TimeUnit.SECONDS).isValid(1)).isTrue();
        assertThat(refused).hasValue(1);
    }

    @Test
    void keepsConnectionsBeyondTheirLifetimeWhileNoLoginCouldReplaceThem() throws Exception {
        LifetimesAtWill executor = new LifetimesAtWill();
        open.add(executor::shutdownNow);
        HikariConfig config = config();
        config.setMaxLifetime(30_000);
        config.setScheduledExecutor(executor);
        config.setConnectionTimeout(500);
        RotatingDataSource database = over(config);
        store.put("db", url("old"));
        secrets.start(SOON);
        Connection held = borrow(database);
        borrow(database).close();
        password = "new";
        await().atMost(SOON).until(() -> {
            List<Connection> all = new ArrayList<>();
            try {
                for (int i = 0; i < 3; i++) {
                    all.add(database.getConnection());
                }
            } catch (SQLException noMore) {
                return database.status().failedLogins() > 0;
            } finally {
                for (Connection one : all) {
                    one.close();
                }
            }
            return false;
        });

        int before = database.pool().getHikariPoolMXBean().getTotalConnections();
        executor.endLifetimes();
        assertThat(database.pool().getHikariPoolMXBean().getTotalConnections()).isEqualTo(before);
        assertThat(held.isValid(1)).isTrue();

        store.put("db", url("new"));
        refresh();
        held.close();
        await().atMost(SOON).until(() -> phase(database, "v1") == CredentialPhase.RELEASED);
        assertThat(borrow(database).isValid(1)).isTrue();
    }

    /** Runs the ends of lifetimes when the test says so, instead of half a minute later. */
    private static final class LifetimesAtWill extends ScheduledThreadPoolExecutor {

        private final Queue<Runnable> ends = new ConcurrentLinkedQueue<>();

        LifetimesAtWill() {
            super(1);
        }

        @Override
        public ScheduledFuture<?> schedule(Runnable command, long delay, TimeUnit unit) {
            if (unit.toSeconds(delay) >= 20) {
                ends.add(command);
            }
            return super.schedule(command, delay, unit);
        }

        void endLifetimes() {
            assertThat(ends).isNotEmpty();
            ends.forEach(Runnable::run);
        }
    }
}
