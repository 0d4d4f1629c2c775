package io.dualkey.secrets.jdbc;

import io.dualkey.secrets.RefreshCause;
import io.dualkey.secrets.Rotating;
import java.io.PrintWriter;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.sql.SQLTransientConnectionException;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import java.util.logging.Logger;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** What the pool gets its physical connections from: each is made with the credentials of the moment. */
final class PhysicalDataSource implements DataSource {

    /*
     * Concurrency: stateless but for six volatile values and `justMade`, which hands a session from the moment it is
     * made to the moment at which the pool, on the same thread, schedules the end of its life.
     */

    private static final ThreadLocal<@Nullable Session> justMade = new ThreadLocal<>();

    /**
     * Drivers' limits of time, each in the unit that its driver counts in. Without them a host that accepts a connection and
     * says nothing is waited for, and no newer secret would be tried meanwhile.
     */
    private static final Map<String, Map<String, String>> TRIAL_TIMEOUTS = Map.of(
            "jdbc:postgresql:", Map.of("loginTimeout", "10", "connectTimeout", "10", "socketTimeout", "10"),
            "jdbc:mysql:", Map.of("connectTimeout", "10000", "socketTimeout", "10000"),
            "jdbc:mariadb:", Map.of("connectTimeout", "10000", "socketTimeout", "10000"),
            "jdbc:sqlserver:", Map.of("loginTimeout", "10", "socketTimeout", "10000"),
            "jdbc:oracle:", Map.of("oracle.net.CONNECT_TIMEOUT", "10000", "oracle.jdbc.ReadTimeout", "10000"),
            "jdbc:db2:", Map.of("loginTimeout", "10", "blockingReadConnectionTimeout", "10"),
            "jdbc:redshift:", Map.of("loginTimeout", "10", "socketTimeout", "10"));

    private static final long LATELY = TimeUnit.SECONDS.toNanos(1);
    private static final long ASK_AGAIN = TimeUnit.SECONDS.toNanos(2);

    private final Rotating<DatabaseCredentials> credentials;
    private final Generations generations;
    private final Properties properties;
    private final LongSupplier connectionTimeoutMillis;
    private final Runnable onConnected;
    private final BooleanSupplier seekFallback;
    private final LongSupplier time;
    private volatile @Nullable PrintWriter logWriter;
    private volatile int loginTimeoutSeconds;
    private volatile boolean missing;
    private volatile long lastAsked;
    private volatile long
            lastTrial; // the end of the last login that was to find out whether connections can be replaced
    private volatile boolean replaceable; // what came of it

    PhysicalDataSource(
            Rotating<DatabaseCredentials> credentials,
            Generations generations,
            Properties poolProperties,
            LongSupplier connectionTimeoutMillis,
            Runnable onConnected,
            BooleanSupplier seekFallback,
            LongSupplier time) {
        this.credentials = credentials;
        this.generations = generations;
        this.properties = copy(poolProperties);
        this.connectionTimeoutMillis = connectionTimeoutMillis;
        this.onConnected = onConnected;
        this.seekFallback = seekFallback;
        this.time = time;
        this.lastAsked = time.getAsLong() - ASK_AGAIN;
        this.lastTrial = time.getAsLong() - LATELY;
    }

    private static Properties copy(Properties from) {
        Properties to = new Properties();
        for (Map.Entry<Object, Object> one : from.entrySet()) {
            String name = String.valueOf(one.getKey()).toLowerCase(Locale.ROOT);
            if (!name.equals("user") && !name.equals("password")) {
                to.put(one.getKey(), String.valueOf(one.getValue()));
            }
        }
        return to;
    }

    @Override
    public Connection getConnection() throws SQLException {
        long deadline = time.getAsLong() + connectionTimeoutMillis.getAsLong() * 1_000_000;
        while (true) {
            Login login = begin(deadline - time.getAsLong());
            Connection connection;
            try {
                connection = connect(login);
            } catch (SQLException | RuntimeException | Error failure) {
                missing = true;
                failed(login, failure);
                if (LoginRefusal.isIn(failure, login.credentials().url()) && seekFallback.getAsBoolean()) {
                    continue; // another version of the secret logs in meanwhile
                }
                if (LoginRefusal.quotes(login.credentials(), failure)) {
                    throw LoginRefusal.withoutWords(failure);
                }
                throw failure;
            }
            Session session = generations.connected(login, connection);
            if (session != null) {
                justMade.set(session);
                missing = true; // until it is in the pool, which may fail to set it up
                credentials.recordUse(login.version(), System.currentTimeMillis());
                onConnected.run();
                return connection;
            }
            closeQuietly(
                    connection); // replaced or withdrawn while it was being made: log in again with what is current now
        }
    }

    /**
     * Whether a connection whose lifetime is over could be replaced, by a login unless there was one just now. The pool
     * closes it before it makes another one; if the password had changed meanwhile, it would be one short. One login is for
     * all connections, also if it fails: they ask one after the other on the pool's housekeeper, which a server that is
     * silent would hold up with each.
     */
    boolean canReplace() {
        Login login = generations.replacement();
        boolean canReplace = generations.canReplace();
        if (login == null || !canReplace) {
            return canReplace;
        }
        if (time.getAsLong() - lastTrial < LATELY) {
            return replaceable;
        }
        if (generations.tryBegin(login) > 0) {
            return false;
        }
        replaceable = logsIn(login);
        lastTrial = time.getAsLong();
        return replaceable;
    }

