package io.dualkey.secrets.jdbc;

import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.sql.Statement;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicBoolean;

/** A driver whose logins a test holds up or refuses. */
final class FakeDriver extends TestDriver {

    /** What happens during a login. */
    interface OnLogin {
        void login(String user) throws SQLException;
    }

    /** What happens during a login, if the password matters. */
    interface OnCredentials {
        void login(String user, String password) throws SQLException;
    }

    private final OnCredentials onLogin;
    private volatile OnLogin onSetSchema = user -> {};

    FakeDriver(String name, OnLogin onLogin) throws SQLException {
        this(name, (user, password) -> onLogin.login(user));
    }

    FakeDriver(String name, OnCredentials onLogin) throws SQLException {
        super(name);
        this.onLogin = onLogin;
    }

    /** What happens when the pool sets the schema of a connection, as it does only where one is configured. */
    void onSetSchema(OnLogin action) {
        onSetSchema = action;
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
                    case "setSchema" -> {
                        onSetSchema.login(user);
                        yield null;
                    }
                    case "createStatement" -> statement();
                    case "isReadOnly" -> false;
                    case "getNetworkTimeout" -> 0;
                    default -> null;
                });
    }

    /** Runs anything, and cannot limit the time of it: an optional feature of drivers. */
    private static Statement statement() {
        return (Statement) Proxy.newProxyInstance(
                FakeDriver.class.getClassLoader(),
                new Class<?>[] {Statement.class},
                (proxy, method, arguments) -> switch (method.getName()) {
                    case "setQueryTimeout" -> throw new SQLFeatureNotSupportedException();
                    case "execute" -> false;
                    default -> null;
                });
    }
}
