package io.dualkey.secrets.jdbc;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.dualkey.secrets.Parser;
import io.dualkey.secrets.Registration;
import io.dualkey.secrets.Rotating;
import io.dualkey.secrets.SecretValue;
import io.dualkey.secrets.Version;
import io.dualkey.secrets.Versions;
import java.io.PrintWriter;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.sql.SQLTransientConnectionException;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.logging.Logger;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/**
 * A HikariCP pool whose credentials rotate while it serves: when the secret changes, whether user, password or host, a
 * trial login proves the new credentials, new connections use them, and the old connections are replaced one by one,
 * each after its transaction. Nothing that is in use is aborted, and credentials that do not work never replace ones
 * that do.
 *
 * <pre>{@code
 * var hikariConfig = new HikariConfig();
 * hikariConfig.setMaximumPoolSize(20);
 * var database = RotatingDataSource.over(hikariConfig, secrets.secret("database-url"));
 * secrets.start(Duration.ofSeconds(10));
 * try (var connection = database.getConnection()) { ... }
 * }</pre>
 *
 * <p>The pool starts with the first {@link #getConnection}, so that all this may be written before the secret is loaded.
 * Until credentials have been proven, {@code getConnection} waits, at most HikariCP's {@code connectionTimeout}; then
 * it waits for the pool, which has a {@code connectionTimeout} of its own. So the very first calls may take up to twice
 * that time.
 *
 * <p>Once the secret has no version in force at all, because its store has disabled or removed it, it has expired, or it
 * fails closed, no new connection is made; idle ones are closed within about a second, and those in use when they are
 * returned, which aborts nothing. As long as there is a newer version that has not passed its trial login yet, those
 * that are open are kept.
 *
 * <p>While the server refuses the current credentials, as it does for a moment when the password of a single user changes
 * in the database and in the secret one after the other, what is open serves on, and new connections use the version that
 * the store announces as the next one, or the one before, if it logs in.
 *
 * <p>Every setting of HikariCP stays yours, with these exceptions: user and password are not on the pool at all; while
 * connections are being replaced its maximum is higher by one; a {@code maxLifetime} of 0 (for ever) becomes ten years,
 * because it is by the end of its lifetime that a connection is replaced; and a connection that has reached the end of
 * its lifetime is kept while no login could replace it.
 *
 * <p>Safe for use by several threads. It runs daemon threads of its own, which end when there is nothing to do.
 */
public final class RotatingDataSource implements DataSource, AutoCloseable {

    /*
     * Concurrency: all state is in `generations`, behind its lock; what is here is final. A borrow costs one volatile
     * read on top of the pool's own work.
     */

    private static final org.slf4j.Logger log = LoggerFactory.getLogger(RotatingDataSource.class);
    private static final Duration FAILED_LOGIN_WINDOW = Duration.ofMinutes(2);
    private static final long TEN_YEARS = TimeUnit.DAYS.toMillis(3650);

    private final HikariDataSource pool;
    private final Rotating<DatabaseCredentials> credentials;
    private final Generations generations;
    private final PhysicalDataSource physical;
    private final Canary canary;
    private final Retirement retirement;
    private final @Nullable ScheduledExecutorService ownHousekeeper;
    private final Registration newest;
    private final Registration proven;
    private final ScheduledFuture<?> storeWatch;

