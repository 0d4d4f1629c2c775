package io.dualkey.secrets.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.dualkey.secrets.InMemoryStore;
import io.dualkey.secrets.RefreshCause;
import io.dualkey.secrets.Rotating;
import io.dualkey.secrets.RotatingSecret;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.SecretState;
import io.dualkey.secrets.SecretValue;
import io.dualkey.secrets.Version;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

class RotatingDataSourceTest {

    private static final Duration SOON = Duration.ofSeconds(10);
    private static final String CANARY = "s3cr3t-c4n4ry";

    private final InMemoryStore store = new InMemoryStore();
    private final SecretSource secrets = SecretSource.from(store);
    private final RotatingSecret secret = secrets.secret("db");
    private final List<AutoCloseable> open = new ArrayList<>(List.of(secrets));

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable one : open) {
            one.close();
        }
    }

    private FakeDriver driver(FakeDriver.OnLogin onLogin) throws SQLException {
        FakeDriver driver = new FakeDriver("fake", onLogin);
        open.add(driver);
        return driver;
    }

    private RotatingDataSource over(HikariConfig config) {
        RotatingDataSource database = RotatingDataSource.over(config, secret);
        open.add(0, database);
        return database;
    }

    private static HikariConfig config(int size) {
        HikariConfig config = new HikariConfig();
        config.setMaximumPoolSize(size);
        config.setConnectionTimeout(5_000);
        return config;
    }

    private void put(String user, String password) {
        store.put("db", "jdbc:fake://db/x?user=" + user + "&password=" + password);
        var unused = secret.refresh(RefreshCause.OPERATOR);
    }

    /** HikariCP#1836: a login that began with the old credentials ends after the new ones are in use. */
    @Test
    void neverHandsOutAConnectionThatWasBeingMadeDuringTheSwitch() throws Exception {
        CountDownLatch stalled = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        AtomicInteger logins = new AtomicInteger();
        driver(user -> {
            if (user.equals("one") && logins.incrementAndGet() == 2) { // the first was the trial login
                stalled.countDown();
                awaitQuietly(goOn);
            }
        });
        RotatingDataSource database = over(config(1));
        put("one", "pw");
        secrets.start(SOON);
        CompletableFuture<String> borrowed = CompletableFuture.supplyAsync(() -> borrowAndAskWhoItIs(database));
        assertThat(stalled.await(10, TimeUnit.SECONDS)).isTrue();

        put("two", "pw");
        await().atMost(SOON).until(() -> Statuses.currentUser(database).equals("two"));
        assertThat(database.status().credentials().get(1).phase()).isEqualTo(CredentialPhase.RETIRING);
        goOn.countDown();

        assertThat(borrowed.get(10, TimeUnit.SECONDS)).isEqualTo("two");
        await().atMost(SOON).until(() -> database.status().credentials().get(1).phase() == CredentialPhase.RELEASED);
    }

    private static String borrowAndAskWhoItIs(RotatingDataSource database) {
        try (Connection connection = database.getConnection()) {
            return connection.getSchema();
        } catch (SQLException failure) {
            throw new IllegalStateException(failure);
        }
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void replacesConnectionsThatWereNeverBorrowed() throws Exception {
        driver(user -> {});
        RotatingDataSource database = over(config(5));
        put("one", "pw");
        secrets.start(SOON);
        assertThat(borrowAndAskWhoItIs(database)).isEqualTo("one");
        await().atMost(SOON).until(() -> database.pool().getHikariPoolMXBean().getTotalConnections() == 5);

        put("two", "pw");
        await().atMost(SOON).until(() -> database.status().connectionsMoved() == 5);
        await().atMost(SOON).until(() -> database.pool().getHikariPoolMXBean().getTotalConnections() == 5);
        for (int i = 0; i < 5; i++) {
            Connection held = database.getConnection();
            open.add(0, held);
            assertThat(held.getSchema()).isEqualTo("two");
        }
        assertThat(database.pool().getMaximumPoolSize()).isEqualTo(5);
        assertThat(database.pool().getMinimumIdle()).isEqualTo(5);
    }

    @Test
    void replacesConnectionsOfAPoolWithoutLifetimeAndWithoutMinimum() throws Exception {
        driver(user -> {});
        HikariConfig config = config(4);
        config.setMaxLifetime(0);
        config.setMinimumIdle(0);
        RotatingDataSource database = over(config);
        put("one", "pw");
        secrets.start(SOON);
        List<Connection> held = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            held.add(database.getConnection());
        }
        for (Connection one : held) {
            one.close();
        }

        put("two", "pw");
        await().atMost(SOON)
                .until(() -> database.status().connectionsMoved() == 3
                        && database.status().credentials().get(1).phase() == CredentialPhase.RELEASED);
        assertThat(borrowAndAskWhoItIs(database)).isEqualTo("two");
        assertThat(config.getMaxLifetime()).isZero();
    }

    @Test
    void doesNotBlockOrFailBeforeTheSecretIsLoaded() throws Exception {
        driver(user -> {});
        HikariConfig config = config(2);
        config.setConnectionTimeout(250);
        RotatingDataSource database = over(config);

        assertThatThrownBy(database::getConnection)
                .isInstanceOf(SQLTransientConnectionException.class)
                .hasMessageContaining("'db'");

        put("one", "pw");
        secrets.start(SOON);
        await().atMost(SOON)
                .ignoreExceptions()
                .until(() -> borrowAndAskWhoItIs(database).equals("one"));
    }

    @Test
    void waitsInterruptibly() throws Exception {
        driver(user -> {});
        HikariConfig config = config(2);
        config.setConnectionTimeout(60_000);
        RotatingDataSource database = over(config);
        CompletableFuture<Throwable> ended = new CompletableFuture<>();
        Thread borrower = new Thread(() -> {
            try (Connection never = database.getConnection()) {
                ended.complete(new AssertionError(never));
            } catch (SQLException failure) {
                ended.complete(failure);
            }
        });
        borrower.start();
        borrower.interrupt();

        assertThat(ended.get(10, TimeUnit.SECONDS)).hasMessageContaining("interrupted");
    }

    @Test
    void saysThatItIsClosedBeforeItHasEverLoggedIn() {
        RotatingDataSource database = over(config(1));
        database.close();

        assertThatThrownBy(database::getConnection).hasMessageContaining("is closed");
    }

    @Test
    void wakesWaitingBorrowersWhenCredentialsAreProven() throws Exception {
        CountDownLatch stalled = new CountDownLatch(1);
        driver(user -> awaitQuietly(stalled));
        RotatingDataSource database = over(config(2));
        put("one", "pw");
        secrets.start(SOON);
        CompletableFuture<String> borrowed = CompletableFuture.supplyAsync(() -> borrowAndAskWhoItIs(database));
        stalled.countDown();

        assertThat(borrowed.get(4, TimeUnit.SECONDS)).isEqualTo("one");
    }

    @Test
    void convergesToTheLastOfSeveralQuickRotations() throws Exception {
        driver(user -> {});
        RotatingDataSource database = over(config(3));
        put("one", "pw");
        secrets.start(SOON);
        assertThat(borrowAndAskWhoItIs(database)).isEqualTo("one");
        put("two", "pw");
        put("three", "pw");
        put("four", "pw");

        await().atMost(SOON).until(() -> Statuses.currentUser(database).equals("four"));
        await().atMost(SOON)
                .until(() -> database.status().credentials().stream()
                        .allMatch(one -> one.user().equals("four") || one.phase() == CredentialPhase.RELEASED));
        assertThat(borrowAndAskWhoItIs(database)).isEqualTo("four");
    }

    @Test
    void keepsItsOwnExceptionOverrideAndScheduledExecutorOfTheUser() throws Exception {
        driver(user -> {});
        HikariConfig config = config(2);
        var executor = java.util.concurrent.Executors.newSingleThreadScheduledExecutor();
        open.add(executor::shutdownNow);
        config.setScheduledExecutor(executor);
        RotatingDataSource database = over(config);
        put("one", "pw");
        secrets.start(SOON);
        assertThat(borrowAndAskWhoItIs(database)).isEqualTo("one");
        put("two", "pw");
        await().atMost(SOON).until(() -> database.status().connectionsMoved() > 0);

        database.close();
        assertThat(executor.isShutdown()).isFalse();
    }

    @Test
    void refusesAPoolThatMakesItsConnectionsOtherwise() {
        HikariConfig config = config(1);
        config.setDataSourceClassName("org.postgresql.ds.PGSimpleDataSource");

        assertThatThrownBy(() -> RotatingDataSource.over(config, secret))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("dataSourceClassName");
    }

    @Test
    void makesNoConnectionOnceNoVersionIsInForce() throws Exception {
        AtomicInteger logins = new AtomicInteger();
        driver(user -> logins.incrementAndGet());
        HikariConfig config = config(3);
        config.setMinimumIdle(0);
        config.setConnectionTimeout(1_500);
        RotatingDataSource database = over(config);
        String id = store.put("db", "jdbc:fake://db/x?user=one&password=" + CANARY);
        secrets.start(SOON);
        try (Connection held = database.getConnection()) {
            int before = logins.get();
            store.disable("db", id);
            secret.refresh(RefreshCause.OPERATOR).join();

            assertThatThrownBy(database::getConnection)
                    .isInstanceOf(SQLTransientConnectionException.class)
                    .hasStackTraceContaining("secret 'db' has no version in force")
                    .satisfies(failure -> assertThat(failure.toString()).doesNotContain(CANARY));
            assertThat(logins).hasValue(before);
            assertThat(held.getSchema()).isEqualTo("one");

            put("two", "pw");
            await().atMost(SOON)
                    .ignoreExceptions()
                    .until(() -> borrowAndAskWhoItIs(database).equals("two"));
        }
    }

    @Test
    void doesNotTryAVersionThatWasWithdrawn() throws Exception {
        AtomicInteger logins = new AtomicInteger();
        driver(user -> logins.incrementAndGet());
        Rotating<DatabaseCredentials> credentials = secret.map(DatabaseCredentials.parser());
        Generations generations = generations();
        PhysicalDataSource physical = new PhysicalDataSource(
                credentials, generations, new Properties(), () -> 1_000, () -> {}, () -> false, System::nanoTime);
        Canary canary = new Canary(
                credentials,
                generations,
                physical,
                new HikariConfig(),
                Duration.ofMinutes(2),
                () -> false,
                login -> {});
        String id = store.put("db", "jdbc:fake://db/x?user=one&password=pw");
        secrets.start(SOON);
        Version<DatabaseCredentials> version = credentials.versions().current().orElseThrow();
        canary.admit(version);
        store.disable("db", id);
        secret.refresh(RefreshCause.OPERATOR).join();

        assertThatThrownBy(() -> canary.admit(version)).hasMessageContaining("withdrawn");
        assertThat(logins).hasValue(1);
    }

    /** As the source asks for it at the start, where the one before has not been tried yet. */
    @Test
    void holdsOffTheNewestAlsoAfterTheOneBeforeItHasLoggedIn() throws Exception {
        driver(user -> {
            if (user.equals("two")) {
                throw new SQLException("refused", "28P01");
            }
        });
        Rotating<DatabaseCredentials> credentials = secret.map(DatabaseCredentials.parser());
        Generations generations = generations();
        PhysicalDataSource physical = new PhysicalDataSource(
                credentials, generations, new Properties(), () -> 1_000, () -> {}, () -> false, System::nanoTime);
        Canary canary = new Canary(
                credentials,
                generations,
                physical,
                new HikariConfig(),
                Duration.ofMinutes(2),
                () -> false,
                login -> {});
        store.put("db", "jdbc:fake://db/x?user=one&password=pw");
        secrets.start(SOON);
        Version<DatabaseCredentials> before = credentials.versions().current().orElseThrow();
        store.put("db", "jdbc:fake://db/x?user=two&password=pw");
        secret.refresh(RefreshCause.OPERATOR).join();
        Version<DatabaseCredentials> newest = credentials.versions().current().orElseThrow();

        assertThatThrownBy(() -> canary.admit(newest)).hasMessageContaining("28P01");
        assertThat(canary.isHoldingOff()).isTrue();
        canary.admit(before);
        assertThat(canary.isHoldingOff()).isTrue();
    }

    /** They ask on the pool's housekeeper, which each login to a silent server would hold up. */
    @Test
    void makesOneTrialLoginForAllConnectionsWhoseLifetimeIsOverAlsoIfItFails() throws Exception {
        AtomicInteger logins = new AtomicInteger();
        AtomicBoolean down = new AtomicBoolean(true);
        driver(user -> {
            logins.incrementAndGet();
            if (down.get()) {
                throw new SQLException("no answer", "08001");
            }
        });
        AtomicLong time = new AtomicLong();
        Generations generations = new Generations("db", new LoginBudget(3, Duration.ofMinutes(2)), time::get);
        generations.serve(login("jdbc:fake://db/x?user=one&password=pw"));
        PhysicalDataSource physical = new PhysicalDataSource(
                secret.map(DatabaseCredentials.parser()),
                generations,
                new Properties(),
                () -> 1_000,
                () -> {},
                () -> false,
                time::get);

        for (int connection = 0; connection < 10; connection++) {
            assertThat(physical.canReplace()).isFalse();
        }
        assertThat(logins).hasValue(1);

        down.set(false);
        time.addAndGet(TimeUnit.SECONDS.toNanos(1));
        for (int connection = 0; connection < 10; connection++) {
            assertThat(physical.canReplace()).isTrue();
        }
        assertThat(logins).hasValue(2);
    }

    @Test
    void holdsOffCredentialsWithWhichThePoolCouldNotSetConnectionsUp() throws Exception {
        driver(user -> {}).onSetSchema(user -> {
            if (user.equals("two")) {
                throw new SQLException("permission denied", "42501");
            }
        });
        HikariConfig config = config(3);
        config.setSchema("shop");
        RotatingDataSource database = over(config);
        put("one", "pw");
        secrets.start(SOON);
        assertThat(borrowAndAskWhoItIs(database)).isEqualTo("one");
        await().atMost(SOON).until(() -> total(database) == 3);

        put("two", "pw");
        await().atMost(SOON).until(() -> secret.status().state() == SecretState.DEGRADED);
        assertThat(secret.status().detail()).contains("setting the connection up", "42501");
        assertThat(Statuses.currentUser(database)).isEqualTo("one");
        assertThat(total(database)).isEqualTo(3);
    }

    @Test
    void takesCredentialsOfADriverThatCannotLimitStatements() throws Exception {
        driver(user -> {});
        HikariConfig config = config(1);
        config.setConnectionInitSql("set time zone 'UTC'");
        RotatingDataSource database = over(config);
        put("one", "pw");
        secrets.start(SOON);
        assertThat(borrowAndAskWhoItIs(database)).isEqualTo("one");
    }

    @Test
    void doesNotShrinkWhileThePoolCannotSetNewConnectionsUp() throws Exception {
        AtomicInteger settings = new AtomicInteger();
        driver(user -> {}).onSetSchema(user -> {
            if (user.equals("two") && settings.incrementAndGet() > 1) { // the trial login's is the first
                throw new SQLException("permission denied", "42501");
            }
        });
        HikariConfig config = config(3);
        config.setSchema("shop");
        RotatingDataSource database = over(config);
        put("one", "pw");
        secrets.start(SOON);
        assertThat(borrowAndAskWhoItIs(database)).isEqualTo("one");
        await().atMost(SOON).until(() -> total(database) == 3);

        put("two", "pw");
        await().atMost(SOON).until(() -> Statuses.currentUser(database).equals("two"));
        await().during(Duration.ofMillis(1_500)).atMost(SOON).until(() -> total(database) >= 2);
        assertThat(borrowAndAskWhoItIs(database)).isEqualTo("one");
    }

    private static int total(RotatingDataSource database) {
        return database.pool().getHikariPoolMXBean().getTotalConnections();
    }

    @Test
    void replacesConnectionsThoughTheirLifetimeIsTurnedOffByJmx() throws Exception {
        driver(user -> {});
        RotatingDataSource database = over(config(3));
        put("one", "pw");
        secrets.start(SOON);
        assertThat(borrowAndAskWhoItIs(database)).isEqualTo("one");
        await().atMost(SOON).until(() -> total(database) == 3);
        database.pool().getHikariConfigMXBean().setMaxLifetime(0);
        put("two", "pw");
        await().atMost(SOON)
                .until(() -> database.status().credentials().get(0).connections() == 3
                        && database.status().connectionsMoved() == 3);

        put("three", "pw");
        await().atMost(SOON).until(() -> database.status().connectionsMoved() == 6);
    }

    @Test
    void showsNothingOfWhatADriverQuotes() throws Exception {
        AtomicInteger logins = new AtomicInteger();
        driver(user -> {
            if (logins.incrementAndGet() > 1) { // the trial login's is the first
                throw new SQLException("cannot connect", "08001", 7, new IllegalStateException("as " + CANARY));
            }
        });
        HikariConfig config = config(2);
        config.setInitializationFailTimeout(-1);
        config.setConnectionTimeout(500);
        RotatingDataSource database = over(config);
        put("one", CANARY);
        secrets.start(SOON);
        await().atMost(SOON).until(() -> database.status().current().isPresent());

        assertThatThrownBy(database::getConnection)
                .isInstanceOf(SQLTransientConnectionException.class)
                .hasStackTraceContaining("SQLState 08001, code 7")
                .satisfies(failure -> {
                    StringWriter shown = new StringWriter();
                    failure.printStackTrace(new PrintWriter(shown));
                    assertThat(shown.toString()).doesNotContain(CANARY);
                });
    }

    @Test
    void withdrawsSafeToDropForTheTimeOfATrialLogin() {
        Generations generations = generations();
        Login first = login("postgresql://one:pw@db/x");
        generations.serve(first);
        generations.setRoleId(first, 7);
        generations.serve(login("postgresql://two:pw@db/x"));
        generations.release();
        generations.reported(generations.released().get(0), 0);
        assertThat(generations.status(false).isSafeToDrop("one")).isTrue();

        assertThat(generations.tryBegin(first)).isZero();
        assertThat(generations.status(false).isSafeToDrop("one")).isFalse();
        generations.release();
        assertThat(generations.status(false).credentials())
                .extracting(CredentialStatus::phase)
                .containsExactly(CredentialPhase.CURRENT, CredentialPhase.RETIRING);

        generations.proven(first);
        generations.release();
        generations.reported(generations.released().get(0), 0);
        assertThat(generations.status(false).isSafeToDrop("one")).isTrue();

        Login other = login("postgresql://one:other@db/x");
        assertThat(generations.tryBegin(other)).isZero();
        assertThat(generations.status(false).isSafeToDrop("one")).isFalse();
    }

    private static Generations generations() {
        return new Generations("db", new LoginBudget(3, Duration.ofMinutes(2)), System::nanoTime);
    }

    private Login login(String url) {
        store.put("db", url);
        if (secret.versions().current().isEmpty()) {
            secrets.start(SOON);
        }
        secret.refresh(RefreshCause.OPERATOR).join();
        return Login.of(
                secret.map(DatabaseCredentials.parser()).versions().current().orElseThrow());
    }

    @Test
    void asksOnlyAServerThatHadTheSessions() {
        Generations generations = generations();
        Login first = login("postgresql://one:pw@old/x");
        generations.serve(first);
        generations.setRoleId(first, 7);
        generations.serve(login("postgresql://two:pw@new/x"));
        generations.release();
        assertThat(generations.released()).isEmpty();

        generations.serve(login("postgresql://three:pw@old:5432/x"));
        generations.release();
        assertThat(generations.released())
                .extracting(Generations.Released::roleId)
                .containsExactly(7L);
    }

    @Test
    void beginsNoLoginOnceClosed() {
        Generations generations = generations();
        Login login = login("postgresql://one:pw@db/x");
        generations.close();

        assertThat(generations.tryBegin(login)).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void limitsTheTimeOfTrialLoginsUnlessTheUserDoes() {
        Properties theirs = new Properties();
        theirs.setProperty("connectTimeout", "3");
        PhysicalDataSource physical = new PhysicalDataSource(
                secret.map(DatabaseCredentials.parser()),
                generations(),
                theirs,
                () -> 1_000,
                () -> {},
                () -> false,
                System::nanoTime);
        DatabaseCredentials postgres =
                login("postgresql://one:pw@db/x?socketTimeout=0").credentials();
        DatabaseCredentials other =
                login("jdbc:fake://db/x?user=one&password=pw").credentials();

        assertThat(physical.briefProperties(postgres))
                .containsEntry("loginTimeout", "10")
                .containsEntry("connectTimeout", "3")
                .doesNotContainKey("socketTimeout");
        assertThat(physical.briefProperties(other)).containsOnlyKeys("user", "password", "connectTimeout");
        DatabaseCredentials sqlServer = DatabaseCredentials.of(
                "jdbc:sqlserver://db;loginTimeout=3;databaseName=x", "one", SecretValue.ofText("pw"));
        assertThat(physical.briefProperties(sqlServer))
                .containsEntry("socketTimeout", "10000")
                .doesNotContainKey("loginTimeout");
    }

    @Test
    void makesNoTrialLoginOnceThePoolIsClosed() throws Exception {
        AtomicInteger logins = new AtomicInteger();
        driver(user -> logins.incrementAndGet());
        HikariDataSource pool = new HikariDataSource(); // with a configuration it would start at once
        RotatingDataSource database = RotatingDataSource.under(pool, secret);
        open.add(0, database);
        put("one", "pw");
        secrets.start(SOON);
        await().atMost(SOON).until(() -> Statuses.currentUser(database).equals("one"));
        pool.close();
        put("two", "pw");

        await().atMost(SOON).until(() -> Statuses.currentUser(database).equals("two")); // admitted without a trial
        assertThat(logins).hasValue(1);
    }

    @Test
    void takesABlankUrlForNone() throws Exception {
        driver(user -> {});
        HikariConfig config = config(1);
        config.setJdbcUrl(" ");
        RotatingDataSource database = over(config);
        put("one", "pw");
        secrets.start(SOON);

        assertThat(borrowAndAskWhoItIs(database)).isEqualTo("one");
    }

    @Test
    void refusesAPoolThatIsClosed() {
        HikariDataSource pool = new HikariDataSource();
        pool.close();

        assertThatThrownBy(() -> RotatingDataSource.under(pool, secret)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void showsNoPasswordInAnyLogOrText() throws Exception {
        driver(user -> {
            if (user.equals("bad")) {
                throw new SQLException("refused", "28000");
            }
        });
        Logger root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
        ListAppender<ILoggingEvent> appender = new ListAppender<>();
        appender.start();
        Level before = root.getLevel();
        root.setLevel(Level.DEBUG);
        root.addAppender(appender);
        try {
            HikariConfig config = config(2);
            config.setUsername("configured");
            config.setPassword(CANARY);
            RotatingDataSource database = over(config);
            put("one", CANARY);
            secrets.start(SOON);
            assertThat(borrowAndAskWhoItIs(database)).isEqualTo("one");
            put("bad", CANARY);
            await().atMost(SOON).until(() -> database.status().failedLogins() == 1);

            assertThat(database.pool().getPassword()).isNull();
            assertThat(database.pool().getUsername()).isNull();
            assertThat(database + " " + database.status() + " " + secret.status()
                            + database.pool().getDataSource())
                    .doesNotContain(CANARY);
            assertThat(List.copyOf(appender.list))
                    .extracting(ILoggingEvent::getFormattedMessage)
                    .noneMatch(message -> message.contains(CANARY));
        } finally {
            root.detachAppender(appender);
            root.setLevel(before);
        }
    }
}
