package io.dualkey.secrets.spring;

import io.dualkey.secrets.jdbc.RotatingDataSource;
import javax.sql.DataSource;
import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.health.contributor.HealthContributor;
import org.springframework.boot.jdbc.autoconfigure.DataSourceAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Lazy;

/**
 * Auto-configuration of the {@link RotatingDataSource} that lies underneath the application's pool, for operators: it tells
 * which database user can be dropped. It is no candidate where a {@link DataSource} is injected; ask for it with
 * {@code @Qualifier("rotatingDataSource")}.
 */
@AutoConfiguration(after = {DatabaseSecretAutoConfiguration.class, DataSourceAutoConfiguration.class})
@ConditionalOnClass(RotatingDataSource.class)
@ConditionalOnBean(PoolPostProcessor.class)
public final class RotatingDataSourceAutoConfiguration {

    private static final String NAME = "rotatingDataSource";

    RotatingDataSourceAutoConfiguration() {}

    /** Closed with the pool and not before it: beans that use the pool may outlive this one. */
    @Bean(name = NAME, defaultCandidate = false, destroyMethod = "")
    @Lazy(false)
    RotatingDataSource rotatingDataSource(PoolPostProcessor pools, ListableBeanFactory beans) {
        for (String name : beans.getBeanNamesForType(DataSource.class)) {
            if (!name.equals(NAME)) {
                var unused = beans.getBean(name);
            }
        }
        return pools.rotating()
                .orElseThrow(() -> new MisconfigurationException(
                        "dualkey.jdbc.secret is set, but there is no DataSource bean that is a HikariCP pool, so no"
                                + " credentials would rotate.",
                        "Add org.springframework.boot:spring-boot-starter-jdbc and let Spring Boot make the pool, or"
                                + " define a HikariDataSource bean. Other pools are not supported."));
    }

    /** What is shown of the database where there is health at all. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(HealthContributor.class)
    static class DatabaseHealth {

        @Bean
        SecretHealthDetails databaseHealthDetails(
                DualkeyJdbcProperties settings, @Qualifier(NAME) RotatingDataSource database) {
            return new DatabaseHealthDetails(settings.requiredSecret(), database);
        }
    }
}
