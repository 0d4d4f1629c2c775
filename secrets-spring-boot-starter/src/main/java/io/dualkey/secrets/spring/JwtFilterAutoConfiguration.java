package io.dualkey.secrets.spring;

import io.dualkey.secrets.jwt.JwtVerifier;
import jakarta.servlet.DispatcherType;
import jakarta.servlet.Filter;
import java.util.EnumSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.boot.actuate.autoconfigure.web.server.ManagementPortType;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnWebApplication;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.web.servlet.FilterRegistrationBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Lazy;
import org.springframework.core.env.Environment;

/**
 * Auto-configuration of a servlet filter that lets only requests with a good bearer token pass. It is off unless
 * {@code dualkey.jwt.filter.enabled} is true.
 *
 * <p>By default it covers every request to the application's port, those to actuator endpoints too: unless {@code
 * management.server.port} moves them, probes of {@code /actuator/health} without a token are answered with 401. A warning
 * says so at startup. {@code dualkey.jwt.filter.url-patterns} narrows the filter down.
 */
@AutoConfiguration(after = JwtVerifierAutoConfiguration.class)
@ConditionalOnBooleanProperty("dualkey.jwt.filter.enabled")
@ConditionalOnClass({JwtVerifier.class, Filter.class, FilterRegistrationBean.class})
@ConditionalOnWebApplication(type = ConditionalOnWebApplication.Type.SERVLET)
@EnableConfigurationProperties(DualkeyJwtProperties.class)
public final class JwtFilterAutoConfiguration {

    /** Where Spring Security has its chain: after filters that wrap requests, before what a service usually adds. */
    static final int ORDER = -100;

    JwtFilterAutoConfiguration() {}

    /** The filter itself is no bean: Spring Boot would register it a second time, for every URL. */
    @Bean
    @ConditionalOnMissingBean(name = "dualkeyJwtFilter")
    FilterRegistrationBean<?> dualkeyJwtFilter(ObjectProvider<JwtVerifier> verifiers, DualkeyJwtProperties properties) {
        JwtVerifier verifier = verifiers.getIfUnique();
        if (verifier == null) {
            throw new MisconfigurationException(
                    "dualkey.jwt.filter.enabled is true, but there is no JwtVerifier that could judge tokens, or"
                            + " more than one.",
                    "Set dualkey.jwt.secret and dualkey.jwt.algorithms, or define one JwtVerifier bean.");
        }
        if (properties.signer().jwkSetPath() != null
                && properties.filter().urlPatterns().contains("/*")) {
            throw new MisconfigurationException(
                    "dualkey.jwt.filter.url-patterns has /*, so that dualkey.jwt.signer.jwk-set-path could be fetched with"
                            + " a token only, by those who have no key yet to verify one.",
                    "Set dualkey.jwt.filter.url-patterns to what must be protected, such as /api/*.");
        }
        var filter = new FilterRegistrationBean<>(
                new JwtFilter(verifier, properties.filter().realm()));
        filter.setName("dualkeyJwtFilter");
        filter.setUrlPatterns(properties.filter().urlPatterns());
        filter.setDispatcherTypes(EnumSet.of(DispatcherType.REQUEST, DispatcherType.ASYNC));
        filter.setOrder(ORDER);
        return filter;
    }

    /** Where there are actuator endpoints. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(ManagementPortType.class)
    static class Probes {

        private static final Logger log = LoggerFactory.getLogger(JwtFilterAutoConfiguration.class);

        @Bean
        @Lazy(false)
        SmartInitializingSingleton dualkeyProbesCheck(
                @Qualifier("dualkeyJwtFilter") ObjectProvider<FilterRegistrationBean<?>> filters,
                Environment environment) {
            return () -> filters.ifAvailable(filter -> {
                if (filter.getUrlPatterns().contains("/*")
                        && ManagementPortType.get(environment) == ManagementPortType.SAME) {
                    log.warn("The JWT filter covers every request (dualkey.jwt.filter.url-patterns has /*), those to"
                            + " actuator endpoints too, since they are on the same port: probes without a token are"
                            + " answered with 401. Set dualkey.jwt.filter.url-patterns to what must be protected, or"
                            + " management.server.port to another port.");
                }
            });
        }
    }
}
