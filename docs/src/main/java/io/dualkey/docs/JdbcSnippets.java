package io.dualkey.docs;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.dualkey.secrets.Registration;
import io.dualkey.secrets.Rotating;
import io.dualkey.secrets.RotatingSecret;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.jdbc.CredentialPhase;
import io.dualkey.secrets.jdbc.DatabaseCredentials;
import io.dualkey.secrets.jdbc.RotatingDataSource;
import java.util.function.Consumer;

/** The code of {@code docs/jdbc.md}; a test runs it and compares it with the page. */
final class JdbcSnippets {

    private JdbcSnippets() {}

    static RotatingDataSource over(SecretSource secrets) {
        // snippet: over
        var hikariConfig = new HikariConfig();
        hikariConfig.setMaximumPoolSize(20);
        var database = RotatingDataSource.over(hikariConfig, secrets.secret("database-url"));
        // end
        return database;
    }

    static RotatingDataSource under(SecretSource secrets, HikariDataSource existingPool) {
        // snippet: under
        var database = RotatingDataSource.under(existingPool, secrets.secret("database-url"));
        // end
        return database;
    }

    static Rotating<DatabaseCredentials> composed(SecretSource secrets) {
        // snippet: composed
        RotatingSecret two = secrets.composed("database-url", "postgresql://{db-user}:{db-password}@db:5432/shop");
        RotatingSecret members = secrets.composed("reporting-url", "mysql://{creds#login}:{creds#secret}@db:3306/shop");
        // end
        members.map(DatabaseCredentials.parser());
        return two.map(DatabaseCredentials.parser());
    }

    static RotatingDataSource limited(Rotating<DatabaseCredentials> credentials, HikariConfig hikariConfig) {
        // snippet: limited
        var database = RotatingDataSource.builder(credentials)
                .maxFailedLogins(2) // the server locks the account at the third
                .over(hikariConfig);
        // end
        return database;
    }

    static Registration safeToDrop(RotatingDataSource database, Consumer<String> tellTheOperator) {
        // snippet: safe-to-drop
        Registration registration = database.onChange(change -> {
            if (change.phase() == CredentialPhase.SAFE_TO_DROP) {
                tellTheOperator.accept("drop role " + change.user());
            }
        });

        boolean now = database.status().isSafeToDrop("app_v1"); // or ask, when it suits you
        // end
        return now ? () -> {} : registration;
    }
}
