package io.dualkey.secrets.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariConfig;
import io.dualkey.secrets.InMemoryStore;
import io.dualkey.secrets.RefreshCause;
import io.dualkey.secrets.Rotating;
import io.dualkey.secrets.RotatingSecret;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.SecretValue;
import io.dualkey.secrets.StoredVersion;
import io.dualkey.secrets.StoredVersion.Stage;
import io.dualkey.secrets.UnusableSecretException;
import io.dualkey.secrets.Version;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

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
        assertThat(Statuses.phase("v1", database)).isEqualTo(CredentialPhase.CURRENT);
        assertThat(Statuses.phase("next", database)).isEqualTo(CredentialPhase.FALLBACK);
        borrow(database);
        assertThat(refused).hasValue(1);

        store.remove("db", "next");
        store.add("db", StoredVersion.of("next", SecretValue.ofText(url("new"))).withActivatedAt(Instant.now()));
        refresh();
        await().atMost(SOON).until(() -> Statuses.phase("next", database) == CredentialPhase.CURRENT);
        first.close();
        await().atMost(SOON).until(() -> Statuses.phase("v1", database) == CredentialPhase.RELEASED);
        assertThat(Statuses.of("next", database).connections()).isGreaterThanOrEqualTo(2);
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
        assertThat(Statuses.phase("v1", database)).isEqualTo(CredentialPhase.CURRENT);
        assertThat(refused).hasValue(1);

        password = "new";
        assertThat(borrow(database).isValid(1)).isTrue(); // the old one is refused, so the new one is tried again
        assertThat(Statuses.phase("v2", database)).isEqualTo(CredentialPhase.CURRENT);
        assertThat(Statuses.phase("v1", database)).isEqualTo(CredentialPhase.RETIRING);
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
        await().atMost(SOON).until(() -> Statuses.phase("next", database) == CredentialPhase.RETIRING);
        assertThat(borrow(database).isValid(1)).isTrue();
        assertThat(Statuses.of("v1", database).connections()).isEqualTo(2);
        second.close();
        await().atMost(SOON).until(() -> Statuses.phase("next", database) == CredentialPhase.RELEASED);
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
        await().atMost(SOON).until(() -> Statuses.phase("v1", database) == CredentialPhase.RELEASED);
        borrow(database);

        password = "new"; // which the one before has, at the other database
        assertThatThrownBy(database::getConnection).isInstanceOf(SQLTransientConnectionException.class);
        assertThat(Statuses.phase("v1", database)).isEqualTo(CredentialPhase.RELEASED);
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
        await().atMost(SOON).until(() -> Statuses.phase("v3", database) == CredentialPhase.CURRENT);
        assertThat(waiting.get(10, TimeUnit.SECONDS).isValid(1)).isTrue();
        assertThat(refused).hasValue(1);
    }

    /** Virtual time: two minutes pass, second by second, with ten threads asking for connections. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void waitsOutAWindowOfTwoMinutesInEitherOrder(boolean databaseFirst) throws Exception {
        AtomicLong time = new AtomicLong();
        Rotating<DatabaseCredentials> credentials = secret.map(DatabaseCredentials.parser());
        Generations generations = new Generations("db", new LoginBudget(3, Duration.ofMinutes(2)), time::get);
        PhysicalDataSource physical = new PhysicalDataSource(
                credentials, generations, new Properties(), () -> 180_000, () -> {}, () -> false, time::get);
        Canary canary = new Canary(
                credentials,
                generations,
                physical,
                new HikariConfig(),
                Duration.ofMinutes(2),
                () -> false,
                login -> {});
        store.put("db", url("old"));
        secrets.start(SOON);
        Version<DatabaseCredentials> old = credentials.versions().current().orElseThrow();
        canary.admit(old);
        generations.serve(Login.of(old));
        Connection existing = physical.getConnection();
        ExecutorService threads = Executors.newFixedThreadPool(11);
        open.add(0, threads::shutdownNow);

        if (databaseFirst) {
            password = "new";
        } else {
            store.put("db", url("new"));
            refresh();
            Version<DatabaseCredentials> early =
                    credentials.versions().current().orElseThrow();
            assertThatThrownBy(() -> canary.admit(early)).isInstanceOf(UnusableSecretException.class);
            assertThat(physical.getConnection().isValid(1)).isTrue(); // the old one serves growth
        }
        List<Future<Connection>> growth = new ArrayList<>();
        for (int i = 0; databaseFirst && i < 10; i++) {
            growth.add(threads.submit(() -> {
                while (true) {
                    try {
                        return physical.getConnection();
                    } catch (SQLException refusedNow) {
                        assertThat(refusedNow.getSQLState()).isEqualTo("28P01"); // the pool asks again
                    }
                }
            }));
        }
        for (int second = 1; second < 120; second++) {
            time.addAndGet(TimeUnit.SECONDS.toNanos(1));
            generations.wake();
            assertThat(existing.isValid(1)).isTrue();
            assertThat(growth).noneMatch(Future::isDone);
            assertThat(refused).hasValueLessThanOrEqualTo(3);
        }
        if (databaseFirst) {
            store.put("db", url("new"));
            refresh();
        } else {
            password = "new";
            assertThatThrownBy(physical::getConnection).isInstanceOf(SQLException.class); // which is the hint
        }
        Version<DatabaseCredentials> right = credentials.versions().current().orElseThrow();
        canary.admit(right);
        generations.serve(Login.of(right));
        for (Future<Connection> one : growth) {
            assertThat(one.get(10, TimeUnit.SECONDS).isValid(1)).isTrue();
        }
        assertThat(physical.getConnection().isValid(1)).isTrue();
        assertThat(refused).hasValueLessThanOrEqualTo(3);
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
        await().atMost(SOON).until(() -> Statuses.phase("v1", database) == CredentialPhase.RELEASED);
        assertThat(borrow(database).isValid(1)).isTrue();
    }
}
