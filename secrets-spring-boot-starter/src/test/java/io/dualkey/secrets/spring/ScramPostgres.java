package io.dualkey.secrets.spring;

import static org.awaitility.Awaitility.await;

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

/** A real PostgreSQL server that asks for passwords (SCRAM), which the embedded one by itself does not. */
final class ScramPostgres implements AutoCloseable {

    private static final String ADMIN_PASSWORD = "admin-password-of-the-test";

    private final EmbeddedPostgres postgres;

    ScramPostgres() throws IOException, SQLException {
        postgres = EmbeddedPostgres.start();
        try (Connection trusted = postgres.getPostgresDatabase().getConnection();
                Statement statement = trusted.createStatement()) {
            statement.execute("alter user postgres password '" + ADMIN_PASSWORD + "'");
            try (ResultSet row = statement.executeQuery("select current_setting('hba_file')")) {
                row.next();
                Files.write(
                        Path.of(row.getString(1)),
                        List.of("host all all 127.0.0.1/32 scram-sha-256", "host all all ::1/128 scram-sha-256"));
            }
            statement.execute("select pg_reload_conf()");
        }
        await().until(() -> isRefused("wrong"));
    }

    private boolean isRefused(String password) {
        try (Connection connection = connect(password)) {
            return connection.isClosed();
        } catch (SQLException refused) {
            return "28P01".equals(refused.getSQLState());
        }
    }

    /** The secret in the form that is seen most in the field. */
    String url(String user, String password) {
        return "postgresql://" + user + ":" + password + "@localhost:" + postgres.getPort() + "/postgres";
    }

    void admin(String... statements) throws SQLException {
        try (Connection connection = connect(ADMIN_PASSWORD);
                Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }

    private Connection connect(String password) throws SQLException {
        return DriverManager.getConnection(
                "jdbc:postgresql://localhost:" + postgres.getPort() + "/postgres", "postgres", password);
    }

    @Override
    public void close() throws IOException {
        postgres.close();
    }
}
