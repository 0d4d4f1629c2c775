package io.dualkey.secrets.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariConfig;
import io.dualkey.secrets.InMemoryStore;
import io.dualkey.secrets.RefreshCause;
import io.dualkey.secrets.RotatingSecret;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.SecretState;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.sql.Statement;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Credentials rotate under load on a real MariaDB server (D1, D2, D3, D5, D6). */
class MariaDbIT {

    private static final int POOL = 6;
    private static final int CLIENTS = 10;
    private static final Duration SOON = Duration.ofSeconds(20);

    private static EmbeddedMariaDb server;

    private final InMemoryStore store = new InMemoryStore();
    private final SecretSource secrets =
            SecretSource.builder(store).refreshInterval(Duration.ofSeconds(30)).build();
    private final RotatingSecret secret = secrets.secret("database");
    private RotatingDataSource database;

    @BeforeAll
    static void startServer() throws Exception {
        server = new EmbeddedMariaDb();
        server.admin("create table visit (id bigint auto_increment primary key, note text not null)");
    }

    @AfterAll
    static void stopServer() throws Exception {
        server.close();
    }

    @BeforeEach
    void startWithFirstUser() throws Exception {
        createUser("app_v1", "first");
        store.put("database", server.secret("app_v1", "first"));
        HikariConfig config = new HikariConfig();
        config.setMaximumPoolSize(POOL);
        config.setConnectionTimeout(5_000);
        database = RotatingDataSource.over(config, secret);
        secrets.start(Duration.ofSeconds(20));
    }

    @AfterEach
    void dropUsers() throws Exception {
        database.close();
        secrets.close();
        server.admin("set global max_password_errors = 4294967295", "flush privileges");
        server.admin("drop user if exists app_v1", "drop user if exists app_v2");
        await().atMost(SOON).until(() -> server.sessions("app_v1") + server.sessions("app_v2") == 0);
    }

    private static void createUser(String name, String password) throws SQLException {
        server.admin(
                "create user " + name + " identified by '" + password + "'",
                "grant select, insert on shop.* to " + name,
                "grant process on *.* to " + name);
    }

    private void rotateTo(String value) {
        store.put("database", value);
        var unused = secret.refresh(RefreshCause.OPERATOR);
    }

    @Test
    void movesEveryConnectionToNewUserUnderLoadAndTellsWhenTheOldOneCanGo() throws Exception {
        createUser("app_v2", "second");
        Connection elsewhere = server.connect("app_v1", "first");
        try (Load load = Load.of(CLIENTS, database)) {
            load.awaitTransactions(300);
            rotateTo(server.json("app_v2", "second"));
            await().atMost(SOON)
                    .until(() -> Statuses.of("v1", database).serverSessions().orElse(0) == 1);
            assertThat(database.status().isSafeToDrop("app_v1")).isFalse();
            assertThat(server.sessions("app_v1")).isEqualTo(1);

            elsewhere.close();
            await().atMost(SOON).until(() -> database.status().isSafeToDrop("app_v1"));
            assertThat(server.sessions("app_v1")).isZero();
            server.admin("drop user app_v1");
            load.awaitTransactions(300);
            assertThat(load.failures()).isEmpty();
            assertThat(database.status().connectionsMoved()).isEqualTo(POOL);
            assertThat(database.status().failedLogins()).isZero();
        }
    }

    @Test
    void neverSaysSafeWhereTheServerDoesNotShowTheSessionsOfOthers() throws Exception {
        createUser("app_v2", "second");
        server.admin("revoke process on *.* from app_v2");
        try (Connection borrowed = database.getConnection()) {
            assertThat(borrowed.isValid(1)).isTrue();
        }
        try (Connection elsewhere = server.connect("app_v1", "first")) {
            assertThat(elsewhere.isValid(1)).isTrue();
            rotateTo(server.secret("app_v2", "second"));

            await().atMost(SOON).until(() -> Statuses.of("v1", database).phase() == CredentialPhase.RELEASED);
            await().during(Duration.ofMillis(700))
                    .atMost(SOON)
                    .until(() -> !database.status().isSafeToDrop("app_v1"));
            assertThat(Statuses.of("v1", database).serverSessions()).isEmpty();
        }
    }

