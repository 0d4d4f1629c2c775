package io.dualkey.secrets.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariConfig;
import io.dualkey.secrets.InMemoryStore;
import io.dualkey.secrets.RefreshCause;
import io.dualkey.secrets.RotatingSecret;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.SecretState;
import io.dualkey.secrets.SecretValue;
import io.dualkey.secrets.StoredVersion;
import io.dualkey.secrets.StoredVersion.Stage;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** D3 on a real PostgreSQL server: the password of one user, in the database and in the secret at different times. */
class SingleUserWindowIT {

    private static final Duration SOON = Duration.ofSeconds(20);
    private static final Duration WINDOW = Duration.ofSeconds(Volume.of(2, 30));
    private static final Duration SHORT_WINDOW = WINDOW.dividedBy(4);
    private static final String USER = "single";

    private static ScramPostgres server;

    private final InMemoryStore store = new InMemoryStore();
    private final SecretSource secrets =
            SecretSource.builder(store).refreshInterval(Duration.ofSeconds(30)).build();
    private final RotatingSecret secret = secrets.secret("database-url");
    private final LifetimesAtWill executor = new LifetimesAtWill();
    private final ExecutorService borrowers = Executors.newCachedThreadPool();
    private RotatingDataSource database;
    private long refusedBefore;

    @BeforeAll
    static void startServer() throws Exception {
        server = ScramPostgres.shared();
    }

    @BeforeEach
    void start() throws Exception {
        server.admin("create role " + USER + " login password 'old' in role app");
        refusedBefore = server.refusedLogins(USER);
        store.put("database-url", server.secret(USER, "old"));
        HikariConfig config = new HikariConfig();
        config.setMaximumPoolSize(6);
        config.setMinimumIdle(0);
        config.setConnectionTimeout(60_000);
        config.setScheduledExecutor(executor);
        database = RotatingDataSource.over(config, secret);
        secrets.start(SOON);
    }

    @AfterEach
    void close() throws Exception {
        database.close();
        secrets.close();
        borrowers.shutdownNow();
        executor.shutdownNow();
        await().atMost(SOON).until(() -> server.sessions(USER) == 0);
        server.admin("drop role " + USER);
    }

    private static void changePasswordInTheDatabase(String password) throws SQLException {
        server.admin("alter role " + USER + " password '" + password + "'");
    }

    private void refresh() {
        secret.refresh(RefreshCause.OPERATOR).join();
    }

    private void changeSecret(String password) {
        store.put("database-url", server.secret(USER, password));
        refresh();
    }

