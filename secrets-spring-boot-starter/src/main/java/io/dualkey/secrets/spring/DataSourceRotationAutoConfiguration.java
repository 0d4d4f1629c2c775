package io.dualkey.secrets.spring;

import io.dualkey.secrets.jdbc.RotatingDataSource;
import io.dualkey.secrets.jdbc.micrometer.DataSourceMeters;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.util.Map;
import javax.sql.DataSource;
import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.health.contributor.HealthContributor;
import org.springframework.boot.jdbc.autoconfigure.DataSourceAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Lazy;

/** Auto-configuration of what operators see of the rotation of the pool's credentials. */
@AutoConfiguration(after = {DatabaseSecretAutoConfiguration.class, DataSourceAutoConfiguration.class})
@ConditionalOnClass(RotatingDataSource.class)
@ConditionalOnBean(PoolPostProcessor.class)
public final class DataSourceRotationAutoConfiguration {

    DataSourceRotationAutoConfiguration() {}

    /** Made at startup even where beans are lazy, so that a pool which could not rotate is noticed then. */
    @Bean
    @Lazy(false)
    DataSourceRotation dataSourceRotation(PoolPostProcessor pools, ListableBeanFactory beans) {
        for (String name : beans.getBeanNamesForType(DataSource.class)) {
            var unused = beans.getBean(name);
        }
        return pools.rotation()
                .orElseThrow(() -> new MisconfigurationException(
                        "dualkey.jdbc.secret is set, but there is no DataSource bean that is a HikariCP pool, so no"
                                + " credentials would rotate.",
                        "Add org.springframework.boot:spring-boot-starter-jdbc and let Spring Boot make the pool, or"
                                + " define a HikariDataSource bean. Other pools are not supported."));
    }

    @Bean
    SecretEndpointDetails databaseEndpointDetails(DataSourceRotation rotation) {
        return secret -> secret.equals(rotation.secret()) ? DatabaseDetails.of(rotation.status()) : Map.of();
    }

    /** Meters of the rotation, beside those that Spring Boot binds for the pool. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(MeterBinder.class)
    static class DatabaseMeters {

        @Bean
        @ConditionalOnMissingBean
        DataSourceMeters dataSourceMeters(DataSourceRotation rotation) {
            return new DataSourceMeters(rotation.database());
        }
    }

    /** What is shown of the database where there is health at all. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(HealthContributor.class)
    static class DatabaseHealth {

        @Bean
        SecretHealthDetails databaseHealthDetails(DataSourceRotation rotation) {
            return new DatabaseHealthDetails(rotation);
        }
    }
}
