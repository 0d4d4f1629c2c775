package io.dualkey.secrets.spring;

import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * What is configured under {@code dualkey.jdbc}. Safe for use by several threads.
 *
 * @param secret Name of the secret that the connection pool logs in with. It is a database URL with user and password, or
 *     JSON as Amazon RDS writes it; with spring.datasource.url and spring.datasource.username also a password alone.
 * @param maxFailedLogins How many logins of one user may fail within two minutes before no more are made, so that the
 *     database does not lock the account. Less than the database's own limit.
 */
@ConfigurationProperties("dualkey.jdbc")
public record DualkeyJdbcProperties(
        @Nullable String secret, @DefaultValue("3") int maxFailedLogins) {}
