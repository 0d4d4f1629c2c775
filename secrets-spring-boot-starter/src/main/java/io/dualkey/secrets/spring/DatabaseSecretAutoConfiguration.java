package io.dualkey.secrets.spring;

import com.zaxxer.hikari.HikariDataSource;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.UnusableSecretException;
import io.dualkey.secrets.jdbc.DatabaseCredentials;
import io.dualkey.secrets.jdbc.RotatingDataSource;
import javax.sql.DataSource;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.AnyNestedCondition;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.jdbc.autoconfigure.DataSourceAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.DataSourceProperties;
import org.springframework.boot.jdbc.autoconfigure.JdbcConnectionDetails;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Conditional;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.Environment;

/**
 * Auto-configuration that lets the application's HikariCP pools, normally the one that Spring Boot makes, log in with secrets
 * that rotate. It comes before Spring Boot's, which then needs no {@code spring.datasource.url}.
 */
@AutoConfiguration(after = SecretsAutoConfiguration.class, before = DataSourceAutoConfiguration.class)
@ConditionalOnClass({RotatingDataSource.class, HikariDataSource.class})
@Conditional({JdbcSecrets.AreNamed.class, DatabaseSecretAutoConfiguration.NoneOfTheApplicationsOwn.class})
@EnableConfigurationProperties(DualkeyJdbcProperties.class)
public final class DatabaseSecretAutoConfiguration {

    DatabaseSecretAutoConfiguration() {}

    @Bean
    static PoolPostProcessor dualkeyPoolPostProcessor(
            ConfigurableListableBeanFactory beans,
            ObjectProvider<SecretSource> sources,
            ObjectProvider<DatabaseSecret> secrets,
            ObjectProvider<DualkeyProperties> properties,
            ObjectProvider<DualkeyJdbcProperties> settings) {
        return new PoolPostProcessor(beans, sources, secrets, properties, settings);
    }

    /** All of them are loaded at once, so that one exception at startup names each that is missing. */
    @Bean
    SecretHandles dualkeyJdbcSecrets(DualkeyProperties properties, Environment environment) {
        return source -> JdbcSecrets.references(environment)
                .forEach((property, reference) -> NamedSecret.of(source, property, properties.resolve(reference)));
    }

    /** A data source that rotates by itself takes the place of dualkey.jdbc.secret, but not of what is named. */
    static final class NoneOfTheApplicationsOwn extends AnyNestedCondition {

        NoneOfTheApplicationsOwn() {
            super(ConfigurationPhase.REGISTER_BEAN);
        }

        @ConditionalOnMissingBean(RotatingDataSource.class)
        static final class None {}

        @Conditional(JdbcSecrets.OfDataSourcesAreNamed.class)
        static final class Named {}
    }

    /** Where Spring Boot makes the pool; one that the application makes itself brings its own URL or none. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(JdbcConnectionDetails.class)
    @Conditional(JdbcSecrets.OfSpringBootsPoolIsNamed.class)
    @ConditionalOnMissingBean({DataSource.class, JdbcConnectionDetails.class})
    static class PoolOfSpringBoot {

        @Bean
        DatabaseSecret dualkeyDatabaseSecret(
                DualkeyJdbcProperties settings,
                DualkeyProperties properties,
                ObjectProvider<DataSourceProperties> configured) {
            boolean named = settings.dataSources().containsKey(JdbcSecrets.POOL_OF_SPRING_BOOT);
            String property = named ? JdbcSecrets.property(JdbcSecrets.POOL_OF_SPRING_BOOT) : JdbcSecrets.PROPERTY;
            String name = properties.resolve(JdbcSecrets.ofSpringBootsPool(settings));
            DataSourceProperties datasource = configured.getIfAvailable();
            if (datasource == null || datasource.getUrl() == null) {
                return new DatabaseSecret(property, name, DatabaseCredentials.parser());
            }
            try {
                return new DatabaseSecret(
                        property, name, DatabaseCredentials.parser(datasource.getUrl(), datasource.getUsername()));
            } catch (UnusableSecretException unusable) {
                throw new MisconfigurationException(
                        "spring.datasource.url cannot be used with " + property + ": " + unusable.getMessage() + ".",
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
