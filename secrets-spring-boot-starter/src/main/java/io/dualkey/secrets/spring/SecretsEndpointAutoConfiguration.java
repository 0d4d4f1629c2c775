package io.dualkey.secrets.spring;

import io.dualkey.secrets.SecretSource;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.actuate.autoconfigure.endpoint.condition.ConditionalOnAvailableEndpoint;
import org.springframework.boot.actuate.endpoint.annotation.Endpoint;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;

/** Auto-configuration of the actuator endpoint {@code secrets}, which is exposed like any other. */
@AutoConfiguration(after = SecretsAutoConfiguration.class)
@ConditionalOnClass({Endpoint.class, ConditionalOnAvailableEndpoint.class})
@ConditionalOnBean(SecretSource.class)
@ConditionalOnAvailableEndpoint(endpoint = SecretsEndpoint.class)
public final class SecretsEndpointAutoConfiguration {

    SecretsEndpointAutoConfiguration() {}

    @Bean
    @ConditionalOnMissingBean
    SecretsEndpoint secretsEndpoint(
            SecretSource source, DualkeyProperties properties, ObjectProvider<SecretEndpointDetails> details) {
        return new SecretsEndpoint(
                source,
                new SecretNames(source, properties.secrets()),
                details.orderedStream().toList());
    }
}
