package io.dualkey.secrets.spring;

import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.jwt.JwtVerifier;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;

/** Auto-configuration of a {@link JwtVerifier} whose key is a secret that rotates. */
@AutoConfiguration(after = SecretsAutoConfiguration.class)
@ConditionalOnClass(JwtVerifier.class)
@ConditionalOnProperty("dualkey.jwt.secret")
@ConditionalOnMissingBean(JwtVerifier.class)
@EnableConfigurationProperties(DualkeyJwtProperties.class)
public final class JwtVerifierAutoConfiguration {

    JwtVerifierAutoConfiguration() {}

    @Bean
    JwtSecret dualkeyJwtSecret(DualkeyJwtProperties properties, DualkeyProperties all) {
        return new JwtSecret(properties, all.resolve(properties.secret()));
    }

    @Bean
    JwtVerifier jwtVerifier(JwtSecret secret, SecretSource source) {
        return secret.verifier(source);
    }
}