    private RotatingDataSource(
            HikariDataSource pool,
            Rotating<DatabaseCredentials> credentials,
            int maxFailedLogins,
            Duration failedLoginWindow) {
        this.pool = pool;
        this.credentials = credentials;
        String name = credentials.name();
        generations = new Generations(name, new LoginBudget(maxFailedLogins, failedLoginWindow), System::nanoTime);
        physical = new PhysicalDataSource(
                credentials,
                generations,
                pool.getDataSourceProperties(),
                pool::getConnectionTimeout,
                this::connected,
                this::seekFallback,
                System::nanoTime);
        retirement = new Retirement(pool, generations, physical, this::letGo, daemons("dualkey-jdbc " + name));
        canary = new Canary(credentials, generations, physical, pool, failedLoginWindow, pool::isClosed, this::prepare);

        ScheduledExecutorService theirs = pool.getScheduledExecutor();
        ScheduledExecutorService housekeeper = theirs == null ? housekeeper(pool, name) : theirs;
        ownHousekeeper = theirs == null ? housekeeper : null;
        pool.setScheduledExecutor(new Housekeeping(housekeeper, this::lifetimeOfJustMade));
        if (pool.getMaxLifetime() == 0) {
            pool.setMaxLifetime(TEN_YEARS);
        }
        pool.setExceptionOverride(
                new DroppedUserOverride(pool.getExceptionOverride(), generations, this::userWasDropped));
        pool.setUsername(null);
        pool.setPassword(null);
        String url = pool.getJdbcUrl();
        pool.setJdbcUrl(
                url == null || url.isBlank() ? null : DatabaseUrl.parse(url).jdbcUrl());
        pool.setDataSource(physical);

        Rotating<DatabaseCredentials> admitted = credentials.gatedBy(canary);
        generations.setStore(
                () -> admitted.versions().current().isPresent(),
                () -> credentials.versions().current().isEmpty(),
                generation -> isKnown(credentials.versions(), generation));
        newest = credentials.onRotation(version -> generations.wake());
        proven = admitted.onRotation(this::serve);
        storeWatch = housekeeper.scheduleWithFixedDelay(this::followStore, 1, 1, TimeUnit.SECONDS);
    }

    private static boolean isKnown(Versions<DatabaseCredentials> versions, long generation) {
        return versions.accepted().stream().anyMatch(version -> version.generation() == generation)
                || versions.upcoming().stream().anyMatch(version -> version.generation() == generation);
    }

    /**
     * {@return a data source over a pool of its own, made from a configuration} The configuration is copied. The secret
     * is in one of the forms that {@link DatabaseCredentials#parser(String, String)} reads if the configuration has a
     * JDBC URL, else in one that {@link DatabaseCredentials#parser()} reads.
     *
     * @param config the pool's settings; what it says about user and password counts only where the secret does not
     * @param secret the credentials
     */
    public static RotatingDataSource over(HikariConfig config, Rotating<SecretValue> secret) {
        return builder(config, secret).over(config);
    }

    /**
     * {@return a data source placed underneath a pool that has not started yet} Both that pool and what is returned give
     * out its connections. Closing what is returned closes the pool.
     *
     * @param pool the pool; from now on its user and password come from the secret, as in {@link #over}
     * @param secret the credentials
     * @throws IllegalStateException if the pool has started
     */
    public static RotatingDataSource under(HikariDataSource pool, Rotating<SecretValue> secret) {
        Builder.checkNotStarted(pool);
        return builder(pool, secret).under(pool);
    }

    /**
     * {@return a builder, for credentials with a parser of their own and for what is seldom set}
     *
     * @param credentials the credentials
     */
    public static Builder builder(Rotating<DatabaseCredentials> credentials) {
        return new Builder(Objects.requireNonNull(credentials, "credentials"));
    }

    /**
     * {@return a builder, for what is seldom set, where the secret is in one of the forms that {@link #over} reads}
     *
     * @param config the pool's settings, or the pool
     * @param secret the credentials
     */
    public static Builder builder(HikariConfig config, Rotating<SecretValue> secret) {
        Builder.check(config); // before the secret has a handle that nobody would use
        return builder(secret.map(parserFor(config)));
    }

    private static Parser<SecretValue, DatabaseCredentials> parserFor(HikariConfig config) {
        String url = config.getJdbcUrl();
        return url == null || url.isBlank()
                ? new CredentialsParser(null, config.getUsername())
                : DatabaseCredentials.parser(url, config.getUsername());
    }

    /** Builds data sources. Not safe for use by several threads. */
    public static final class Builder {

        private final Rotating<DatabaseCredentials> credentials;
        private int maxFailedLogins = 3;
        private Duration failedLoginWindow = FAILED_LOGIN_WINDOW;

