package io.dualkey.secrets.spring;

import java.util.ArrayList;
import java.util.List;
import org.springframework.beans.factory.config.BeanFactoryPostProcessor;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.boot.context.properties.bind.BindHandler;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.bind.PropertySourcesPlaceholdersResolver;
import org.springframework.boot.context.properties.bind.handler.NoUnboundElementsBindHandler;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertySource;
import org.springframework.boot.context.properties.source.ConfigurationPropertySources;
import org.springframework.boot.context.properties.source.UnboundElementsSourceFilter;
import org.springframework.core.env.Environment;

/**
 * Ends the start where a property under {@code dualkey} does not exist, or would not be read: a limit or a condition that is
 * misspelt would silently not hold. What stands in environment variables is let pass, since others put names there too.
 */
final class PropertyNames implements BeanFactoryPostProcessor {

    private static final ConfigurationPropertyName ROOT = ConfigurationPropertyName.of("dualkey");

    /** Bound by themselves, where they are needed. */
    private static final List<ConfigurationPropertyName> PARTS = List.of(ROOT.append("jwt"), ROOT.append("jdbc"));

    private final Environment environment;

    PropertyNames(Environment environment) {
        this.environment = environment;
    }

    @Override
    public void postProcessBeanFactory(ConfigurableListableBeanFactory beans) {
        List<ConfigurationPropertySource> sources = new ArrayList<>();
        for (ConfigurationPropertySource source : ConfigurationPropertySources.get(environment)) {
            sources.add(source.filter(name -> PARTS.stream().noneMatch(part -> part.isAncestorOf(name))));
        }
        var unused = new Binder(sources, new PropertySourcesPlaceholdersResolver(environment))
                .bind(
                        ROOT,
                        Bindable.of(DualkeyProperties.class),
                        new NoUnboundElementsBindHandler(BindHandler.DEFAULT, new UnboundElementsSourceFilter()));
        for (String name : List.of("algorithms", "key-format", "issuer", "audiences", "clock-skew")) {
            if (isSet("dualkey.jwt." + name) && !isSet("dualkey.jwt.secret") && !isSet(JwtSignerSecret.PROPERTY)) {
                throw new MisconfigurationException(
                        "dualkey.jwt." + name + " is set, but dualkey.jwt.secret is not: no token would be verified.",
                        "Set dualkey.jwt.secret to the name of the secret that holds the key, or remove what else is under"
                                + " dualkey.jwt. (A JwtVerifier bean of your own takes its settings from code.)");
            }
        }
    }

    private boolean isSet(String property) {
        return Binder.get(environment)
                .bind(property, Bindable.listOf(String.class))
                .isBound();
    }
}
