package io.dualkey.secrets.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.dualkey.secrets.InMemoryStore;
import io.dualkey.secrets.Outcome;
import io.dualkey.secrets.RefreshCause;
import io.dualkey.secrets.RotatingSecret;
import io.dualkey.secrets.SecretObserver;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.SecretState;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.sql.Statement;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Credentials rotate under load on a real PostgreSQL server that checks passwords. */
class RotationIT {

    private static final int POOL = 8;
    private static final int CLIENTS = 16;
    private static final Duration SOON = Duration.ofSeconds(10);

    private static ScramPostgres server;

    private final InMemoryStore store = new InMemoryStore();
    private final SecretSource secrets =
            SecretSource.builder(store).refreshInterval(Duration.ofSeconds(30)).build();
    private final RotatingSecret secret = secrets.secret("database-url");
    private final Queue<CredentialStatus> changes = new ConcurrentLinkedQueue<>();
    private RotatingDataSource database;

    @BeforeAll
    static void startServer() throws Exception {
        server = ScramPostgres.shared();
    }

    @BeforeEach
    void startWithFirstUser() throws Exception {
        createUser("app_v1", "first");
        store.put("database-url", server.secret("app_v1", "first"));
        HikariConfig config = new HikariConfig();
        config.setMaximumPoolSize(POOL);
        config.setConnectionTimeout(5_000);
        database = RotatingDataSource.over(config, secret);
        database.onChange(changes::add);
        secrets.start(Duration.ofSeconds(10));
    }

    @AfterEach
    void dropUsers() throws Exception {
        database.close();
        secrets.close();
        for (String user : List.of("app_v1", "app_v2")) {
            await().until(() -> server.sessions(user) == 0);
            if (server.adminCount("select count(*) from pg_roles where rolname = '" + user + "'") > 0) {
                server.admin("drop owned by " + user, "drop role " + user);
            }
        }
    }

    private static void createUser(String name, String password) throws SQLException {
        server.admin("create role " + name + " login password '" + password + "' in role app");
    }

    private void rotateTo(String user, String password) {
        store.put("database-url", server.secret(user, password));
        var unused = secret.refresh(RefreshCause.OPERATOR);
    }

    @Test
    void movesEveryConnectionToNewUserUnderLoadAndTellsWhenTheOldOneCanGo() throws Exception {
        createUser("app_v2", "second");
        try (Load load = Load.of(CLIENTS, database);
                SessionSampler sampler = new SessionSampler()) {
            await().atMost(SOON).until(() -> server.sessions("app_v1") == POOL);
            var unused = load.takeBorrowNanos();
            load.awaitTransactions(2000);
            long[] steady = load.takeBorrowNanos();
            assertThat(server.sessions("app_v1")).isEqualTo(POOL);

            long start = System.nanoTime();
            rotateTo("app_v2", "second");
            await().pollInterval(Duration.ofMillis(10))
                    .atMost(SOON)
                    .until(() -> database.status().isSafeToDrop("app_v1"));
            long took = (System.nanoTime() - start) / 1_000_000;
            long[] rotating = load.takeBorrowNanos();

            assertThat(server.sessions("app_v1")).isZero();
            assertThat(server.sessions("app_v2")).isBetween(POOL - 1L, POOL + 0L); // the last may be on its way
            server.admin("drop owned by app_v1", "drop role app_v1");
            load.awaitTransactions(1000);
            assertThat(load.failures()).isEmpty();
            assertThat(database.status().connectionsMoved()).isEqualTo(POOL);
            assertThat(database.status().failedLogins()).isZero();
            assertThat(sampler.most()).isLessThanOrEqualTo(POOL + 1);
            assertThat(database.pool().getMaximumPoolSize()).isEqualTo(POOL);
            System.out.printf(
                    "user rotation: safe to drop after %d ms; borrow us steady p50 %d p99 %d max %d, rotating p50 %d p99 %d"
                            + " max %d; most sessions %d%n",
                    took,
                    micros(steady, 0.5),
                    micros(steady, 0.99),
                    micros(steady, 1),
                    micros(rotating, 0.5),
                    micros(rotating, 0.99),
                    micros(rotating, 1),
                    sampler.most());
        }
    }

    private static long micros(long[] sorted, double quantile) {
        return sorted[(int) Math.min(sorted.length - 1, Math.floor(sorted.length * quantile))] / 1000;
    }

