package io.dualkey.secrets.spring;

import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;

/**
 * What is configured under {@code dualkey.jdbc}. Safe for use by several threads.
 *
 * @param secret Name of the secret that the connection pool logs in with. It is a database URL with user and password, or
 *     JSON as Amazon RDS writes it; with spring.datasource.url and spring.datasource.username also a password alone.
 */
@ConfigurationProperties("dualkey.jdbc")
public record DualkeyJdbcProperties(@Nullable String secret) {

    /** The name of the secret, where the configuration is such that there must be one. */
    String requiredSecret() {
        if (secret == null || secret.isBlank()) {
            throw new MisconfigurationException(
                    "dualkey.jdbc.secret is blank.", "Set it to the name of a secret, or remove it.");
        }
        return secret;
    }
}
