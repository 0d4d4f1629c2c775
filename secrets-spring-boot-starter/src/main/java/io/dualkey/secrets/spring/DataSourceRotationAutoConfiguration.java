package io.dualkey.secrets.spring;

import io.dualkey.secrets.jdbc.RotatingDataSource;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
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