    @Test
    void servesTransactionsThatSpanARotation() throws Exception {
        createUser("app_v2", "second");
        Connection open = database.getConnection();
        try (Load load = Load.of(POOL - 2, database)) {
            open.setAutoCommit(false);
            insert(open, "before");
            await().atMost(SOON).until(() -> server.sessions("app_v1") == POOL);

            rotateTo("app_v2", "second");
            await().atMost(SOON)
                    .until(() -> database.status().connectionsMoved() > 0
                            && database.status().credentials().get(1).connections() == 1);
            insert(open, "after");
            open.commit();
            assertThat(Statuses.of("v1", database).phase()).isEqualTo(CredentialPhase.RETIRING);

            open.close();
            await().atMost(SOON).until(() -> database.status().isSafeToDrop("app_v1"));
            assertThat(load.failures()).isEmpty();
        }
    }

    @Test
    void waitsForASessionOfTheOldUserInAnotherProcess() throws Exception {
        createUser("app_v2", "second");
        try (Connection borrowed = database.getConnection()) {
            assertThat(borrowed.isValid(1)).isTrue();
        }
        Connection elsewhere = server.connect("app_v1", "first");
        rotateTo("app_v2", "second");

        await().atMost(SOON)
                .until(() -> Statuses.of("v1", database).serverSessions().orElse(0) == 1);
        assertThat(Statuses.of("v1", database).phase()).isEqualTo(CredentialPhase.RELEASED);

        elsewhere.close();
        await().atMost(SOON).until(() -> Statuses.of("v1", database).phase() == CredentialPhase.SAFE_TO_DROP);
    }

    @Test
    void withdrawsSafeToDropWhenTheOldUserIsNeededAgain() throws Exception {
        createUser("app_v2", "second");
        try (Load load = Load.of(4, database)) {
            load.awaitTransactions(100);
            rotateTo("app_v2", "second");
            await().atMost(SOON).until(() -> database.status().isSafeToDrop("app_v1"));

            rotateTo("app_v1", "first");
            await().atMost(SOON).until(() -> database.status().isSafeToDrop("app_v2"));

            assertThat(Statuses.currentUser(database)).isEqualTo("app_v1");
            assertThat(database.status().isSafeToDrop("app_v1")).isFalse();
            assertThat(changes.stream()
                            .filter(change -> change.user().equals("app_v1"))
                            .map(CredentialStatus::phase))
                    .containsExactly(
                            CredentialPhase.CURRENT,
                            CredentialPhase.RETIRING,
                            CredentialPhase.RELEASED,
                            CredentialPhase.SAFE_TO_DROP,
                            CredentialPhase.RETIRING, // its trial login is under way
                            CredentialPhase.CURRENT);
            assertThat(load.failures()).isEmpty();
        }
    }

    @Test
    void followsAPasswordThatChangesInTheDatabaseFirst() throws Exception {
        long refusedBefore = server.refusedLogins("app_v1");
        try (Load load = Load.of(CLIENTS, database)) {
            load.awaitTransactions(100); // the pool is still growing
            server.admin("alter role app_v1 password 'changed'");
            load.awaitTransactions(500);
            rotateTo("app_v1", "changed");
            await().atMost(SOON).until(() -> Statuses.of("v1", database).phase() == CredentialPhase.RELEASED);
            await().atMost(SOON).until(() -> server.sessions("app_v1") == POOL);
            load.awaitTransactions(500);

            assertThat(load.failures()).isEmpty();
            assertThat(database.status().isSafeToDrop("app_v1")).isFalse();
            assertThat(server.refusedLogins("app_v1") - refusedBefore).isLessThanOrEqualTo(2);
            assertThat(database.status().failedLogins()).isEqualTo(server.refusedLogins("app_v1") - refusedBefore);
        }
    }

    @Test
    void followsAPasswordThatChangesInTheSecretFirst() throws Exception {
        long refusedBefore = server.refusedLogins("app_v1");
        try (Load load = Load.of(CLIENTS, database)) {
            load.awaitTransactions(500);
            rotateTo("app_v1", "changed");
            await().atMost(SOON).until(() -> secret.status().state() == SecretState.DEGRADED);
            load.awaitTransactions(500);
            assertThat(server.refusedLogins("app_v1") - refusedBefore).isEqualTo(1); // the trial that came too early
            server.admin("alter role app_v1 password 'changed'");
            Connection one = database.getConnection();
            one.close();
            database.pool()
                    .evictConnection(one); // the login that replaces it is refused: time to try the new one again
            await().atMost(SOON).until(() -> Statuses.of("v1", database).phase() == CredentialPhase.RELEASED);
            load.awaitTransactions(500);

            assertThat(load.failures()).isEmpty();
            assertThat(secret.status().state()).isEqualTo(SecretState.HEALTHY);
            assertThat(server.refusedLogins("app_v1") - refusedBefore).isEqualTo(2);
        }
    }

