package io.dualkey.secrets.spring;

import io.dualkey.secrets.jdbc.RotatingDataSource;
import io.dualkey.secrets.jdbc.micrometer.DataSourceMeters;
import io.micrometer.core.instrument.binder.MeterBinder;
import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.health.contributor.HealthContributor;
import org.springframework.boot.jdbc.autoconfigure.DataSourceAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Lazy;
import org.springframework.core.env.Environment;

/** Auto-configuration of what operators see of the rotation of the pools' credentials. */
@AutoConfiguration(after = {DatabaseSecretAutoConfiguration.class, DataSourceAutoConfiguration.class})
@ConditionalOnClass(RotatingDataSource.class)
@ConditionalOnBean(PoolPostProcessor.class)
public final class DataSourceRotationAutoConfiguration {

    DataSourceRotationAutoConfiguration() {}

    /** Made at startup even where beans are lazy, so that a pool which could not rotate is noticed then. */
    @Bean
    @Lazy(false)
    @ConditionalOnProperty(JdbcSecrets.PROPERTY)
    DataSourceRotation dataSourceRotation(PoolPostProcessor pools) {
        return pools.rotation();
    }

    @Bean
    static DataSourceRotationBeans dualkeyDataSourceRotationBeans(Environment environment) {
        return new DataSourceRotationBeans(environment);
    }

    @Bean
    SecretEndpointDetails databaseEndpointDetails(PoolPostProcessor pools) {
        return secret -> DatabaseDetails.of(secret, pools.rotations());
    }

    /** Meters of the rotation, beside those that Spring Boot binds for the pools. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(MeterBinder.class)
    static class DatabaseMeters {

        @Bean
        @ConditionalOnMissingBean(DataSourceMeters.class)
        MeterBinder databaseMeters(ListableBeanFactory beans) {
            return registry -> beans.getBeansOfType(DataSourceRotation.class)
                    .values()
                    .forEach(rotation -> new DataSourceMeters(rotation.database()).bindTo(registry));
        }
    }

    /** What is shown of the database where there is health at all. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(HealthContributor.class)
    static class DatabaseHealth {

        @Bean
        SecretHealthDetails databaseHealthDetails(PoolPostProcessor pools) {
            return new DatabaseHealthDetails(pools);
        }
    }
}