    private List<Connection> borrow(int count) throws SQLException {
        List<Connection> all = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            all.add(database.getConnection());
        }
        return all;
    }

    private List<Future<Connection>> borrowMeanwhile(int count) {
        List<Future<Connection>> all = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            all.add(borrowers.submit(() -> database.getConnection()));
        }
        return all;
    }

    private static void write(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute("insert into visit (note) values ('in the window')");
        }
    }

    private static void close(List<Connection> connections) throws SQLException {
        for (Connection one : connections) {
            one.close();
        }
    }

    private long refused() throws SQLException {
        return server.refusedLogins(USER) - refusedBefore;
    }

    /** Works for as long as the window is open, with what is open. */
    private static void workThrough(Duration window, List<Connection> held) {
        long until = System.nanoTime() + window.toNanos();
        await().atMost(window.plus(SOON)).pollInterval(Duration.ofMillis(20)).until(() -> {
            for (Connection one : held) {
                write(one);
            }
            return System.nanoTime() >= until;
        });
    }

    @Test
    void servesWithWhatIsOpenAndGrowsOnceTheSecretFollowsTheDatabase() throws Exception {
        List<Connection> held = borrow(3);
        held.get(0).setAutoCommit(false); // a transaction across the whole window
        write(held.get(0));
        changePasswordInTheDatabase("new");
        held.remove(2).close();
        executor.endLifetimes(); // of all three: the idle one is kept too, for a login shows that none could replace it

        try (Connection idle = database.getConnection()) { // demand that fits
            write(idle);
            int open = database.pool().getHikariPoolMXBean().getTotalConnections(); // HikariCP may have made one more
            List<Future<Connection>> growth = borrowMeanwhile(6 - held.size() - 1);
            workThrough(WINDOW, held);
            assertThat(growth.stream().filter(Future::isDone)).hasSize(open - held.size() - 1);
            assertThat(refused()).isBetween(1L, 2L);
            assertThat(database.pool().getHikariPoolMXBean().getTotalConnections())
                    .isEqualTo(open);

            changeSecret("new");
            for (Future<Connection> one : growth) {
                Connection grown = one.get(10, TimeUnit.SECONDS);
                write(grown);
                grown.close();
            }
        }
        held.get(0).commit();
        close(held);
        await().atMost(SOON).until(() -> Statuses.phase("v1", database) == CredentialPhase.RELEASED);
        assertThat(refused()).isBetween(1L, 2L).isEqualTo(database.status().failedLogins());
        assertThat(secret.status().state()).isEqualTo(SecretState.HEALTHY);
    }

    @Test
    void servesAndGrowsWithTheOldPasswordUntilTheDatabaseFollowsTheSecret() throws Exception {
        List<Connection> held = borrow(2);
        changeSecret("new");
        await().atMost(SOON).until(() -> secret.status().state() == SecretState.DEGRADED);
        held.addAll(borrow(2)); // growth
        workThrough(WINDOW, held);
        assertThat(refused()).isEqualTo(1);

        changePasswordInTheDatabase("new");
        for (Connection one : borrow(2)) { // the login of the first is refused, and the new secret is tried at once
            write(one);
            one.close();
        }
        await().atMost(SOON).until(() -> Statuses.phase("v2", database) == CredentialPhase.CURRENT);
        close(held);
        await().atMost(SOON).until(() -> Statuses.phase("v1", database) == CredentialPhase.RELEASED);
        assertThat(refused()).isEqualTo(2).isEqualTo(database.status().failedLogins());
        assertThat(secret.status().state()).isEqualTo(SecretState.HEALTHY);
    }

    @Test
    void growsInTheWindowWithAnAnnouncedVersionThatLogsIn() throws Exception {
        List<Connection> held = borrow(2);
        changePasswordInTheDatabase("new");
        store.add(
                "database-url",
                StoredVersion.of("next", SecretValue.ofText(server.secret(USER, "new")))
                        .withStage(Stage.PENDING));
        held.addAll(borrow(2));
        assertThat(Statuses.phase("next", database)).isEqualTo(CredentialPhase.FALLBACK);
        workThrough(SHORT_WINDOW, held);
        assertThat(Statuses.phase("v1", database)).isEqualTo(CredentialPhase.CURRENT);

        store.remove("database-url", "next");
        store.add(
                "database-url",
                StoredVersion.of("next", SecretValue.ofText(server.secret(USER, "new")))
                        .withActivatedAt(Instant.now()));
        refresh();
        await().atMost(SOON).until(() -> Statuses.phase("next", database) == CredentialPhase.CURRENT);
        close(held);
        await().atMost(SOON).until(() -> Statuses.phase("v1", database) == CredentialPhase.RELEASED);
        assertThat(refused()).isEqualTo(1).isEqualTo(database.status().failedLogins());
    }

    @Test
    void growsInTheWindowWithThePreviousVersionThatLogsInAgain() throws Exception {
        changePasswordInTheDatabase("new");
        changeSecret("new");
        await().atMost(SOON).until(() -> Statuses.phase("v2", database) == CredentialPhase.CURRENT);
        List<Connection> held = borrow(2);
        changePasswordInTheDatabase("old"); // the rotation is rolled back, in the database first
        held.addAll(borrow(2));
        assertThat(Statuses.phase("v1", database)).isEqualTo(CredentialPhase.FALLBACK);
        workThrough(SHORT_WINDOW, held);

        changeSecret("old");
        await().atMost(SOON)
                .until(() -> database.status().current().orElseThrow().phase() == CredentialPhase.CURRENT);
        await().atMost(SOON).until(() -> Statuses.phase("v2", database) != CredentialPhase.CURRENT);
        close(held);
        await().atMost(SOON).until(() -> Statuses.phase("v2", database) == CredentialPhase.RELEASED);
        assertThat(refused()).isEqualTo(1).isEqualTo(database.status().failedLogins());
    }
}
