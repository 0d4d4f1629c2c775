package io.dualkey.secrets.spring;

import io.dualkey.secrets.DirectoryStore;
import io.dualkey.secrets.EnvironmentStore;
import io.dualkey.secrets.SecretOptions;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.SecretStore;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.beans.factory.config.BeanFactoryPostProcessor;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.AnyNestedCondition;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnWebApplication;
import org.springframework.boot.autoconfigure.condition.NoneNestedConditions;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Condition;
import org.springframework.context.annotation.ConditionContext;
import org.springframework.context.annotation.Conditional;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Lazy;
import org.springframework.core.env.Environment;
import org.springframework.core.type.AnnotatedTypeMetadata;

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
    static PropertyNames dualkeyPropertyNames(Environment environment) {
        return new PropertyNames(environment);
    }

    @Bean
    static SecretBeans dualkeySecretBeans(Environment environment) {
        return new SecretBeans(environment);
    }

    @Configuration(proxyBeanMethods = false)
    @ConditionalOnProperty("dualkey.stores.directory.path")
    @ConditionalOnMissingBean(SecretStore.class)
    static class DirectoryIsConfigured {

        @Bean
        ConfiguredStore dualkeyDirectoryStore(DualkeyProperties properties) {
            return directory(properties);
        }
    }

    @Configuration(proxyBeanMethods = false)
    @ConditionalOnBooleanProperty("dualkey.stores.environment.enabled")
    @ConditionalOnMissingBean(SecretStore.class)
    static class EnvironmentIsConfigured {

        @Bean
        ConfiguredStore dualkeyEnvironmentStore(DualkeyProperties properties) {
            return environment(properties);
        }
    }

    static ConfiguredStore directory(DualkeyProperties properties) {
        DualkeyProperties.Directory directory = properties.stores().directory();
        return new ConfiguredStore(
                ConfiguredStore.DIRECTORY,
                directory.prefix(),
                DirectoryStore.at(path(String.valueOf(directory.path()))));
    }

    static ConfiguredStore environment(DualkeyProperties properties) {
        return new ConfiguredStore(
                ConfiguredStore.ENVIRONMENT, properties.stores().environment().prefix(), EnvironmentStore.system());
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
            DualkeyProperties properties,
            ObjectProvider<SecretStore> own,
            ObjectProvider<ConfiguredStore> configured,
            ObjectProvider<SecretHandles> handles) {
        SecretSource source = source(
                properties, own.stream().toList(), configured.orderedStream().toList());
        try {
            properties.secrets().forEach(secret -> NamedSecret.of(source, "dualkey.secrets", secret.where()));
            handles.orderedStream().forEach(part -> part.makeFrom(source));
            source.start(properties.startupTimeout());
            return source;
        } catch (RuntimeException failure) {
            source.close();
            throw failure;
        }
    }

    private static SecretSource source(
            DualkeyProperties properties, List<SecretStore> own, List<ConfiguredStore> configured) {
        if (own.isEmpty() && configured.isEmpty()) {
            throw new MisconfigurationException(
                    "Properties under dualkey name secrets, but nothing says where they are kept.",
                    "Set dualkey.stores.directory.path, dualkey.stores.environment.enabled=true,"
                            + " dualkey.stores.azure-key-vault.url or dualkey.stores.aws-secrets-manager.region, or"
                            + " define a SecretStore bean.");
        }
        if (own.size() > 1) {
            throw new MisconfigurationException(
                    "There are " + own.size() + " SecretStore beans, and nothing says which of them has a secret.",
                    "Define one that asks them in turn, SecretStore.layered(first, second), or a SecretSource bean that"
                            + " gives each a prefix.");
        }
        try {
            SecretSource.Builder builder = own.isEmpty() ? builder(configured) : SecretSource.builder(own.get(0));
            builder.refreshInterval(properties.refreshInterval()).grace(properties.grace());
            Optional.ofNullable(properties.maxStale()).ifPresent(builder::maxStale);
            if (properties.failClosed()) {
                builder.failClosed();
            }
            properties.secrets().stream()
                    .filter(DualkeyProperties.Secret::hasSettings)
                    .forEach(secret -> builder.secret(secret.where(), options -> apply(secret, options)));
            return builder.build();
        } catch (IllegalArgumentException outOfRange) {
            throw new MisconfigurationException(
                    "A property under dualkey is out of range: " + outOfRange.getMessage() + ".",
                    "Correct dualkey.refresh-interval, dualkey.grace, dualkey.max-stale, dualkey.fail-closed, the settings"
                            + " under dualkey.secrets or the prefix of a store.");
        }
    }

    static SecretSource.Builder builder(List<ConfiguredStore> configured) {
        SecretStore[] plain = configured.stream()
                .filter(one -> one.prefix() == null)
                .map(ConfiguredStore::store)
                .toArray(SecretStore[]::new);
        SecretSource.Builder builder = plain.length == 0
                ? SecretSource.builder()
                : SecretSource.builder(
                        plain.length == 1
                                ? plain[0]
                                : SecretStore.layered(plain[0], Arrays.copyOfRange(plain, 1, plain.length)));
        for (ConfiguredStore one : configured) {
            String prefix = one.prefix();
            if (prefix != null) {
                builder.store(prefix, one.store());
            }
        }
        return builder;
    }

    private static void apply(DualkeyProperties.Secret secret, SecretOptions options) {
        Optional.ofNullable(secret.grace()).ifPresent(options::grace);
        Optional.ofNullable(secret.companion()).ifPresent(options::companion);
        Optional.ofNullable(secret.maxStale()).ifPresent(options::maxStale);
        Optional.ofNullable(secret.rotateEvery()).ifPresent(options::rotateEvery);
        if (secret.failClosed()) {
            options.failClosed();
        }
        if (!secret.required()) {
            options.optional();
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

    /** Secrets that are named without a store are a mistake to be told about, not a reason to back off. */
    static final class SourceIsNeeded extends AnyNestedCondition {

        SourceIsNeeded() {
            super(ConfigurationPhase.REGISTER_BEAN);
        }

        @ConditionalOnBean(SecretStore.class)
        static final class Store {}

        @ConditionalOnBean(ConfiguredStore.class)
        static final class Configured {}

        @ConditionalOnProperty("dualkey.jwt.secret")
        static final class Jwt {}

        @ConditionalOnProperty("dualkey.jwt.signer.secret")
        static final class JwtSigner {}

        @Conditional(JdbcSecrets.AreNamed.class)
        static final class Jdbc {}

        @Conditional(SecretsAreListed.class)
        static final class Listed {}
    }

    static final class SecretsAreListed implements Condition {

        @Override
        public boolean matches(ConditionContext context, AnnotatedTypeMetadata metadata) {
            return !SecretBeans.listed(context.getEnvironment()).isEmpty();
        }
    }
}
