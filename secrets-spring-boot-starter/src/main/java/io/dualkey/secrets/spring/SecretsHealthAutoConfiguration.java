package io.dualkey.secrets.spring;

import io.dualkey.secrets.SecretSource;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.health.autoconfigure.contributor.ConditionalOnEnabledHealthIndicator;
import org.springframework.boot.health.contributor.CompositeHealthContributor;
import org.springframework.boot.health.contributor.HealthContributor;
import org.springframework.context.annotation.Bean;

/** Auto-configuration of the health of each secret of the {@link SecretSource}, as {@code dualkey}. */
@AutoConfiguration(after = SecretsAutoConfiguration.class)
@ConditionalOnClass({HealthContributor.class, ConditionalOnEnabledHealthIndicator.class})
@ConditionalOnBean(SecretSource.class)
@ConditionalOnEnabledHealthIndicator("dualkey")
public final class SecretsHealthAutoConfiguration {

    SecretsHealthAutoConfiguration() {}

    @Bean
    @ConditionalOnMissingBean(name = {"dualkeyHealthContributor", "dualkeyHealthIndicator"})
    CompositeHealthContributor dualkeyHealthContributor(
            SecretSource source, DualkeyProperties properties, ObjectProvider<SecretHealthDetails> details) {
        return new SecretsHealthContributor(
                source,
                new SecretNames(source, properties.secrets()),
                details.orderedStream().toList());
    }
}
