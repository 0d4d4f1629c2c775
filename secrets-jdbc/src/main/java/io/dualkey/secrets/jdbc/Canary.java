package io.dualkey.secrets.jdbc;

import com.zaxxer.hikari.HikariConfig;
import io.dualkey.secrets.Gate;
import io.dualkey.secrets.Role;
import io.dualkey.secrets.Rotating;
import io.dualkey.secrets.UnusableSecretException;
import io.dualkey.secrets.Version;
import io.dualkey.secrets.Versions;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Proves new credentials by a login, the pool's set-up of a connection and a validation query before anything else uses
 * them. And where those in use are refused, or none have been proven, it looks for another version that logs in
 * meanwhile: a password changes in the database and in its secret one after the other.
 */
final class Canary implements Gate<DatabaseCredentials> {

    /*
     * Concurrency: the source calls `admit` for one version at a time, on a thread that may wait. A version that was
     * refused comes back after a second, and then waits here for its turn: until the budget allows another try, or the
     * credentials in use are refused as well, or another version is wanted. `seekFallback` may be called by any thread
     * that may wait; one at a time does the work.
     */

    private static final Logger log = LoggerFactory.getLogger(RotatingDataSource.class);
    private static final Duration COME_BACK = Duration.ofSeconds(1);
    private static final Duration SERVER_DOWN = Duration.ofSeconds(3);
    private static final long NONE = -1;

    private final Rotating<DatabaseCredentials> credentials;
    private final Generations generations;
    private final PhysicalDataSource database;
    private final HikariConfig pool;
    private final Duration window;
    private final BooleanSupplier poolClosed;
    private final Consumer<Login> onFallback;
    private final AtomicBoolean seeking = new AtomicBoolean();
    private volatile long heldOff = NONE; // the generation that has failed its trial last
    private volatile long told; // the generation whose problem has been told
    private volatile boolean closed;

    Canary(
            Rotating<DatabaseCredentials> credentials,
            Generations generations,
            PhysicalDataSource database,
            HikariConfig pool,
            Duration window,
            BooleanSupplier poolClosed,
            Consumer<Login> onFallback) {
        this.credentials = credentials;
        this.generations = generations;
        this.database = database;
        this.pool = pool;
        this.window = window;
        this.poolClosed = poolClosed;
        this.onFallback = onFallback;
    }

    @Override
    public void admit(Version<DatabaseCredentials> version) throws InterruptedException {
        try {
            prove(Login.of(version));
            if (heldOff == version.generation()) { // one before it that is good says nothing about it
                heldOff = NONE;
            }
        } catch (UnusableSecretException held) {
            heldOff = version.generation();
            throw held;
        }
    }

    /** Whether the newest version has failed its trial. */
    boolean isHoldingOff() {
        return credentials
                .versions()
                .current()
                .map(newest -> newest.generation() == heldOff)
                .orElse(false);
    }

    private void prove(Login login) throws InterruptedException {
        while (!isClosed()) {
            if (isWithdrawn()) {
                throw withdrawn();
            }
            confirmWhatIsInUse(login);
            if (generations.tryBegin(login) <= 0) {
                logIn(login);
                return;
            }
            if (isClosed()) {
                return;
            }
            var unused = seekFallback();
            if (told != login.generation() && !generations.isRefused(login)) {
                told = login.generation();
                throw new UnusableSecretException(
                        "too many logins as user '" + login.credentials().user() + "' at "
                                + login.credentials().target() + " have failed: this one waits, lest the account locks",
                        COME_BACK);
            }
            generations.awaitTurn(login, window.toNanos(), () -> isWanted(login));
            if (!isClosed() && !isWanted(login)) {
                if (isWithdrawn()) {
                    throw withdrawn();
                }
                throw new UnusableSecretException("another version has replaced it", window);
            }
        }
        // Closed: no verdict of ours must keep the secret degraded.
    }

    /**
     * Before a version that was refused is tried again, the one in use of the same account is: its success clears what the
     * server counts, so that trials never lock the account; and its refusal says that the password has changed by now.
     */
    private void confirmWhatIsInUse(Login refused) {
        Login inUse = generations.inUseInsteadOf(refused);
        if (inUse == null || generations.delay(refused) > 0 || generations.tryBegin(inUse) > 0) {
            return;
        }
        try {
            PhysicalDataSource.closeQuietly(database.connectBriefly(inUse));
        } catch (SQLException | RuntimeException | Error failure) {
            var unused = database.failed(inUse, failure);
            return;
        }
        generations.proven(inUse);
    }

    private boolean isClosed() {
        return closed || poolClosed.getAsBoolean();
    }

