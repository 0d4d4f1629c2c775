package io.dualkey.secrets.spring;

import io.dualkey.secrets.SecretUnavailableException;
import io.dualkey.secrets.jwt.JwtVerifier;
import java.util.List;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnWebApplication;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
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

    /** What is set for Spring's own decoder, which this one silently takes the place of, would not hold. */
    private static void checkAlone(Environment environment) {
        for (String name : List.of("jwk-set-uri", "issuer-uri", "public-key-location", "jws-algorithms", "audiences")) {
            if (Binder.get(environment)
                    .bind(SPRINGS + name, Bindable.listOf(String.class))
                    .isBound()) {
                throw new MisconfigurationException(
                        SPRINGS + name
                                + " is set, but a JwtVerifier (dualkey.jwt.secret) verifies the tokens, which would"
                                + " ignore it.",
                        "Remove it and set dualkey.jwt.issuer, dualkey.jwt.audiences and dualkey.jwt.algorithms; or remove"
                                + " dualkey.jwt.secret.");
            }
        }
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
