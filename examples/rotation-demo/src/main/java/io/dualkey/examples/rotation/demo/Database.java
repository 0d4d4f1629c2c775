package io.dualkey.examples.rotation.demo;

import io.zonky.test.db.postgres.embedded.DefaultPostgresBinaryResolver;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Properties;
import java.util.stream.Stream;
import org.postgresql.PGConnection;

/**
 * A PostgreSQL server of our own on the loopback interface, and its administrator. Every login needs a password and is
 * made with SCRAM; that this is so is proven before anything else. Passwords never appear in a statement, only their
 * SCRAM verifiers do. Safe for use by several threads.
 */
final class Database implements AutoCloseable {

    private static final String ADMIN = "postgres";
    private static final String NAME = "guestbook";
    private static final String INVALID_PASSWORD = "28P01";

    private final EmbeddedPostgres server;
    private final Path logs;
    private final String adminPassword;

    private Database(EmbeddedPostgres server, Path logs, String adminPassword) {
        this.server = server;
        this.logs = logs;
        this.adminPassword = adminPassword;
    }

    /**
     * Starts a server whose files are all in a directory, with the service's table in it.
     *
     * @throws IllegalStateException if the server lets in somebody with a wrong password
     */
    static Database start(Path directory, String adminPassword) throws IOException, SQLException {
        Path logs = directory.resolve("log");
        EmbeddedPostgres server = EmbeddedPostgres.builder()
                .setOverrideWorkingDirectory(directory.resolve("bin").toFile())
                .setDataDirectory(directory.resolve("data"))
                .setCleanDataDirectory(false)
                .setRegisterShutdownHook(false)
                // One binary resolver for each server: the binaries are unpacked anew for each resolver.
                .setPgBinaryResolver((system, architecture) ->
                        DefaultPostgresBinaryResolver.INSTANCE.getPgBinary(system, architecture))
                .setServerConfig("listen_addresses", "127.0.0.1")
                .setServerConfig("password_encryption", "scram-sha-256")
                .setServerConfig("logging_collector", "on")
                .setServerConfig("log_directory", logs.toString())
                .setServerConfig("log_file_mode", "0600")
                .setPGStartupWait(Duration.ofSeconds(60))
                .start();
        Database database = new Database(server, logs, adminPassword);
        try {
            database.requirePasswords();
            database.createTable();
        } catch (IOException | SQLException | RuntimeException failure) {
            database.close();
            throw failure;
        }
        return database;
    }

    /** The server comes up trusting everybody on this machine. */
    private void requirePasswords() throws IOException, SQLException {
        try (Connection trusted = server.getPostgresDatabase().getConnection();
                Statement statement = trusted.createStatement()) {
            changePassword(trusted, ADMIN, adminPassword);
            Path rules;
            try (ResultSet result = statement.executeQuery("select current_setting('hba_file')")) {
                result.next();
                rules = Path.of(result.getString(1));
            }
            Files.writeString(rules, """
                    local all all scram-sha-256
                    host all all 127.0.0.1/32 scram-sha-256
                    host all all ::1/128 scram-sha-256
                    """);
            statement.execute("select pg_reload_conf()");
            statement.execute("create database " + NAME);
        }
        // The server reads its rules again in its own time.
        Eventually.until(Duration.ofSeconds(10), "PostgreSQL refuses wrong passwords", this::refusesWrongPassword);
    }

    private boolean refusesWrongPassword() {
        try {
            connect(ADMIN, Generated.password()).close();
            return false;
        } catch (SQLException refused) {
            return INVALID_PASSWORD.equals(refused.getSQLState());
        }
    }

    private void createTable() throws SQLException {
        asAdmin("""
                create table entry (
                    id bigint generated always as identity primary key,
                    visitor text not null,
                    at timestamptz not null default now())
                """, "create index on entry (visitor, id desc)", "revoke all on schema public from public");
    }

    /** Creates a user that may do what the service does. */
    void createUser(String user, String password) throws SQLException {
        try (Connection admin = connect(ADMIN, adminPassword);
                Statement statement = admin.createStatement()) {
            statement.execute("create role " + user + " login");
            statement.execute("grant usage on schema public to " + user);
            statement.execute("grant select, insert on entry to " + user);
            changePassword(admin, user, password);
        }
    }

    void changePassword(String user, String password) throws SQLException {
        try (Connection admin = connect(ADMIN, adminPassword)) {
            changePassword(admin, user, password);
        }
    }

    private static void changePassword(Connection admin, String user, String password) throws SQLException {
        admin.unwrap(PGConnection.class).alterUserPassword(user, password.toCharArray(), "scram-sha-256");
    }

    /** Without the first statement the second fails: the user has been granted rights on the table. */
    void dropUser(String user) throws SQLException {
        asAdmin("drop owned by " + user, "drop role " + user);
    }

    /** {@return how many sessions the server has of a user} */
    int sessions(String user) throws SQLException {
        try (Connection admin = connect(ADMIN, adminPassword);
                PreparedStatement statement =
                        admin.prepareStatement("select count(*) from pg_stat_activity where usename = ?")) {
            statement.setString(1, user);
            try (ResultSet result = statement.executeQuery()) {
                result.next();
                return result.getInt(1);
            }
        }
    }

    /** {@return how many logins of the service's users the server has refused, by its own log, which may lag a little} */
    long refusedLogins() throws IOException {
        long refused = 0;
        try (Stream<Path> files = Files.list(logs)) {
            for (Path file : files.toList()) {
                try (BufferedReader lines = Files.newBufferedReader(file, StandardCharsets.ISO_8859_1)) {
                    refused += lines.lines()
                            .filter(line -> line.contains("password authentication failed for user \"app_"))
                            .count();
                }
            }
        }
        return refused;
    }

    String version() throws SQLException {
        try (Connection admin = connect(ADMIN, adminPassword)) {
            return admin.getMetaData().getDatabaseProductVersion();
        }
    }

    int port() {
        return server.getPort();
    }

    /** {@return the URL that an operator writes to the secret} */
    String url(String user, String password) {
        return "postgresql://" + user + ":" + URLEncoder.encode(password, StandardCharsets.UTF_8) + "@127.0.0.1:"
                + server.getPort() + "/" + NAME;
    }

    private void asAdmin(String... statements) throws SQLException {
        try (Connection admin = connect(ADMIN, adminPassword);
                Statement statement = admin.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }

    private Connection connect(String user, String password) throws SQLException {
        Properties properties = new Properties();
        properties.setProperty("user", user);
        properties.setProperty("password", password);
        properties.setProperty("connectTimeout", "5");
        properties.setProperty("socketTimeout", "10");
        properties.setProperty("ApplicationName", "operator");
        return DriverManager.getConnection("jdbc:postgresql://127.0.0.1:" + server.getPort() + "/" + NAME, properties);
    }

    @Override
    public void close() throws IOException {
        server.close();
    }
}
