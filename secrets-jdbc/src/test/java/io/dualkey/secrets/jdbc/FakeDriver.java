package io.dualkey.secrets.jdbc;

import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.Driver;
import java.sql.DriverManager;
import java.sql.DriverPropertyInfo;
import java.sql.SQLException;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.logging.Logger;

/** A driver whose logins a test holds up or refuses. */
final class FakeDriver implements Driver, AutoCloseable {

    /** What happens during a login. */
    interface OnLogin {
        void login(String user) throws SQLException;
    }

    /** What happens during a login, if the password matters. */
    interface OnCredentials {
        void login(String user, String password) throws SQLException;
    }

    private final String prefix;
    private final OnCredentials onLogin;

    FakeDriver(String name, OnLogin onLogin) throws SQLException {
        this(name, (user, password) -> onLogin.login(user));
    }

    FakeDriver(String name, OnCredentials onLogin) throws SQLException {
        this.prefix = "jdbc:" + name + ":";
        this.onLogin = onLogin;
        DriverManager.registerDriver(this);
    }

    @Override
    public boolean acceptsURL(String url) {
        return url.startsWith(prefix);
    }

    @Override
    public Connection connect(String url, Properties info) throws SQLException {
        String user = info.getProperty("user");
        onLogin.login(user, info.getProperty("password"));
        AtomicBoolean closed = new AtomicBoolean();
        return (Connection) Proxy.newProxyInstance(
                FakeDriver.class.getClassLoader(),
                new Class<?>[] {Connection.class},
                (proxy, method, arguments) -> switch (method.getName()) {
                    case "close", "abort" -> {
                        closed.set(true);
                        yield null;
                    }
                    case "isClosed" -> closed.get();
                    case "isValid", "getAutoCommit" -> !closed.get();
                    case "getTransactionIsolation" -> Connection.TRANSACTION_READ_COMMITTED;
                    case "getSchema", "toString" -> user;
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

    @Override
    public void close() throws SQLException {
        DriverManager.deregisterDriver(this);
    }
}
