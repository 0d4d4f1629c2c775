package io.dualkey.secrets.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import com.zaxxer.hikari.HikariConfig;
import io.dualkey.secrets.InMemoryStore;
import io.dualkey.secrets.RefreshCause;
import io.dualkey.secrets.RotatingSecret;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.SecretState;
import java.lang.management.ManagementFactory;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import javax.management.MBeanAttributeInfo;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** Rotations among bad secrets, cut networks, restarts and moves to another server (D1, D2), on real PostgreSQL. */
class AdversityIT {

    private static final int POOL = 5;
    private static final int CLIENTS = 8;
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final String CANARY = "s3cr3t-c4n4ry";

    private static ScramPostgres server;
    private static ScramPostgres other;

    private final InMemoryStore store = new InMemoryStore();
    private final SecretSource secrets =
            SecretSource.builder(store).refreshInterval(Duration.ofMillis(50)).build();
    private final RotatingSecret secret = secrets.secret("database-url");
    private RotatingDataSource database;

    @BeforeAll
    static void startServers() throws Exception {
        server = ScramPostgres.shared();
        other = new ScramPostgres();
        other.admin("create role app nologin");
        other.createTableIn("postgres");
        for (ScramPostgres one : List.of(server, other)) {
            one.admin(
                    "create role app_v1 login password 'first' in role app",
                    "create role app_v2 login password 'second' in role app",
                    "create role stranger login password '" + CANARY + "'");
        }
    }

    @AfterAll
    static void stopServers() throws Exception {
        other.close();
        server.admin("drop role app_v1", "drop role app_v2", "drop role stranger");
    }

    @BeforeEach
    void start() {
        store.put("database-url", server.secret("app_v1", "first"));
        HikariConfig config = new HikariConfig();
        config.setMaximumPoolSize(POOL);
        config.setConnectionTimeout(10_000);
        config.setRegisterMbeans(true);
        config.setPoolName("adversity");
        config.setConnectionTestQuery("select id from visit limit 1");
        database = RotatingDataSource.over(config, secret);
        secrets.start(Duration.ofSeconds(10));
    }

    @AfterEach
    void close() {
        database.close();
        secrets.close();
        await().atMost(SOON).until(() -> server.sessions("app_v1") + server.sessions("app_v2") == 0);
    }

    private void rotateTo(String value) {
        store.put("database-url", value);
        secret.refresh(RefreshCause.OPERATOR).join();
    }

    private void awaitReleased(String user) {
        await().atMost(SOON)
                .until(() -> database.status().credentials().stream()
                        .filter(one -> one.user().equals(user))
                        .allMatch(one -> one.phase().compareTo(CredentialPhase.RELEASED) >= 0));
    }

    @Test
    void holdsOffEachKindOfBadSecretAndShowsNothingOfIt() throws Exception {
        Logger root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
        ListAppender<ILoggingEvent> log = new ListAppender<>();
        log.start();
        Level before = root.getLevel();
        root.setLevel(Level.DEBUG);
        root.addAppender(log);
        long refusedBefore = server.refusedLogins("app_v2");
        StringBuilder shown = new StringBuilder();
        try (Load load = Load.of(CLIENTS, database)) {
            load.awaitTransactions(50);
            List<String> bad = List.of(
                    server.secret("app_v2", CANARY), // the wrong password
                    server.secret("stranger", CANARY), // missing grants: the validation query fails
                    "postgresql://app_v2:" + CANARY + "%@localhost/postgres", // malformed
                    server.secret("app_v2", "second").replace("/postgres?", "/" + CANARY + "?"), // no such database
                    "postgresql://app_v2:" + CANARY + "@localhost:1/postgres", // nobody listens there
                    "  ", // blank
                    CANARY); // no URL at all
            for (String value : bad) {
                rotateTo(value);
                await().atMost(SOON).until(() -> secret.status().state() == SecretState.DEGRADED);
                load.awaitTransactions(50);
                shown.append(secret.status())
                        .append(secret.status().detail())
                        .append(database)
                        .append(database.status().failedLogins());
                assertThat(Statuses.currentUser(database)).isEqualTo("app_v1");
                rotateTo(server.secret("app_v1", "first"));
                await().atMost(SOON).until(() -> secret.status().state() == SecretState.HEALTHY);
            }
            shown.append(jmx());
            assertThat(load.failures()).isEmpty();
            assertThat(database.status().connectionsMoved()).isZero();
            assertThat(server.refusedLogins("app_v2") - refusedBefore).isEqualTo(1);

            rotateTo(server.secret("app_v2", "second"));
            awaitReleased("app_v1");
            load.awaitTransactions(50);
            assertThat(load.failures()).isEmpty();
        } finally {
            root.detachAppender(log);
            root.setLevel(before);
        }
        assertThat(shown.toString()).doesNotContain("c4n4ry:").doesNotContain(":" + CANARY);
        // The name of a database is no secret; whatever stands in the place of a password is.
        String place = "/" + CANARY;
        assertThat(shown.toString().replace(place, "")).doesNotContain(CANARY);
        assertThat(List.copyOf(log.list))
                .extracting(ILoggingEvent::getFormattedMessage)
                .noneMatch(message -> message.replace(place, "").contains(CANARY));
    }

