package io.dualkey.secrets.spring;

import io.dualkey.secrets.SecretUnavailableException;
import io.dualkey.secrets.jwt.JwtVerifier;
import java.util.LinkedHashMap;
import java.util.Map;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnWebApplication;
import org.springframework.boot.context.properties.source.MutuallyExclusiveConfigurationPropertiesException;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.Environment;
import org.springframework.security.oauth2.core.OAuth2TokenValidator;
import org.springframework.security.oauth2.jwt.Jwt;
import org.springframework.security.oauth2.jwt.JwtDecoder;
import org.springframework.security.oauth2.jwt.ReactiveJwtDecoder;
import reactor.core.publisher.Mono;

/**
 * Auto-configuration of the decoder of a resource server of Spring Security on the {@link JwtVerifier}. Authorities, validators
 * that are beans, and the answers to bad tokens are Spring's.
 */
@AutoConfiguration(
        after = JwtVerifierAutoConfiguration.class,
        beforeName = {
            "org.springframework.boot.security.oauth2.server.resource.autoconfigure.OAuth2ResourceServerAutoConfiguration",
            "org.springframework.boot.security.oauth2.server.resource.autoconfigure.servlet.OAuth2ResourceServerAutoConfiguration",
            "org.springframework.boot.security.oauth2.server.resource.autoconfigure.reactive.ReactiveOAuth2ResourceServerAutoConfiguration"
        })
@ConditionalOnClass({JwtVerifier.class, JwtDecoder.class})
@ConditionalOnBean(JwtVerifier.class)
public final class JwtDecoderAutoConfiguration {

    private static final String SPRINGS = "spring.security.oauth2.resourceserver.jwt.";

    JwtDecoderAutoConfiguration() {}

    /** Two sources of keys: a JwtDecoder bean would silently win over Spring's properties. */
    private static void checkAlone(Environment environment) {
        Map<String, Object> set = new LinkedHashMap<>();
        set.put("dualkey.jwt.secret", environment.getProperty("dualkey.jwt.secret"));
        for (String name : new String[] {"jwk-set-uri", "issuer-uri", "public-key-location"}) {
            set.put(SPRINGS + name, environment.getProperty(SPRINGS + name));
        }
        MutuallyExclusiveConfigurationPropertiesException.throwIfMultipleNonNullValuesIn(
                entries -> entries.putAll(set));
    }

    /** Where requests have threads of their own. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnWebApplication(type = ConditionalOnWebApplication.Type.SERVLET)
    static class OfServlets {

        @Bean
        @ConditionalOnMissingBean(JwtDecoder.class)
        JwtDecoder dualkeyJwtDecoder(
                JwtVerifier verifier, ObjectProvider<OAuth2TokenValidator<Jwt>> validators, Environment environment) {
            checkAlone(environment);
            SpringJwt spring = new SpringJwt(validators.orderedStream().toList());
            return token -> {
                try {
                    return spring.of(token, verifier.check(token));
                } catch (SecretUnavailableException unavailable) {
                    throw SpringJwt.unavailable(unavailable);
                }
            };
        }
    }

    /** Where requests share an event loop, on which nobody waits. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnWebApplication(type = ConditionalOnWebApplication.Type.REACTIVE)
    @ConditionalOnClass({ReactiveJwtDecoder.class, Mono.class})
    static class OfEventLoops {

        @Bean
        @ConditionalOnMissingBean(ReactiveJwtDecoder.class)
        ReactiveJwtDecoder dualkeyReactiveJwtDecoder(
                JwtVerifier verifier, ObjectProvider<OAuth2TokenValidator<Jwt>> validators, Environment environment) {
            checkAlone(environment);
            SpringJwt spring = new SpringJwt(validators.orderedStream().toList());
            return token -> Mono.fromFuture(() -> verifier.checkAsync(token))
                    .map(result -> spring.of(token, result))
                    .onErrorMap(SecretUnavailableException.class, SpringJwt::unavailable);
        }
    }
}
