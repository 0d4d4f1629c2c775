package io.dualkey.secrets.spring;

import com.zaxxer.hikari.HikariDataSource;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.UnusableSecretException;
import io.dualkey.secrets.jdbc.DatabaseCredentials;
import io.dualkey.secrets.jdbc.RotatingDataSource;
import javax.sql.DataSource;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.jdbc.autoconfigure.DataSourceAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.DataSourceProperties;
import org.springframework.boot.jdbc.autoconfigure.JdbcConnectionDetails;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/**
 * Auto-configuration that lets the application's HikariCP pool, normally the one that Spring Boot makes, log in with a secret
 * that rotates. It comes before Spring Boot's, which then needs no {@code spring.datasource.url}.
 */
@AutoConfiguration(after = SecretsAutoConfiguration.class, before = DataSourceAutoConfiguration.class)
@ConditionalOnClass({RotatingDataSource.class, HikariDataSource.class})
@ConditionalOnProperty("dualkey.jdbc.secret")
@ConditionalOnMissingBean(RotatingDataSource.class)
@EnableConfigurationProperties(DualkeyJdbcProperties.class)
public final class DatabaseSecretAutoConfiguration {

    DatabaseSecretAutoConfiguration() {}

    @Bean
    static PoolPostProcessor dualkeyPoolPostProcessor(
            ObjectProvider<SecretSource> sources,
            ObjectProvider<DatabaseSecret> secrets,
            ObjectProvider<DualkeyProperties> properties,
            ObjectProvider<DualkeyJdbcProperties> settings) {
        return new PoolPostProcessor(sources, secrets, properties, settings);
    }

    /** Where Spring Boot makes the pool; one that the application makes itself brings its own URL or none. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(JdbcConnectionDetails.class)
    @ConditionalOnMissingBean({DataSource.class, JdbcConnectionDetails.class})
    static class PoolOfSpringBoot {

        @Bean
        DatabaseSecret dualkeyDatabaseSecret(
                DualkeyJdbcProperties settings,
                DualkeyProperties properties,
                ObjectProvider<DataSourceProperties> configured) {
            String name = properties.resolve(settings.secret());
            DataSourceProperties datasource = configured.getIfAvailable();
            if (datasource == null || datasource.getUrl() == null) {
                return new DatabaseSecret(name, DatabaseCredentials.parser());
            }
            try {
                return new DatabaseSecret(
                        name, DatabaseCredentials.parser(datasource.getUrl(), datasource.getUsername()));
            } catch (UnusableSecretException unusable) {
                throw new MisconfigurationException(
                        "spring.datasource.url cannot be used with dualkey.jdbc.secret: " + unusable.getMessage() + ".",
                        "Correct the URL, or remove it if the secret has one.");
            }
        }

        @Bean
        JdbcConnectionDetails dualkeyJdbcConnectionDetails(
                DatabaseSecret secret, SecretSource source, DualkeyProperties properties) {
            var credentials = secret.credentials(source);
            source.start(properties.startupTimeout());
            return new DatabaseSecret.UrlAlone(credentials.current().target());
        }
    }
}