    private static String jmx() throws Exception {
        MBeanServer beans = ManagementFactory.getPlatformMBeanServer();
        StringBuilder all = new StringBuilder();
        for (ObjectName name : beans.queryNames(new ObjectName("com.zaxxer.hikari:*"), null)) {
            for (MBeanAttributeInfo attribute : beans.getMBeanInfo(name).getAttributes()) {
                if (attribute.isReadable()) {
                    all.append(beans.getAttribute(name, attribute.getName())).append('\n');
                }
            }
        }
        assertThat(all).contains("adversity");
        return all.toString();
    }

    @Test
    void convergesToTheLastOfThreeUpdatesAndBackAgain() throws Exception {
        try (Load load = Load.of(CLIENTS, database)) {
            load.awaitTransactions(50);
            store.put("database-url", server.secret("app_v2", "second"));
            var first = secret.refresh(RefreshCause.OPERATOR);
            store.put("database-url", server.secret("app_v1", "first"));
            var second = secret.refresh(RefreshCause.OPERATOR);
            store.put("database-url", server.secret("app_v2", "second"));
            secret.refresh(RefreshCause.OPERATOR).join();
            assertThat(first).isDone();
            assertThat(second).isDone();
            await().atMost(SOON).until(() -> Statuses.currentUser(database).equals("app_v2"));
            awaitReleased("app_v1");

            rotateTo(server.secret("app_v1", "first"));
            await().atMost(SOON).until(() -> Statuses.currentUser(database).equals("app_v1"));
            awaitReleased("app_v2");
            assertThat(load.failures()).isEmpty();
            assertThat(database.status().failedLogins()).isZero();
        }
    }

    @Test
    void movesToAnotherServerUnderLoadAndLeavesTheOldOne() throws Exception {
        Connection open = database.getConnection();
        open.setAutoCommit(false);
        insert(open);
        try (Load load = Load.of(CLIENTS - 2, database)) {
            load.awaitTransactions(50);
            rotateTo(other.secret("app_v1", "first"));
            await().atMost(SOON).until(() -> other.sessions("app_v1") > 0 && server.sessions("app_v1") == 1);
            insert(open); // in its transaction, at home
            open.commit();
            open.close();
            await().atMost(SOON)
                    .until(() -> database.status().credentials().get(1).phase() == CredentialPhase.RELEASED);

            long atHome = server.adminCount("select count(*) from visit");
            long away = other.adminCount("select count(*) from visit");
            load.awaitTransactions(100);
            assertThat(server.adminCount("select count(*) from visit")).isEqualTo(atHome);
            assertThat(other.adminCount("select count(*) from visit")).isGreaterThan(away);
            assertThat(server.sessions("app_v1")).isZero();
            assertThat(load.failures()).isEmpty();
            assertThat(database.status().isSafeToDrop("app_v1")).isFalse(); // it is in use at the other server
        }
        rotateTo(server.secret("app_v1", "first"));
        await().atMost(SOON).until(() -> other.sessions("app_v1") == 0);
    }

    @Test
    void survivesARestartOfTheServerInTheMidstOfARotation() throws Exception {
        try (Load load = Load.of(CLIENTS, database)) {
            load.awaitTransactions(50);
            store.put("database-url", server.secret("app_v2", "second"));
            var refreshed = secret.refresh(RefreshCause.OPERATOR);
            server.crash(); // it ends all sessions, recovers and comes back by itself
            refreshed.join();

            await().atMost(SOON).until(() -> Statuses.currentUser(database).equals("app_v2"));
            awaitReleased("app_v1");
        }
        try (Load load = Load.of(CLIENTS, database)) {
            load.awaitTransactions(200);
            assertThat(load.failures()).isEmpty();
        }
        assertThat(server.sessions("app_v1")).isZero();
        assertThat(database.status().failedLogins()).isZero(); // a server that is starting refuses nobody
        assertThat(database.pool().getMaximumPoolSize()).isEqualTo(POOL);
    }

    @Test
    void survivesANetworkThatIsCutInTheMidstOfATrialLogin() throws Exception {
        try (TcpProxy network = new TcpProxy(server.port());
                Load load = Load.of(CLIENTS, database)) {
            String through = server.secret("app_v2", "second").replace(":" + server.port(), ":" + network.port());
            load.awaitTransactions(50);
            for (TcpProxy.Mode mode : List.of(TcpProxy.Mode.STALL, TcpProxy.Mode.RESET_IN_LOGIN)) {
                network.set(mode);
                int accepted = network.accepted();
                rotateTo(through + "&loginTimeout=1&socketTimeout=1&connectTimeout=1");
                await().atMost(SOON).until(() -> network.accepted() > accepted);
                await().atMost(SOON).until(() -> secret.status().state() == SecretState.DEGRADED);
                load.awaitTransactions(50);
                assertThat(Statuses.currentUser(database)).isEqualTo("app_v1");

                network.set(TcpProxy.Mode.PASS);
                await().atMost(SOON).until(() -> Statuses.currentUser(database).equals("app_v2"));
                awaitReleased("app_v1");
                assertThat(load.failures()).isEmpty();
                assertThat(secret.status().state()).isEqualTo(SecretState.HEALTHY);
                rotateTo(server.secret("app_v1", "first"));
                await().atMost(SOON).until(() -> Statuses.currentUser(database).equals("app_v1"));
                awaitReleased("app_v2");
            }
            assertThat(load.failures()).isEmpty();
            assertThat(database.status().failedLogins()).isZero();
        }
    }

    private static void insert(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute("insert into visit (note) values ('a note')");
        }
    }
}