    /** A login is not enough: what the pool does with each connection must work too. */
    @Test
    void holdsOffAUserWhoMayNotTakeTheRoleThatThePoolSets() throws Exception {
        server.admin("create role owner nologin", "grant owner to app_v1");
        createUser("app_v2", "second");
        InMemoryStore own = new InMemoryStore();
        own.put("own", server.secret("app_v1", "first"));
        SecretSource source = SecretSource.from(own);
        RotatingSecret handle = source.secret("own");
        HikariConfig config = new HikariConfig();
        config.setMaximumPoolSize(2);
        config.setConnectionInitSql("set role owner");
        try (source;
                RotatingDataSource withRole = RotatingDataSource.over(config, handle)) {
            source.start(SOON);
            try (Connection one = withRole.getConnection()) {
                assertThat(one.isValid(5)).isTrue();
            }
            own.put("own", server.secret("app_v2", "second"));
            handle.refresh(RefreshCause.OPERATOR).join();
            await().atMost(SOON).until(() -> handle.status().state() == SecretState.DEGRADED);
            assertThat(handle.status().detail()).contains("42501");
            assertThat(withRole.status().current().map(CredentialStatus::user)).contains("app_v1");

            server.admin("grant owner to app_v2");
            await().atMost(SOON).until(() -> withRole.status().isSafeToDrop("app_v1"));
        } finally {
            await().atMost(SOON).until(() -> server.sessions("app_v1") + server.sessions("app_v2") == 0);
            server.admin("drop role owner");
        }
    }

    @Test
    void holdsOffAWrongPasswordAndTakesItsRepair() throws Exception {
        createUser("app_v2", "second");
        long refusedBefore = server.refusedLogins("app_v2");
        try (Load load = Load.of(CLIENTS, database)) {
            load.awaitTransactions(500);
            rotateTo("app_v2", "wr0ng-canary-4711");
            await().atMost(SOON).until(() -> secret.status().state() == SecretState.DEGRADED);
            assertThat(secret.status().detail())
                    .contains("28P01", "app_v2")
                    .doesNotContain("canary-4711")
                    .doesNotContain("ApplicationName");
            load.awaitTransactions(3000);
            assertThat(Statuses.currentUser(database)).isEqualTo("app_v1");
            assertThat(database.status().connectionsMoved()).isZero();

            long start = System.nanoTime();
            rotateTo("app_v2", "second");
            await().pollInterval(Duration.ofMillis(5))
                    .atMost(SOON)
                    .until(() -> Statuses.currentUser(database).equals("app_v2"));
            System.out.printf("repair: in use after %d ms%n", (System.nanoTime() - start) / 1_000_000);
            await().atMost(SOON).until(() -> database.status().isSafeToDrop("app_v1"));

            assertThat(load.failures()).isEmpty();
            assertThat(secret.status().state()).isEqualTo(SecretState.HEALTHY);
            assertThat(server.refusedLogins("app_v2") - refusedBefore).isEqualTo(1);
        }
    }

    @Test
    void limitsFailedLoginsOfAllBorrowersTogetherAndWakesThemOnRepair() throws Exception {
        long refusedBefore = server.refusedLogins("app_v1");
        InMemoryStore wrong = new InMemoryStore();
        wrong.put("wrong", server.secret("app_v1", "wr0ng-canary-4711"));
        HikariConfig config = new HikariConfig();
        config.setMaximumPoolSize(POOL);
        config.setConnectionTimeout(1_000);
        SecretSource source = SecretSource.from(wrong);
        RotatingSecret handle = source.secret("wrong");
        RotatingDataSource refused = RotatingDataSource.over(config, handle);
        try (source;
                refused) {
            source.start(SOON);
            try (Load load = Load.of(100, refused)) {
                await().atMost(SOON).until(() -> load.failures().size() >= 100);
                assertThat(load.failures())
                        .allSatisfy(failure -> assertThat(failure)
                                .isInstanceOf(SQLTransientConnectionException.class)
                                .hasMessageContaining("28P01")
                                .hasMessageNotContaining("canary-4711"));
                assertThat(server.refusedLogins("app_v1") - refusedBefore).isLessThanOrEqualTo(2);

                wrong.put("wrong", server.secret("app_v1", "first"));
                var unused = handle.refresh(RefreshCause.OPERATOR);
                await().atMost(SOON).until(() -> load.transactions() > 0);
                assertThat(server.refusedLogins("app_v1") - refusedBefore).isLessThanOrEqualTo(2);
            }
        }
    }

