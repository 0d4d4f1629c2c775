package io.dualkey.secrets.spring;

import io.dualkey.secrets.jwt.JwtSigner;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Import;
import org.springframework.http.MediaType;

/**
 * Auto-configuration of a JWK Set (RFC 7517 section 5) with the public keys of the {@link JwtSigner}, where {@code
 * dualkey.jwt.signer.jwk-set-path} says. Clients are told to keep it no longer than until a new key begins to sign. Whatever
 * protects the service must let requests for it pass.
 */
@AutoConfiguration(after = JwtSignerAutoConfiguration.class)
@ConditionalOnClass({JwtSigner.class, MediaType.class})
@ConditionalOnProperty(JwkSet.PROPERTY)
@EnableConfigurationProperties(DualkeyJwtProperties.class)
@Import({ServletJwkSet.class, ReactiveJwkSet.class})
public final class JwkSetAutoConfiguration {

    JwkSetAutoConfiguration() {}

    @Bean
    JwkSet dualkeyJwkSet(ObjectProvider<JwtSigner> signers, DualkeyJwtProperties properties) {
        JwtSigner signer = signers.getIfUnique();
        if (signer == null) {
            throw new MisconfigurationException(
                    JwkSet.PROPERTY
                            + " is set, but there is no JwtSigner whose keys could be served, or more than one.",
                    "Set dualkey.jwt.signer.secret, or define one JwtSigner bean.");
        }
        return new JwkSet(String.valueOf(properties.signer().jwkSetPath()), signer);
    }
}
