package io.dualkey.secrets.spring;

import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.jwt.JwtSigner;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;

/** Auto-configuration of a {@link JwtSigner} whose key is a secret that rotates. */
@AutoConfiguration(after = SecretsAutoConfiguration.class)
@ConditionalOnClass(JwtSigner.class)
@ConditionalOnProperty(JwtSignerSecret.PROPERTY)
@ConditionalOnMissingBean(JwtSigner.class)
@EnableConfigurationProperties(DualkeyJwtProperties.class)
public final class JwtSignerAutoConfiguration {

    JwtSignerAutoConfiguration() {}

    @Bean
    JwtSignerSecret dualkeyJwtSignerSecret(DualkeyJwtProperties properties, DualkeyProperties all) {
        return new JwtSignerSecret(properties, all.resolve(properties.signer().secret()));
    }

    @Bean
    JwtSigner jwtSigner(JwtSignerSecret secret, SecretSource source) {
        return secret.signer(source);
    }
}
