package io.dualkey.secrets.spring;

import io.dualkey.secrets.Parser;
import io.dualkey.secrets.Rotating;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.SecretValue;
import io.dualkey.secrets.jdbc.DatabaseCredentials;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.jdbc.autoconfigure.JdbcConnectionDetails;

/** The handle on the database's credentials, and what Spring Boot needs of them to make its pool: the URL alone. */
final class DatabaseSecret implements SecretHandles {

    private final String property;
    private final @Nullable String name;
    private final Parser<SecretValue, DatabaseCredentials> parser;
    private @Nullable Rotating<DatabaseCredentials> credentials;

    /**
     * Makes one.
     *
     * @param property the property that names the secret, for messages
     */
    DatabaseSecret(String property, @Nullable String name, Parser<SecretValue, DatabaseCredentials> parser) {
        this.property = property;
        this.name = name;
        this.parser = parser;
    }

    @Override
    public void makeFrom(SecretSource source) {
        var unused = credentials(source);
    }

    synchronized Rotating<DatabaseCredentials> credentials(SecretSource source) {
        Rotating<DatabaseCredentials> known = credentials;
        if (known == null) {
            known = NamedSecret.of(source, property, name).map(parser);
            credentials = known;
        }
        return known;
    }

    /**
     * Connection details without user and password: a pool that holds none can show none. The URL lacks its options, which
     * may be confidential too.
     *
     * @param url the JDBC URL
     */
    record UrlAlone(String url) implements JdbcConnectionDetails {

        @Override
        public String getJdbcUrl() {
            return url;
        }

        @Override
        public @Nullable String getUsername() {
            return null;
        }

        @Override
        public @Nullable String getPassword() {
            return null;
        }
    }
}
