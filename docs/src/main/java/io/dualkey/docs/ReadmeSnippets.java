package io.dualkey.docs;

import static io.dualkey.secrets.jwt.KeyFormat.BASE64;

import com.zaxxer.hikari.HikariConfig;
import io.dualkey.secrets.DirectoryStore;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.jdbc.RotatingDataSource;
import io.dualkey.secrets.jwt.JwtVerifier;
import io.dualkey.secrets.jwt.VerifiedJwt;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;

/** The code of {@code README.md}; a test compares it with the page. */
final class ReadmeSnippets {

    private ReadmeSnippets() {}

    static String plain(Path directory, HikariConfig hikariConfig, String token) throws SQLException {
        // snippet: plain
        var secrets = SecretSource.from(DirectoryStore.at(directory)); // or any other store
        var verifier = JwtVerifier.hs256(secrets.secret("jwt-key"), BASE64)
                .issuer("https://login.example.com")
                .audience("web")
                .build();
        var database = RotatingDataSource.over(hikariConfig, secrets.secret("database-url"));
        secrets.start(Duration.ofSeconds(10)); // one exception names all that is missing or unusable

        VerifiedJwt jwt = verifier.verify(token); // the current key or the previous one
        Connection connection = database.getConnection(); // moves to new credentials by itself
        // end
        try (connection;
                database;
                secrets) {
            return jwt.subject() + " " + connection.getMetaData().getUserName();
        }
    }
}
