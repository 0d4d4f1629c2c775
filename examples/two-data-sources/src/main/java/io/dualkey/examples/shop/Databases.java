package io.dualkey.examples.shop;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Properties;
import java.util.concurrent.locks.LockSupport;
import org.postgresql.PGConnection;

/**
 * A PostgreSQL server on the loopback interface with a database of orders and one for reporting, and its administrator. Logins
 * need passwords. The tables of a database belong to a role that nobody logs in as, so that users come and go without them.
 * Safe for use by several threads.
 */
final class Databases implements AutoCloseable {

    private static final String ADMIN = "postgres";
    private static final SecureRandom RANDOM = new SecureRandom();

    private final EmbeddedPostgres server;
    private final String adminPassword = password();

    private Databases(EmbeddedPostgres server) {
        this.server = server;
    }

    static Databases start() throws IOException, SQLException {
        Databases databases = new Databases(EmbeddedPostgres.builder()
                .setServerConfig("listen_addresses", "127.0.0.1")
                .setServerConfig("password_encryption", "scram-sha-256")
                .start());
        try {
            databases.requirePasswords();
            for (String database : new String[] {"orders", "reporting"}) {
                databases.admin(
                        ADMIN,
                        "create role " + database + "_owner nologin",
                        "create database " + database + " owner " + database + "_owner");
            }
            databases.admin("reporting", "set role reporting_owner", "create table sale (amount integer not null)");
            return databases;
        } catch (IOException | SQLException | RuntimeException failure) {
            databases.close();
            throw failure;
        }
    }

    /** The server comes up trusting everybody on this machine. */
    private void requirePasswords() throws IOException, SQLException {
        try (Connection trusted = server.getPostgresDatabase().getConnection();
                Statement statement = trusted.createStatement()) {
            setPassword(trusted, ADMIN, adminPassword);
            Path rules;
            try (ResultSet row = statement.executeQuery("select current_setting('hba_file')")) {
                row.next();
                rules = Path.of(row.getString(1));
            }
            Files.writeString(rules, "host all all 127.0.0.1/32 scram-sha-256\n");
            statement.execute("select pg_reload_conf()");
        }
        long deadline = System.nanoTime() + Duration.ofSeconds(10).toNanos();
        while (!refusesWrongPassword()) { // the server reads its rules again in its own time
            if (System.nanoTime() > deadline) {
                throw new IllegalStateException("PostgreSQL goes on trusting everybody");
            }
            LockSupport.parkNanos(Duration.ofMillis(20).toNanos());
        }
    }

    private boolean refusesWrongPassword() {
        try {
            connect(ADMIN, password()).close();
            return false;
        } catch (SQLException refused) {
            return "28P01".equals(refused.getSQLState());
        }
    }

    /**
     * Creates a user that works with the tables of a database.
     *
     * @return the URL to log in with, as it is written to a secret
     */
    String createUser(String database, String user) throws SQLException {
        String password = password();
        admin(
                ADMIN,
                "create role " + user + " login in role " + database + "_owner",
                "alter role " + user + " set role " + database + "_owner");
        try (Connection admin = connect(ADMIN, adminPassword)) {
            setPassword(admin, user, password);
        }
        return "postgresql://" + user + ":" + password + "@127.0.0.1:" + server.getPort() + "/" + database;
    }

    void dropUser(String user) throws SQLException {
        admin(ADMIN, "drop role " + user);
    }

    private static void setPassword(Connection admin, String user, String password) throws SQLException {
        // What is sent is made from the password, and is not the password.
        admin.unwrap(PGConnection.class).alterUserPassword(user, password.toCharArray(), "scram-sha-256");
    }

    private void admin(String database, String... statements) throws SQLException {
        try (Connection admin = connect(database, adminPassword);
                Statement statement = admin.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }

    private Connection connect(String database, String password) throws SQLException {
        Properties login = new Properties();
        login.setProperty("user", ADMIN);
        login.setProperty("password", password);
        return DriverManager.getConnection("jdbc:postgresql://127.0.0.1:" + server.getPort() + "/" + database, login);
    }

    private static String password() {
        byte[] random = new byte[16];
        RANDOM.nextBytes(random);
        return HexFormat.of().formatHex(random);
    }

    @Override
    public void close() throws IOException {
        server.close();
    }
}