        private Builder(Rotating<DatabaseCredentials> credentials) {
            this.credentials = credentials;
        }

        /**
         * Limits how many logins of an account may fail in 2 minutes, over all versions of its password together and
         * until one succeeds. Set it below the number at which the server locks the account. Default: 3.
         *
         * @param logins at least 1
         * @return this
         */
        public Builder maxFailedLogins(int logins) {
            if (logins < 1) {
                throw new IllegalArgumentException("maxFailedLogins must be at least 1, but is " + logins);
            }
            this.maxFailedLogins = logins;
            return this;
        }

        /** For tests that cannot wait for two minutes. */
        Builder failedLoginWindow(Duration window) {
            this.failedLoginWindow = window;
            return this;
        }

        /**
         * {@return a data source over a pool of its own, see {@link RotatingDataSource#over}}
         *
         * @param config the pool's settings
         */
        public RotatingDataSource over(HikariConfig config) {
            check(config);
            HikariDataSource pool = new HikariDataSource();
            config.copyStateTo(pool);
            return under(pool);
        }

        /**
         * {@return a data source underneath a pool, see {@link RotatingDataSource#under}}
         *
         * @param pool the pool
         * @throws IllegalStateException if the pool has started
         */
        public RotatingDataSource under(HikariDataSource pool) {
            checkNotStarted(pool);
            check(pool);
            return new RotatingDataSource(pool, credentials, maxFailedLogins, failedLoginWindow);
        }

        private static void checkNotStarted(HikariDataSource pool) {
            if (pool.getHikariPoolMXBean() != null || pool.isClosed()) {
                throw new IllegalStateException(
                        "pool '" + pool.getPoolName()
                                + "' has already started: it must be given its rotating credentials before its first connection");
            }
        }

        private static void check(HikariConfig config) {
            if (config.getDataSource() != null
                    || config.getDataSourceClassName() != null
                    || config.getDataSourceJNDI() != null
                    || config.getCredentialsProvider() != null) {
                throw new IllegalArgumentException("the pool's configuration must not have a dataSource,"
                        + " dataSourceClassName, dataSourceJNDI or credentialsProvider: connections are made from the"
                        + " secret, and from jdbcUrl and dataSourceProperties");
            }
        }
    }

    private static ScheduledThreadPoolExecutor housekeeper(HikariDataSource pool, String name) {
        ThreadFactory threads = pool.getThreadFactory();
        ScheduledThreadPoolExecutor executor = new ScheduledThreadPoolExecutor(
                1,
                threads == null ? daemons("dualkey-jdbc " + name + " housekeeper") : threads,
                new ThreadPoolExecutor.DiscardPolicy());
        executor.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        executor.setRemoveOnCancelPolicy(true);
        executor.setKeepAliveTime(5, TimeUnit.SECONDS);
        executor.allowCoreThreadTimeOut(true);
        return executor;
    }

    private static ThreadFactory daemons(String name) {
        return task -> {
            Thread thread = new Thread(task, name);
            thread.setDaemon(true);
            return thread;
        };
    }

    private @Nullable Lifetime lifetimeOfJustMade(Runnable task) {
        Session session = physical.takeJustMade();
        if (session == null) { // then this is another task of the pool's
            return null;
        }
        Lifetime lifetime = new Lifetime(task, physical::canReplace, retirement::wake);
        session.attach(lifetime);
        return lifetime;
    }

    private void connected() {
        if (pool.getMaxLifetime() == 0) {
            pool.setMaxLifetime(TEN_YEARS); // it may have been set again, by JMX
        }
        var unused = generations.staleSessions(); // forgets what is closed
        retirement.wake();
    }

    private void serve(Version<DatabaseCredentials> version) {
        Login login = Login.of(version);
        Login before = generations.serving();
        prepare(login);
        generations.serve(login);
        if (before != null
                && !before.credentials().target().equals(login.credentials().target())) {
            retirement.hurry(); // not two databases for longer than need be
        }
        retirement.wake();
    }