    @Test
    void survivesAnOldUserThatIsDroppedTooEarly() throws Exception {
        createUser("app_v2", "second");
        Connection[] all = new Connection[POOL];
        for (int i = 0; i < POOL; i++) {
            all[i] = database.getConnection();
        }
        rotateTo("app_v2", "second");
        await().atMost(SOON).until(() -> Statuses.currentUser(database).equals("app_v2"));
        server.admin("drop owned by app_v1", "drop role app_v1");
        AtomicInteger checks = new AtomicInteger();
        var observed = secrets.observe(new SecretObserver() {
            @Override
            public void checked(String name, Outcome outcome, Duration took) {
                checks.incrementAndGet();
            }
        });

        int failed = 0;
        for (Connection one : all) {
            try (one) {
                insert(one, "dropped");
            } catch (SQLException dropped) {
                assertThat(dropped.getSQLState()).isIn("42501", "42704");
                failed++;
            }
        }
        assertThat(failed).isEqualTo(POOL);
        await().atMost(SOON).until(() -> checks.get() > 0); // the store is asked ahead of its schedule
        observed.close();
        for (int i = 0; i < POOL * 2; i++) {
            try (Connection one = database.getConnection()) {
                insert(one, "again");
            }
        }
        await().atMost(SOON).until(() -> database.status().credentials().get(1).connections() == 0);
    }

    @Test
    void leavesConnectionsAloneOnAGrantErrorOfTheCurrentUser() throws Exception {
        try (Connection one = database.getConnection();
                Statement statement = one.createStatement()) {
            int before = backendPid(one);
            assertThatThrownBy(() -> statement.execute("delete from visit")).isInstanceOf(SQLException.class);
            assertThat(backendPid(one)).isEqualTo(before);
        }
        try (Connection again = database.getConnection()) {
            assertThat(again.isValid(1)).isTrue();
        }
        assertThat(server.sessions("app_v1")).isPositive();
        assertThat(database.status().connectionsMoved()).isZero();
    }

    @Test
    void worksUnderneathAnExistingPool() throws Exception {
        createUser("app_v2", "second");
        store.put("database-password", "first");
        RotatingSecret password = secrets.secret("database-password");
        try (HikariDataSource existing = new HikariDataSource()) {
            existing.setJdbcUrl(server.url() + "?user=app_v1&password=unused&ApplicationName=existing");
            existing.setMaximumPoolSize(2);
            RotatingDataSource under = RotatingDataSource.under(existing, password);
            assertThat(existing.getJdbcUrl()).isEqualTo(server.url() + "?ApplicationName=existing");
            try (Connection one = existing.getConnection()) {
                assertThat(one.isValid(1)).isTrue();
            }
            assertThat(under.status().current().map(CredentialStatus::user)).contains("app_v1");
            assertThat(existing.getUsername()).isNull();
            assertThat(existing.getPassword()).isNull();

            assertThatThrownBy(() -> RotatingDataSource.under(existing, password))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("already started");

            server.admin("alter role app_v1 password 'changed'");
            store.put("database-password", "changed");
            var unused = password.refresh(RefreshCause.OPERATOR);
            await().atMost(SOON)
                    .until(() -> under.status().credentials().size() == 2
                            && under.status().credentials().get(1).phase() == CredentialPhase.RELEASED);
            try (Connection one = existing.getConnection()) {
                assertThat(one.isValid(1)).isTrue();
            }
            under.close();
        }
    }

    private static void insert(Connection connection, String note) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute("insert into visit (note) values ('" + note + "')");
        }
    }

    private static int backendPid(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("select pg_backend_pid()")) {
            rows.next();
            return rows.getInt(1);
        }
    }

    /** Counts the application's sessions on the server over and over, but for those that are just coming to their end. */
    private static final class SessionSampler implements AutoCloseable {

        private final AtomicInteger most = new AtomicInteger();
        private Set<Integer> last = new HashSet<>();
        private final Thread thread = new Thread(this::run, "sampler");
        private volatile boolean stop;

        SessionSampler() {
            thread.start();
        }

        private void run() {
            try (Connection admin = server.adminConnection();
                    Statement statement = admin.createStatement()) {
                while (!stop) {
                    Set<Integer> processes = new HashSet<>();
                    try (ResultSet rows = statement.executeQuery(
                            "select pid from pg_stat_activity where usename in ('app_v1', 'app_v2')")) {
                        while (rows.next()) {
                            processes.add(rows.getInt(1));
                        }
                    }
                    last.retainAll(processes);
                    most.accumulateAndGet(last.size(), Math::max);
                    last = processes;
                    java.util.concurrent.locks.LockSupport.parkNanos(30_000_000);
                }
            } catch (SQLException failure) {
                most.set(Integer.MAX_VALUE);
            }
        }

        int most() {
            return most.get();
        }

        @Override
        public void close() {
            stop = true;
            Load.join(thread);
        }
    }
}