    private boolean logsIn(Login login) {
        try {
            closeQuietly(connectBriefly(login));
        } catch (SQLException | RuntimeException | Error failure) {
            var unused = failed(login, failure);
            return false;
        }
        generations.proven(login);
        return true;
    }

    private Login begin(long timeout) throws SQLException {
        try {
            return generations.begin(timeout, this::whileRefused);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new SQLTransientConnectionException("interrupted while waiting for credentials to log in with");
        }
    }

    /** One login to the database, for the pool; the caller counts how it ends. */
    private Connection connect(Login login) throws SQLException {
        return connect(login.credentials(), allProperties(login.credentials()));
    }

    /** One login to the database that must not take long, for a connection of our own; the caller counts how it ends. */
    Connection connectBriefly(Login login) throws SQLException {
        return connect(login.credentials(), briefProperties(login.credentials()));
    }

    private Properties allProperties(DatabaseCredentials with) {
        Properties all = new Properties();
        all.putAll(properties);
        all.setProperty("user", with.user());
        all.setProperty("password", with.password().revealText());
        return all;
    }

    /** With limits of time where the driver is known and the user has not set them. */
    Properties briefProperties(DatabaseCredentials with) {
        Properties all = allProperties(with);
        String url = with.url();
        TRIAL_TIMEOUTS.forEach((kind, timeouts) -> timeouts.forEach((name, value) -> {
            if (url.startsWith(kind) && "?&;:".chars().noneMatch(c -> url.contains((char) c + name + "="))) {
                all.putIfAbsent(name, value);
            }
        }));
        return all;
    }

    private static Connection connect(DatabaseCredentials with, Properties all) throws SQLException {
        Connection connection = DriverManager.getDriver(with.url()).connect(with.url(), all);
        if (connection == null) {
            throw new SQLException("the driver does not accept the database URL", "08001");
        }
        return connection;
    }

    /** Counts a login that failed, and asks for a newer secret if the one in use is refused. */
    String failed(Login login, Throwable failure) {
        boolean refused = LoginRefusal.isIn(failure, login.credentials().url());
        String problem = (refused ? "the server refuses the login as user '" : "the login failed as user '")
                + login.credentials().user() + "' at " + login.credentials().target() + " ("
                + LoginRefusal.describe(failure) + ")";
        if (generations.failed(login, refused, problem) && refused) {
            askForRefresh();
        }
        return problem;
    }

    private void whileRefused() {
        if (!seekFallback.getAsBoolean() && time.getAsLong() - lastAsked >= ASK_AGAIN) {
            askForRefresh();
        }
    }

    void askForRefresh() {
        lastAsked = time.getAsLong();
        var unused = credentials.refresh(RefreshCause.LOGIN_FAILED).thenRun(generations::wake);
    }

    /** Whether the pool did not get, or could not use, the last physical connection that it asked for. */
    boolean isMissing() {
        return missing;
    }

    /** Takes the session that was made last on this thread, if nobody has taken it yet. */
    @Nullable
    Session takeJustMade() {
        Session session = justMade.get();
        if (session == null) {
            return null;
        }
        justMade.remove();
        if (session.isClosed()) {
            return null; // the pool could not set it up
        }
        missing = false;
        return session;
    }

    static void closeQuietly(Connection connection) {
        try {
            connection.close();
        } catch (SQLException | RuntimeException ignored) { // callers have a login to count yet
            // it is of no use to anybody any more
        }
    }

    @Override
    public Connection getConnection(String username, String password) throws SQLException {
        throw new SQLFeatureNotSupportedException(
                "user and password come from the rotating secret: do not set them on the pool");
    }

    @Override
    public @Nullable PrintWriter getLogWriter() {
        return logWriter;
    }

    @Override
    public void setLogWriter(@Nullable PrintWriter out) {
        logWriter = out;
    }

    /** As HikariCP does for a pool with a JDBC URL: drivers know no other place for it. */
    @Override
    public void setLoginTimeout(int seconds) {
        loginTimeoutSeconds = seconds;
        DriverManager.setLoginTimeout(seconds);
    }

    @Override
    public int getLoginTimeout() {
        return loginTimeoutSeconds;
    }

    @Override
    public Logger getParentLogger() throws SQLFeatureNotSupportedException {
        throw new SQLFeatureNotSupportedException();
    }

    @Override
    public <T> T unwrap(Class<T> type) throws SQLException {
        if (type.isInstance(this)) {
            return type.cast(this);
        }
        throw new SQLException("not a wrapper of " + type.getName());
    }

    @Override
    public boolean isWrapperFor(Class<?> type) {
        return type.isInstance(this);
    }

    /** The secret's name; HikariCP logs its configuration. */
    @Override
    public String toString() {
        return "DataSource of secret '" + credentials.name() + "'";
    }
}
