package io.dualkey.secrets.spring;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.springframework.beans.factory.config.BeanFactoryPostProcessor;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.boot.context.properties.bind.BindException;
import org.springframework.boot.context.properties.bind.BindHandler;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.bind.PropertySourcesPlaceholdersResolver;
import org.springframework.boot.context.properties.bind.UnboundConfigurationPropertiesException;
import org.springframework.boot.context.properties.bind.handler.NoUnboundElementsBindHandler;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertySource;
import org.springframework.boot.context.properties.source.ConfigurationPropertySources;
import org.springframework.boot.context.properties.source.UnboundElementsSourceFilter;
import org.springframework.core.env.Environment;
import org.springframework.util.ClassUtils;

/**
 * Ends the start where a property under {@code dualkey} does not exist, or would not be read: a limit or a condition that is
 * misspelt would silently not hold. What stands in environment variables is let pass, since others put names there too.
 */
final class PropertyNames implements BeanFactoryPostProcessor {

    private static final ConfigurationPropertyName ROOT = ConfigurationPropertyName.of("dualkey");

    private static final ConfigurationPropertyName JWT = ROOT.append("jwt");
    private static final ConfigurationPropertyName JDBC = ROOT.append("jdbc");

    private final Environment environment;

    PropertyNames(Environment environment) {
        this.environment = environment;
    }

    @Override
    public void postProcessBeanFactory(ConfigurableListableBeanFactory beans) {
        List<ConfigurationPropertySource> all = new ArrayList<>();
        List<ConfigurationPropertySource> general = new ArrayList<>();
        for (ConfigurationPropertySource source : ConfigurationPropertySources.get(environment)) {
            all.add(source);
            general.add(source.filter(name -> !JWT.isAncestorOf(name) && !JDBC.isAncestorOf(name)));
        }
        check(ROOT, general, DualkeyProperties.class);
        if (ClassUtils.isPresent("io.dualkey.secrets.jwt.JwtVerifier", beans.getBeanClassLoader())) {
            check(JWT, all, DualkeyJwtProperties.class);
        }
        check(JDBC, all, DualkeyJdbcProperties.class);
        for (String name : List.of(JdbcSecrets.PROPERTY, "dualkey.jwt.secret", JwtSignerSecret.PROPERTY)) {
            refuseSwitch(name);
        }
        for (String name : List.of("algorithms", "key-format", "issuer", "audiences", "clock-skew")) {
            if (isSet("dualkey.jwt." + name) && !isSet("dualkey.jwt.secret") && !isSet(JwtSignerSecret.PROPERTY)) {
                throw new MisconfigurationException(
                        "dualkey.jwt." + name + " is set, but dualkey.jwt.secret is not: no token would be verified.",
                        "Set dualkey.jwt.secret to the name of the secret that holds the key, or remove what else is under"
                                + " dualkey.jwt. (A JwtVerifier bean of your own takes its settings from code.)");
            }
        }
    }

    /** Tells names alone: somebody may have written the secret itself where nobody reads it. */
    private void check(ConfigurationPropertyName part, List<ConfigurationPropertySource> sources, Class<?> type) {
        try {
            var unused = new Binder(sources, new PropertySourcesPlaceholdersResolver(environment))
                    .bind(
                            part,
                            Bindable.of(type),
                            new NoUnboundElementsBindHandler(BindHandler.DEFAULT, new UnboundElementsSourceFilter()));
        } catch (BindException failure) {
            if (!(failure.getCause() instanceof UnboundConfigurationPropertiesException unbound)) {
                throw failure;
            }
            String names = unbound.getUnboundProperties().stream()
                    .map(property -> property.getName().toString())
                    .collect(Collectors.joining(", "));
            throw new MisconfigurationException(
                    "There is no such property: " + names + ".",
                    "Correct the spelling, or remove it. If it holds a secret, put that into a store, and its name here.");
        }
    }

    /** Conditions read it as "off" and binding as a name: what was to rotate or to be verified would be so in part. */
    private void refuseSwitch(String property) {
        if ("false".equalsIgnoreCase(environment.getProperty(property))) {
            throw new MisconfigurationException(
                    property + " is false, but it names a secret and switches nothing off.",
                    "Remove it, or set it only in the profiles that need it.");
        }
    }

    private boolean isSet(String property) {
        return Binder.get(environment)
                .bind(property, Bindable.listOf(String.class))
                .isBound();
    }
}