    @Test
    void followsAPasswordThatChangesInTheDatabaseFirst() throws Exception {
        long refusedBefore = server.refusedLogins("app_v1");
        try (Load load = Load.of(CLIENTS, database)) {
            load.awaitTransactions(50); // the pool is still growing
            server.admin("alter user app_v1 identified by 'changed'");
            load.awaitTransactions(200);
            rotateTo(server.secret("app_v1", "changed"));
            await().atMost(SOON).until(() -> Statuses.of("v1", database).phase() == CredentialPhase.RELEASED);
            load.awaitTransactions(200);

            assertThat(load.failures()).isEmpty();
            assertThat(server.refusedLogins("app_v1") - refusedBefore)
                    .isEqualTo(database.status().failedLogins())
                    .isLessThanOrEqualTo(2);
        }
    }

    @Test
    void followsAPasswordThatChangesInTheSecretFirst() throws Exception {
        long refusedBefore = server.refusedLogins("app_v1");
        try (Load load = Load.of(CLIENTS, database)) {
            load.awaitTransactions(200);
            rotateTo(server.secret("app_v1", "changed"));
            await().atMost(SOON).until(() -> secret.status().state() == SecretState.DEGRADED);
            assertThat(secret.status().detail()).contains("SQLState 28000", "code 1045");
            assertThat(server.refusedLogins("app_v1") - refusedBefore).isEqualTo(1);
            server.admin("alter user app_v1 identified by 'changed'");
            Connection one = database.getConnection();
            one.close();
            database.pool().evictConnection(one);
            await().atMost(SOON).until(() -> Statuses.of("v1", database).phase() == CredentialPhase.RELEASED);
            load.awaitTransactions(200);

            assertThat(load.failures()).isEmpty();
            assertThat(server.refusedLogins("app_v1") - refusedBefore).isEqualTo(2);
        }
    }

    @Test
    void neverLocksAnAccountThatLocksAtThreeFailures() throws Exception {
        server.admin("set global max_password_errors = 3", "flush privileges");
        createUser("app_v2", "second");
        SQLException last = null;
        for (int i = 0; i < 4; i++) { // the lock is real
            last = catchThrowableOfType(SQLException.class, () -> server.connect("app_v2", "wrong"));
        }
        assertThat(last.getErrorCode()).isEqualTo(4150);
        assertThat(LoginRefusal.isIn(last, "jdbc:mariadb://x/y")).isTrue();
        assertThat(catchThrowableOfType(SQLException.class, () -> server.connect("app_v2", "second"))
                        .getErrorCode())
                .isEqualTo(4150);

        InMemoryStore wrong = new InMemoryStore();
        wrong.put("wrong", server.secret("app_v1", "wr0ng-canary-4711"));
        HikariConfig config = new HikariConfig();
        config.setMaximumPoolSize(20);
        config.setConnectionTimeout(1_000);
        SecretSource source = SecretSource.from(wrong);
        RotatingSecret handle = source.secret("wrong");
        RotatingDataSource refused = RotatingDataSource.builder(handle.map(DatabaseCredentials.parser()))
                .maxFailedLogins(2)
                .over(config);
        try (source;
                refused) {
            source.start(SOON);
            try (Load load = Load.of(100, refused)) {
                await().atMost(SOON).until(() -> load.failures().size() >= 100);
                for (int i = 0; i < 4; i++) {
                    wrong.put("wrong", server.secret("app_v1", "wr0ng-canary-" + i));
                    handle.refresh(RefreshCause.OPERATOR).join();
                }
                int failures = load.failures().size();
                await().atMost(SOON).until(() -> load.failures().size() >= failures + 200);
            }
            assertThat(refused.status().failedLogins()).isBetween(1L, 2L);
        }
        try (Connection right = server.connect("app_v1", "first")) { // a locked account would refuse it
            assertThat(right.isValid(1)).isTrue();
        }
    }

    /** The server counts failures until a login succeeds, for hours if need be. */
    @Test
    void neverLocksTheAccountInUseHoweverOftenAWrongPasswordIsTried() throws Exception {
        server.admin("set global max_password_errors = 3", "flush privileges");
        long refusedBefore = server.refusedLogins("app_v1");
        InMemoryStore own = new InMemoryStore();
        own.put("own", server.secret("app_v1", "first"));
        SecretSource source = SecretSource.from(own);
        RotatingSecret handle = source.secret("own");
        HikariConfig config = new HikariConfig();
        config.setMaximumPoolSize(2);
        try (source;
                RotatingDataSource inUse = RotatingDataSource.builder(config, handle)
                        .maxFailedLogins(2)
                        .failedLoginWindow(Duration.ofMillis(100))
                        .over(config)) {
            source.start(SOON);
            try (Connection one = inUse.getConnection()) {
                assertThat(one.isValid(5)).isTrue();
            }
            own.put("own", server.secret("app_v1", "wr0ng-canary-4711"));
            handle.refresh(RefreshCause.OPERATOR).join();
            await().atMost(SOON).until(() -> server.refusedLogins("app_v1") - refusedBefore >= 4);
            try (Connection right = server.connect("app_v1", "first")) { // a locked account would refuse it
                assertThat(right.isValid(5)).isTrue();
            }
            assertThat(inUse.status().current().map(CredentialStatus::version)).contains("v1");

            server.admin("alter user app_v1 identified by 'wr0ng-canary-4711'"); // which so becomes the right one
            await().atMost(SOON)
                    .until(() -> inUse.status()
                            .current()
                            .map(CredentialStatus::version)
                            .orElse("")
                            .equals("v2"));
        }
    }

