package io.dualkey.secrets.spring;

import io.dualkey.secrets.DirectoryStore;
import io.dualkey.secrets.EnvironmentStore;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.SecretStore;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.beans.factory.config.BeanFactoryPostProcessor;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.AnyNestedCondition;
import org.springframework.boot.autoconfigure.condition.ConditionMessage;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnWebApplication;
import org.springframework.boot.autoconfigure.condition.NoneNestedConditions;
import org.springframework.boot.autoconfigure.condition.OnPropertyListCondition;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Conditional;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Lazy;
import org.springframework.core.env.Environment;

/**
 * Auto-configuration of a {@link SecretStore} from properties and of a started {@link SecretSource} over it. Beans of the
 * application's own take the place of either.
 */
@AutoConfiguration
@EnableConfigurationProperties(DualkeyProperties.class)
public final class SecretsAutoConfiguration {

    SecretsAutoConfiguration() {}

    @Bean
    static RequiredLibraries dualkeyRequiredLibraries(Environment environment) {
        return new RequiredLibraries(environment);
    }

    @Bean
    @ConditionalOnMissingBean
    @Conditional(StoreIsConfigured.class)
    SecretStore secretStore(DualkeyProperties properties) {
        String directory = properties.stores().directory().path();
        boolean environment = properties.stores().environment().enabled();
        if (directory != null && environment) {
            throw new MisconfigurationException(
                    "Two stores are configured: dualkey.stores.directory.path and"
                            + " dualkey.stores.environment.enabled. One is supported; several, one over the other,"
                            + " come with a later version.",
                    "Remove one of the two, or define a SecretStore bean that reads both.");
        }
        return directory == null ? EnvironmentStore.system() : DirectoryStore.at(path(directory));
    }

    private static Path path(String directory) {
        try {
            if (!directory.isBlank()) {
                return Path.of(directory);
            }
        } catch (InvalidPathException malformed) {
            // said below
        }
        throw new MisconfigurationException(
                "dualkey.stores.directory.path is blank or not a path.",
                "Set it to the directory that has one file for each secret.");
    }

    /**
     * Started as soon as it is made, with all secrets that properties name: a data source may be asked for a connection while
     * other beans are still being made.
     */
    @Bean
    @ConditionalOnMissingBean
    @Conditional(SourceIsNeeded.class)
    SecretSource secretSource(
            DualkeyProperties properties, ObjectProvider<SecretStore> stores, ObjectProvider<SecretHandles> handles) {
        SecretSource source = source(properties, stores.stream().toList());
        try {
            properties.secrets().forEach(name -> NamedSecret.of(source, "dualkey.secrets", name));
            handles.orderedStream().forEach(part -> part.makeFrom(source));
            source.start(properties.startupTimeout());
            return source;
        } catch (RuntimeException failure) {
            source.close();
            throw failure;
        }
    }

    private static SecretSource source(DualkeyProperties properties, List<SecretStore> stores) {
        if (stores.isEmpty()) {
            throw new MisconfigurationException(
                    "Properties under dualkey name secrets, but nothing says where they are kept.",
                    "Set dualkey.stores.directory.path or dualkey.stores.environment.enabled=true, or define a"
                            + " SecretStore bean.");
        }
        if (stores.size() > 1) {
            throw new MisconfigurationException(
                    "There are " + stores.size() + " SecretStore beans. One is supported; several, one over the"
                            + " other, come with a later version.",
                    "Keep one of them, or define a SecretSource bean of your own.");
        }
        try {
            return SecretSource.builder(stores.get(0))
                    .refreshInterval(properties.refreshInterval())
                    .grace(properties.grace())
                    .build();
        } catch (IllegalArgumentException outOfRange) {
            throw new MisconfigurationException(
                    "A property under dualkey is out of range: " + outOfRange.getMessage() + ".",
                    "Correct dualkey.refresh-interval or dualkey.grace.");
        }
    }

    /** Waits also for the handles that beans made for themselves, before the web server takes its first request. */
    @Bean
    @Lazy(false)
    @ConditionalOnBean(SecretSource.class)
    SmartInitializingSingleton secretsStartup(SecretSource source, DualkeyProperties properties) {
        return () -> source.start(properties.startupTimeout());
    }

    static final class NotOfServlets extends NoneNestedConditions {

        NotOfServlets() {
            super(ConfigurationPhase.REGISTER_BEAN);
        }

        @ConditionalOnWebApplication(type = ConditionalOnWebApplication.Type.SERVLET)
        static final class Servlets {}
    }

    /** Ends the start of an application that asks for the filter, but would serve its requests without it. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnBooleanProperty("dualkey.jwt.filter.enabled")
    @Conditional(NotOfServlets.class)
    static class FilterWithoutServlets {

        @Bean
        static BeanFactoryPostProcessor dualkeyFilterWithoutServlets() {
            return beans -> {
                throw new MisconfigurationException(
                        "dualkey.jwt.filter.enabled is true, but this is no servlet web application, so no request would be"
                                + " filtered.",
                        "Remove dualkey.jwt.filter.enabled and have requests judged by the JwtVerifier bean, for example in"
                                + " a WebFilter; or make this a servlet web application (spring-boot-starter-webmvc,"
                                + " spring.main.web-application-type=servlet).");
            };
        }
    }

    static final class StoreIsConfigured extends AnyNestedCondition {

        StoreIsConfigured() {
            super(ConfigurationPhase.REGISTER_BEAN);
        }

        @ConditionalOnProperty("dualkey.stores.directory.path")
        static final class Directory {}

        @ConditionalOnBooleanProperty("dualkey.stores.environment.enabled")
        static final class EnvironmentVariables {}
    }

    /** Secrets that are named without a store are a mistake to be told about, not a reason to back off. */
    static final class SourceIsNeeded extends AnyNestedCondition {

        SourceIsNeeded() {
            super(ConfigurationPhase.REGISTER_BEAN);
        }

        @ConditionalOnBean(SecretStore.class)
        static final class Store {}

        @ConditionalOnProperty("dualkey.jwt.secret")
        static final class Jwt {}

        @ConditionalOnProperty("dualkey.jdbc.secret")
        static final class Jdbc {}

        @Conditional(SecretsAreListed.class)
        static final class Listed {}
    }

    static final class SecretsAreListed extends OnPropertyListCondition {

        SecretsAreListed() {
            super("dualkey.secrets", () -> ConditionMessage.forCondition("Dualkey secrets"));
        }
    }
}
