package io.dualkey.secrets.jdbc;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A real PostgreSQL server that asks for passwords (SCRAM), which the embedded one by itself does not. */
final class ScramPostgres implements AutoCloseable {

    private static final String ADMIN_PASSWORD = "admin-password-of-the-test";

    private static @Nullable ScramPostgres shared;

    private final EmbeddedPostgres postgres;

    ScramPostgres() throws IOException, SQLException {
        postgres = EmbeddedPostgres.builder()
                .setServerConfig("logging_collector", "on")
                .setServerConfig("log_directory", "log")
                .setServerConfig("log_filename", "server.log")
                .setServerConfig("max_connections", "120")
                .setServerConfig(
                        "synchronous_commit", "on") // the embedded one turns it off: a crash then forgets roles
                .start();
        try (Connection trusted = postgres.getPostgresDatabase().getConnection();
                Statement statement = trusted.createStatement()) {
            statement.execute("alter user postgres password '" + ADMIN_PASSWORD + "'");
            Path rules = Path.of(text(statement, "select current_setting('hba_file')"));
            Files.write(
                    rules, List.of("host all all 127.0.0.1/32 scram-sha-256", "host all all ::1/128 scram-sha-256"));
            statement.execute("select pg_reload_conf()");
        }
        awaitPasswordsAreChecked();
    }

    /**
     * One for all classes of tests, which takes seconds to start; it ends with the JVM. It has a role {@code app}, which may
     * write and read a table {@code visit}. Roles that log in are each test's own.
     */
    static synchronized ScramPostgres shared() throws IOException, SQLException {
        ScramPostgres server = shared;
        if (server == null) {
            server = new ScramPostgres();
            server.admin("create role app nologin");
            server.createTableIn("postgres");
            shared = server;
        }
        return server;
    }

    void createTableIn(String database) throws SQLException {
        adminIn(
                database,
                "create table visit (id bigserial primary key, note text not null)",
                "grant select, insert on visit to app",
                "grant usage on sequence visit_id_seq to app");
    }

    private void awaitPasswordsAreChecked() {
        org.awaitility.Awaitility.await().until(() -> {
            try (Connection connection = connect("postgres", "wrong")) {
                return connection.isClosed();
            } catch (SQLException refused) {
                return "28P01".equals(refused.getSQLState());
            }
        });
    }

    int port() {
        return postgres.getPort();
    }

    /** Kills one of the server's processes: it then ends all sessions, recovers, and starts anew. */
    void crash() throws SQLException {
        try (Connection connection = adminConnection();
                Statement statement = connection.createStatement()) {
            long pid = Long.parseLong(text(statement, "select pg_backend_pid()"));
            ProcessHandle.of(pid).orElseThrow().destroyForcibly();
        }
        org.awaitility.Awaitility.await()
                .atMost(java.time.Duration.ofSeconds(30))
                .ignoreExceptions()
                .until(() -> adminCount("select 1") == 1);
    }

    String url() {
        return "jdbc:postgresql://localhost:" + postgres.getPort() + "/postgres";
    }

    /** The secret in the form that is seen most in the field. */
    String secret(String user, String password) {
        return "postgresql://" + user + ":" + password + "@localhost:" + postgres.getPort()
                + "/postgres?ApplicationName=app";
    }

    Connection connect(String user, String password) throws SQLException {
        return DriverManager.getConnection(url(), user, password);
    }

    void admin(String... statements) throws SQLException {
        adminIn("postgres", statements);
    }

    void adminIn(String database, String... statements) throws SQLException {
        try (Connection connection = DriverManager.getConnection(
                        url().replaceFirst("postgres$", database), "postgres", ADMIN_PASSWORD);
                Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }

    long adminCount(String query) throws SQLException {
        try (Connection connection = connect("postgres", ADMIN_PASSWORD);
                Statement statement = connection.createStatement()) {
            return Long.parseLong(text(statement, query));
        }
    }

    Connection adminConnection() throws SQLException {
        return connect("postgres", ADMIN_PASSWORD);
    }

    /** How many logins of a user the server has refused for their password, by its own log. */
    long refusedLogins(String user) throws SQLException {
        return adminCount("select count(*) from regexp_matches(pg_read_file('log/server.log'),"
                + " 'password authentication failed for user \"" + user + "\"', 'g')");
    }

    long sessions(String user) throws SQLException {
        return adminCount("select count(*) from pg_stat_activity where usename = '" + user + "'");
    }

    private static String text(Statement statement, String query) throws SQLException {
        try (ResultSet rows = statement.executeQuery(query)) {
            rows.next();
            return rows.getString(1);
        }
    }

    @Override
    public void close() throws IOException {
        postgres.close();
    }
}
