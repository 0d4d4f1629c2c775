package io.dualkey.secrets.jdbc;

import io.dualkey.secrets.Gate;
import io.dualkey.secrets.Rotating;
import io.dualkey.secrets.UnusableSecretException;
import io.dualkey.secrets.Version;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Proves new credentials by a login and a validation query before anything else uses them. */
final class Canary implements Gate<DatabaseCredentials> {

    /*
     * Concurrency: the source calls `admit` for one version at a time, on a thread that may wait. A version that was
     * refused comes back after a second, and then waits here for its turn: until the budget allows another try, or the
     * credentials in use are refused as well, or another version is wanted.
     */

    private static final Duration COME_BACK = Duration.ofSeconds(1);
    private static final Duration SERVER_DOWN = Duration.ofSeconds(3);

    private final Rotating<DatabaseCredentials> credentials;
    private final Generations generations;
    private final PhysicalDataSource database;
    private final Supplier<@Nullable String> testQuery;
    private final Duration window;
    private final BooleanSupplier poolClosed;
    private volatile long told; // the generation whose problem has been told
    private volatile boolean closed;

    Canary(
            Rotating<DatabaseCredentials> credentials,
            Generations generations,
            PhysicalDataSource database,
            Supplier<@Nullable String> testQuery,
            Duration window,
            BooleanSupplier poolClosed) {
        this.credentials = credentials;
        this.generations = generations;
        this.database = database;
        this.testQuery = testQuery;
        this.window = window;
        this.poolClosed = poolClosed;
    }

    @Override
    public void admit(Version<DatabaseCredentials> version) throws InterruptedException {
        Login login = Login.of(version);
        while (!isClosed()) {
            if (isWithdrawn()) {
                throw withdrawn();
            }
            if (generations.tryBegin(login) <= 0) {
                logIn(login);
                return;
            }
            if (isClosed()) {
                return;
            }
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

    private void logIn(Login login) {
        Connection connection;
        try {
            connection = database.connectBriefly(login);
        } catch (SQLException | RuntimeException | Error failure) {
            String problem = database.failed(login, failure);
            boolean refused = generations.isRefused(login);
            throw new UnusableSecretException(problem, refused ? COME_BACK : SERVER_DOWN);
        }
        try {
            validate(connection);
            readRoleId(login, connection);
        } catch (SQLException failure) {
            throw new UnusableSecretException(
                    "the login as user '" + login.credentials().user()
                            + "' succeeded, but the validation query failed (" + LoginRefusal.describe(failure) + ")",
                    SERVER_DOWN);
        } finally {
            PhysicalDataSource.closeQuietly(connection);
            generations.proven(login);
        }
    }

    private void validate(Connection connection) throws SQLException {
        String query = testQuery.get();
        if (query == null) {
            if (!connection.isValid(5)) {
                throw new SQLException("the connection is not valid", "08000");
            }
            return;
        }
        try (Statement statement = connection.createStatement()) {
            statement.setQueryTimeout(5);
            statement.execute(query);
        }
    }

    /** PostgreSQL's id of the user, by which to ask for its sessions later: a dropped user has no name any more. */
    private void readRoleId(Login login, Connection connection) {
        if (!login.credentials().url().startsWith("jdbc:postgresql:")) {
            return;
        }
        try (PreparedStatement statement =
                connection.prepareStatement("select oid::bigint from pg_roles where rolname = session_user")) {
            statement.setQueryTimeout(5);
            try (ResultSet rows = statement.executeQuery()) {
                if (rows.next()) {
                    generations.setRoleId(login, rows.getLong(1));
                }
            }
        } catch (SQLException unknown) {
            // Not quite PostgreSQL, such as a pooler in between: then "released" is all there is to say.
        }
    }

    /** Admits what is asked from now on, without trying it. */
    void close() {
        closed = true;
        generations.wake();
    }
}
