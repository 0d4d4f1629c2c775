package io.dualkey.secrets.spring;

import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * What is configured under {@code dualkey.jdbc}. Safe for use by several threads.
 *
 * @param secret Name of the secret that the connection pool logs in with: the only one, or of several the primary one. It is a
 *     database URL with user and password, or JSON as Amazon RDS writes it; with spring.datasource.url and
 *     spring.datasource.username also a password alone.
 * @param dataSources The secrets of further data sources, by the names of their beans. Beans that are not named stay as they are.
 * @param maxFailedLogins How many logins of one user may fail within two minutes before no more are made, so that the
 *     database does not lock the account. Less than the database's own limit.
 */
@ConfigurationProperties("dualkey.jdbc")
public record DualkeyJdbcProperties(
        @Nullable String secret,
        @DefaultValue Map<String, DataSource> dataSources,
        @DefaultValue("3") int maxFailedLogins) {

    /**
     * What one data source logs in with.
     *
     * @param secret Name of the secret, in one of the forms that dualkey.jdbc.secret may have.
     * @param maxFailedLogins In place of dualkey.jdbc.max-failed-logins, where this database locks accounts sooner or later.
     */
    public record DataSource(
            @Nullable String secret, @Nullable Integer maxFailedLogins) {}
}
