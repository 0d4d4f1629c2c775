package io.dualkey.secrets.spring;

import java.util.Map;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.beans.factory.support.AutowireCandidateQualifier;
import org.springframework.beans.factory.support.BeanDefinitionRegistry;
import org.springframework.beans.factory.support.BeanDefinitionRegistryPostProcessor;
import org.springframework.beans.factory.support.RootBeanDefinition;
import org.springframework.core.env.Environment;

/** Registers a {@link DataSourceRotation} for each data source that properties name, with that name as its qualifier. */
final class DataSourceRotationBeans implements BeanDefinitionRegistryPostProcessor {

    private final Environment environment;

    DataSourceRotationBeans(Environment environment) {
        this.environment = environment;
    }

    @Override
    public void postProcessBeanDefinitionRegistry(BeanDefinitionRegistry registry) {
        if (!(registry instanceof ConfigurableListableBeanFactory beans)) {
            return;
        }
        Map<String, DualkeyJdbcProperties.DataSource> named = JdbcSecrets.dataSources(environment);
        boolean another = environment.containsProperty(JdbcSecrets.PROPERTY);
        for (String name : named.keySet()) {
            RootBeanDefinition definition = new RootBeanDefinition(
                    DataSourceRotation.class,
                    () -> beans.getBean(PoolPostProcessor.class).rotation(name));
            definition.addQualifier(new AutowireCandidateQualifier(Qualifier.class, name));
            // That of dualkey.jdbc.secret is what an injection without a qualifier means.
            definition.setDefaultCandidate(!another);
            // At startup even where beans are lazy, so that a pool which could not rotate is noticed then.
            definition.setLazyInit(false);
            registry.registerBeanDefinition("dataSourceRotation-" + name, definition);
        }
    }

    @Override
    public void postProcessBeanFactory(ConfigurableListableBeanFactory beans) {}
}