    /** Before the first login is in use. */
    private void prepare(Login login) {
        if (!generations.isReady() && pool.getJdbcUrl() == null && pool.getHikariPoolMXBean() == null) {
            // HikariCP looks in it for what a driver needs; the options may be confidential and are not its business.
            pool.setJdbcUrl(login.credentials().target());
        }
    }

    private boolean seekFallback() {
        return canary.seekFallback();
    }

    /** A version that is withdrawn without a successor, or is in force again, is no rotation: nobody tells. */
    private void followStore() {
        try {
            if (generations.followStore()) {
                retirement.hurry();
            } else if (pool.isClosed() || generations.hasUnfinished()) {
                retirement.wake();
            }
        } catch (Throwable failure) { // an executor never runs a task again that has thrown once
            log.warn(
                    "Following the store of the credentials failed with {}",
                    failure.getClass().getName());
        }
    }

    private void userWasDropped() {
        retirement.hurry(); // closes the connections of old credentials, those in use when they are returned
        physical.askForRefresh();
    }

    @Override
    public Connection getConnection() throws SQLException {
        if (!generations.isReady()) {
            awaitReady();
        }
        return pool.getConnection();
    }

    private void awaitReady() throws SQLException {
        try {
            generations.awaitReady(TimeUnit.MILLISECONDS.toNanos(pool.getConnectionTimeout()));
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new SQLTransientConnectionException("interrupted while waiting for credentials to log in with");
        }
    }

    /** {@return the pool, for its management interface} User and password are not in it. */
    public HikariDataSource pool() {
        return pool;
    }

    /** {@return the name of the secret that holds the credentials} */
    public String secret() {
        return credentials.name();
    }

    /** {@return how things stand, without I/O} */
    public DataSourceStatus status() {
        var unused = generations.staleSessions();
        return generations.status(canary.isHoldingOff());
    }

    /**
     * Calls a listener each time that a version of the credentials enters a phase: becomes current, retires, is
     * released, is safe to drop, or becomes current again by a rollback, which withdraws what was said before. In order,
     * on a thread of its own.
     *
     * @param listener receives how that version stands
     * @return to end the registration
     */
    public Registration onChange(Consumer<? super CredentialStatus> listener) {
        return generations.onChange(Objects.requireNonNull(listener, "listener"), daemons("dualkey-jdbc listener"));
    }

    /** Ends the work for the secret; also when only the pool has been closed. */
    private void letGo() {
        storeWatch.cancel(false);
        canary.close();
        generations.close();
        newest.close();
        proven.close();
    }

    /** Closes the pool as HikariCP does, which aborts what is in use, and lets the secret rotate without it. */
    @Override
    public void close() {
        letGo();
        pool.close();
        retirement.close();
        if (ownHousekeeper != null) {
            ownHousekeeper.shutdownNow();
        }
    }

    /** Not supported: the credentials come from the secret. */
    @Override
    public Connection getConnection(String username, String password) throws SQLException {
        throw new SQLFeatureNotSupportedException("user and password come from the rotating secret");
    }

    @Override
    public @Nullable PrintWriter getLogWriter() throws SQLException {
        return pool.getLogWriter();
    }

    @Override
    public void setLogWriter(@Nullable PrintWriter out) throws SQLException {
        pool.setLogWriter(out);
    }

    @Override
    public void setLoginTimeout(int seconds) throws SQLException {
        pool.setLoginTimeout(seconds);
    }

    @Override
    public int getLoginTimeout() throws SQLException {
        return pool.getLoginTimeout();
    }

    @Override
    public Logger getParentLogger() throws SQLFeatureNotSupportedException {
        return pool.getParentLogger();
    }

    @Override
    public <T> T unwrap(Class<T> type) throws SQLException {
        return type.isInstance(this) ? type.cast(this) : pool.unwrap(type);
    }

    @Override
    public boolean isWrapperFor(Class<?> type) throws SQLException {
        return type.isInstance(this) || pool.isWrapperFor(type);
    }

    /** The pool; nothing secret. */
    @Override
    public String toString() {
        return "RotatingDataSource[" + pool.getPoolName() + "]";
    }
}