    @Test
    void holdsOffAUserWhoseAccountIsLocked() throws Exception {
        createUser("app_v2", "second");
        server.admin("alter user app_v2 account lock");
        try (Load load = Load.of(CLIENTS, database)) {
            load.awaitTransactions(100);
            rotateTo(server.secret("app_v2", "second"));
            await().atMost(SOON).until(() -> secret.status().state() == SecretState.DEGRADED);
            assertThat(secret.status().detail()).contains("refuses the login", "code 4151");
            load.awaitTransactions(300);
            assertThat(Statuses.currentUser(database)).isEqualTo("app_v1");
            assertThat(load.failures()).isEmpty();
            assertThat(database.status().failedLogins()).isEqualTo(1);
        }
    }

    @Test
    void survivesAnOldUserThatIsDroppedTooEarly() throws Exception {
        createUser("app_v2", "second");
        Connection[] all = new Connection[POOL];
        for (int i = 0; i < POOL; i++) {
            all[i] = database.getConnection();
        }
        rotateTo(server.secret("app_v2", "second"));
        await().atMost(SOON).until(() -> Statuses.currentUser(database).equals("app_v2"));
        server.admin("drop user app_v1");

        int failed = 0;
        for (Connection one : all) {
            try (one) {
                insert(one);
            } catch (SQLException dropped) {
                assertThat(LoginRefusal.mayBeOfDroppedUser(dropped))
                        .as("%s, code %d", dropped.getSQLState(), dropped.getErrorCode())
                        .isTrue();
                failed++;
            }
        }
        assertThat(failed).isLessThanOrEqualTo(POOL);
        for (int i = 0; i < POOL * 2; i++) {
            try (Connection one = database.getConnection()) {
                insert(one);
            }
        }
        await().atMost(SOON).until(() -> Statuses.of("v1", database).connections() == 0);
    }

    @Test
    void givesUpOldConnectionsWhoseUserHasLostItsRights() throws Exception {
        createUser("app_v2", "second");
        server.admin("revoke select, insert on shop.* from app_v1", "grant insert on shop.visit to app_v1");
        Connection[] all = new Connection[POOL];
        for (int i = 0; i < POOL; i++) {
            all[i] = database.getConnection();
        }
        rotateTo(server.secret("app_v2", "second"));
        await().atMost(SOON).until(() -> Statuses.currentUser(database).equals("app_v2"));
        server.admin("revoke insert on shop.visit from app_v1");

        int failed = 0;
        for (Connection one : all) {
            try (one) {
                insert(one);
            } catch (SQLException denied) {
                assertThat(denied.getErrorCode()).isEqualTo(1142);
                failed++;
            }
        }
        assertThat(failed).isEqualTo(POOL); // one visible error for each that was in use
        for (int i = 0; i < POOL * 2; i++) {
            try (Connection one = database.getConnection()) {
                insert(one);
            }
        }
        await().atMost(SOON).until(() -> Statuses.of("v1", database).connections() == 0);
    }

    @Test
    void waitsForTheFirstRightCredentialsAndTellsWhatIsWrong() throws Exception {
        InMemoryStore missing = new InMemoryStore();
        missing.put("nobody", server.secret("nobody", "wr0ng-canary-4711"));
        HikariConfig config = new HikariConfig();
        config.setConnectionTimeout(1_000);
        SecretSource source = SecretSource.from(missing);
        RotatingDataSource refused = RotatingDataSource.over(config, source.secret("nobody"));
        try (source;
                refused) {
            source.start(SOON);
            SQLTransientConnectionException failure =
                    catchThrowableOfType(SQLTransientConnectionException.class, refused::getConnection);
            assertThat(failure.getMessage()).contains("code 1045").doesNotContain("canary");
        }
    }

    private static void insert(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute("insert into visit (note) values ('a note')");
        }
    }
}
