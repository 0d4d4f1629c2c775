package io.dualkey.examples.plain;

import static io.dualkey.secrets.jwt.KeyFormat.BASE64;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.zaxxer.hikari.HikariConfig;
import io.dualkey.secrets.DirectoryStore;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.jdbc.DataSourceStatus;
import io.dualkey.secrets.jdbc.RotatingDataSource;
import io.dualkey.secrets.jwt.JwtVerifier;
import io.dualkey.secrets.jwt.VerifiedJwt;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Shows people their notes: {@code GET /notes} with a bearer token. The key of tokens and the login at the database are files
 * in a directory, and follow what is written there. Nothing below the constructor knows that they do.
 */
public final class NotesService implements AutoCloseable {

    static final String ISSUER = "https://login.example.com";
    static final String AUDIENCE = "notes";

    private static final Logger log = LoggerFactory.getLogger(NotesService.class);

    private final SecretSource secrets;
    private final JwtVerifier verifier;
    private final RotatingDataSource database;
    private final ExecutorService workers = Executors.newFixedThreadPool(8);
    private @Nullable HttpServer server;

    /**
     * A service that has not been started.
     *
     * @param directory has the files {@code jwt-key} (32 random bytes in base64) and {@code database-login} (JSON with {@code
     *     username} and {@code password})
     * @param jdbcUrl the database, without user and password
     */
    public NotesService(Path directory, String jdbcUrl) {
        secrets = SecretSource.from(DirectoryStore.at(directory));
        verifier = JwtVerifier.hs256(secrets.secret("jwt-key"), BASE64)
                .issuer(ISSUER)
                .audience(AUDIENCE)
                .build();
        HikariConfig pool = new HikariConfig();
        pool.setJdbcUrl(jdbcUrl);
        pool.setMaximumPoolSize(8);
        database = RotatingDataSource.over(pool, secrets.secret("database-login"));
    }

    /**
     * Loads the secrets, then opens the port. If a secret is missing, the exception says which, where it was looked for, and
     * what to do.
     *
     * @param port the port on the loopback, or 0 for any that is free
     * @return the port
     */
    public int start(int port) throws IOException {
        secrets.start(Duration.ofSeconds(10));
        HttpServer opened = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
        server = opened;
        opened.setExecutor(workers);
        opened.createContext("/notes", new TokenFilter(verifier, this::notes));
        opened.start();
        return opened.getAddress().getPort();
    }

    private void notes(HttpExchange exchange, VerifiedJwt token) throws IOException {
        if (!exchange.getRequestMethod().equals("GET")) {
            exchange.sendResponseHeaders(405, -1);
            return;
        }
        byte[] answer;
        try {
            answer = notesOf(token.subject().orElse("")).getBytes(StandardCharsets.UTF_8);
        } catch (SQLException failure) { // the message may quote what the caller should not see
            log.warn("Reading notes failed: {}, SQLState {}", failure.getClass().getName(), failure.getSQLState());
            exchange.sendResponseHeaders(500, -1);
            return;
        }
        exchange.getResponseHeaders().set("Content-Type", "text/plain; charset=utf-8");
        if (answer.length == 0) {
            exchange.sendResponseHeaders(200, -1); // nothing may be written then, not even nothing
            return;
        }
        exchange.sendResponseHeaders(200, answer.length);
        exchange.getResponseBody().write(answer);
    }

    private String notesOf(String owner) throws SQLException {
        try (Connection connection = database.getConnection();
                PreparedStatement select =
                        connection.prepareStatement("select text from notes where owner = ? order by id limit 100")) {
            select.setString(1, owner);
            StringBuilder notes = new StringBuilder();
            try (ResultSet found = select.executeQuery()) {
                while (found.next()) {
                    notes.append(found.getString(1)).append('\n');
                }
            }
            return notes.toString();
        }
    }

    /** {@return which logins at the database are in use, for whoever wants to drop an old user} */
    public DataSourceStatus databaseStatus() {
        return database.status();
    }

    /** Takes no more requests, lets those under way end for up to a second, and closes what it opened. */
    @Override
    public void close() {
        if (server != null) {
            server.stop(1);
        }
        workers.shutdown();
        database.close();
        secrets.close();
    }
}
