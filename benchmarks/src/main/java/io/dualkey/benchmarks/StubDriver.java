package io.dualkey.benchmarks;

import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.Driver;
import java.sql.DriverManager;
import java.sql.DriverPropertyInfo;
import java.sql.SQLException;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.logging.Logger;

/** A driver of no database, so that the pool alone is measured. A login takes as long as it is told to. */
final class StubDriver implements Driver {

    static final String URL = "jdbc:stub://db/x";

    private final AtomicInteger open = new AtomicInteger();
    private final AtomicInteger mostOpen = new AtomicInteger();
    private volatile long loginNanos;

    static StubDriver register() {
        StubDriver driver = new StubDriver();
        try {
            DriverManager.registerDriver(driver);
        } catch (SQLException failure) {
            throw new IllegalStateException(failure);
        }
        return driver;
    }

    void setLoginNanos(long nanos) {
        loginNanos = nanos;
    }

    /** Returns the largest number of connections that were open at one time since the last call. */
    int takeMostOpen() {
        return mostOpen.getAndSet(open.get());
    }

    @Override
    public boolean acceptsURL(String url) {
        return url.startsWith("jdbc:stub:");
    }

    @Override
    public Connection connect(String url, Properties info) {
        long until = System.nanoTime() + loginNanos;
        for (long left = loginNanos; left > 0; left = until - System.nanoTime()) {
            LockSupport.parkNanos(left);
        }
        mostOpen.accumulateAndGet(open.incrementAndGet(), Math::max);
        AtomicBoolean closed = new AtomicBoolean();
        return (Connection) Proxy.newProxyInstance(
                StubDriver.class.getClassLoader(),
                new Class<?>[] {Connection.class},
                (proxy, method, arguments) -> switch (method.getName()) {
                    case "close", "abort" -> {
                        if (closed.compareAndSet(false, true)) {
                            open.decrementAndGet();
                        }
                        yield null;
                    }
                    case "isClosed" -> closed.get();
                    case "isValid", "getAutoCommit" -> !closed.get();
                    case "getTransactionIsolation" -> Connection.TRANSACTION_READ_COMMITTED;
                    case "getSchema", "toString" -> info.getProperty("user");
                    case "hashCode" -> System.identityHashCode(proxy);
                    case "equals" -> proxy == arguments[0];
                    case "isReadOnly" -> false;
                    case "getNetworkTimeout" -> 0;
                    default -> null;
                });
    }

    @Override
    public DriverPropertyInfo[] getPropertyInfo(String url, Properties info) {
        return new DriverPropertyInfo[0];
    }

    @Override
    public int getMajorVersion() {
        return 1;
    }

    @Override
    public int getMinorVersion() {
        return 0;
    }

    @Override
    public boolean jdbcCompliant() {
        return false;
    }

    @Override
    public Logger getParentLogger() {
        return Logger.getGlobal();
    }
}
