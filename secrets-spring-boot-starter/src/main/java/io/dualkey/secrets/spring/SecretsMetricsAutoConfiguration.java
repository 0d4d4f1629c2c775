package io.dualkey.secrets.spring;

import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.micrometer.SecretMeters;
import io.micrometer.core.instrument.binder.MeterBinder;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;

/** Auto-configuration of meters for the secrets of the {@link SecretSource}. */
@AutoConfiguration(after = SecretsAutoConfiguration.class)
@ConditionalOnClass(MeterBinder.class)
@ConditionalOnBean(SecretSource.class)
public final class SecretsMetricsAutoConfiguration {

    SecretsMetricsAutoConfiguration() {}

    @Bean
    @ConditionalOnMissingBean
    SecretMeters secretMeters(SecretSource source) {
        return new SecretMeters(source);
    }
}
