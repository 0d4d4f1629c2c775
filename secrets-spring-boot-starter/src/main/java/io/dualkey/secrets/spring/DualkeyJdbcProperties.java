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
public record DualkeyJdbcProperties(@Nullable String secret) {}