    /** Whether no version is in force at all: then the one in question, which was the newest, is not either. */
    private boolean isWithdrawn() {
        return credentials.versions().current().isEmpty();
    }

    private static UnusableSecretException withdrawn() {
        return new UnusableSecretException("it has been withdrawn, and is not tried", COME_BACK);
    }

    /** Whether it is in force and no other version has become the newest. */
    private boolean isWanted(Login login) {
        return credentials
                .versions()
                .current()
                .map(newest -> newest.generation() == login.generation())
                .orElse(false);
    }

    /**
     * Looks for a version to use while the server refuses the one in use: the one to come, else the one before.
     *
     * @return whether there is one now
     */
    boolean seekFallback() {
        Versions<DatabaseCredentials> versions = credentials.versions();
        Version<DatabaseCredentials> current = versions.current().orElse(null);
        if (current == null || isClosed()) {
            return false;
        }
        if (generations.wantsFallback(Login.of(current)) && seeking.compareAndSet(false, true)) {
            try {
                versions.upcoming().ifPresent(version -> tryFallback(version, current));
                if (generations.serving() != null) { // else the source itself asks for the one before to be tried
                    versions.previous().stream().limit(1).forEach(version -> tryFallback(version, current));
                }
            } finally {
                seeking.set(false);
            }
        }
        return generations.hasFallback();
    }

    /** Only where the current version is at home: one of another database would be a detour to other data. */
    private void tryFallback(Version<DatabaseCredentials> version, Version<DatabaseCredentials> current) {
        Login login = Login.of(version);
        if (version.value().target().equals(current.value().target())
                && generations.wantsFallback(Login.of(current))
                && generations.tryBeginFallback(login, version.role() == Role.UPCOMING)) {
            try {
                logIn(login);
            } catch (UnusableSecretException held) {
                return; // it has been counted and noted
            }
            onFallback.accept(login);
            if (generations.standIn(login)) {
                log.warn(
                        "The server refuses the current version of secret '{}': version {} ({}) logs in meanwhile",
                        credentials.name(),
                        version.id(),
                        version.role());
            }
        }
    }

    private void logIn(Login login) {
        Connection connection;
        try {
            connection = database.connectBriefly(login);
        } catch (SQLException | RuntimeException | Error failure) {
            String problem = database.failed(login, failure);
            boolean refused = generations.isRefused(login);
            if (refused && isWanted(login)) {
                var unused = seekFallback();
            }
            throw new UnusableSecretException(problem, refused ? COME_BACK : SERVER_DOWN);
        }
        try {
            setUp(connection);
            validate(connection);
            UserSessions.idOf(login, connection).ifPresent(id -> generations.setRoleId(login, id));
        } catch (SQLException | RuntimeException failure) {
            throw new UnusableSecretException(
                    "the login as user '" + login.credentials().user()
                            + "' succeeded, but setting the connection up or the validation query failed ("
                            + LoginRefusal.describe(failure) + ")",
                    SERVER_DOWN);
        } finally {
            PhysicalDataSource.closeQuietly(connection);
            generations.proven(login);
        }
    }

    /** Whatever of the pool's own set-up depends on the user's rights: what fails here would fail each connection. */
    private void setUp(Connection connection) throws SQLException {
        if (pool.getCatalog() != null) {
            connection.setCatalog(pool.getCatalog());
        }
        if (pool.getSchema() != null) {
            connection.setSchema(pool.getSchema());
        }
        if (pool.getConnectionInitSql() != null) {
            execute(pool.getConnectionInitSql(), connection);
        }
    }

    private void validate(Connection connection) throws SQLException {
        if (pool.getConnectionTestQuery() != null) {
            execute(pool.getConnectionTestQuery(), connection);
        } else if (!connection.isValid(secondsForAStatement())) {
            throw new SQLException("the connection is not valid", "08000");
        }
    }

    private void execute(String sql, Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            limit(statement);
            statement.execute(sql);
        }
    }

    /** A driver that cannot limit a statement still runs it, as it does for the pool. */
    private void limit(Statement statement) throws SQLException {
        try {
            statement.setQueryTimeout(secondsForAStatement());
        } catch (SQLFeatureNotSupportedException unsupported) {
            log.debug(
                    "The driver does not limit statements ({})",
                    unsupported.getClass().getSimpleName());
        }
    }

    /** As much as the pool gives one: whoever has raised it has a reason. */
    private int secondsForAStatement() {
        return (int) Math.max(1, TimeUnit.MILLISECONDS.toSeconds(pool.getValidationTimeout()));
    }

    /** Admits what is asked from now on, without trying it. */
    void close() {
        closed = true;
        generations.wake();
    }
}
