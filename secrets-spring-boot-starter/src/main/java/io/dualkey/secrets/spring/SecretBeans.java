package io.dualkey.secrets.spring;

import io.dualkey.secrets.Rotating;
import io.dualkey.secrets.RotatingSecret;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.SecretValue;
import java.util.List;
import java.util.function.Supplier;
import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.beans.factory.support.AutowireCandidateQualifier;
import org.springframework.beans.factory.support.BeanDefinitionRegistry;
import org.springframework.beans.factory.support.BeanDefinitionRegistryPostProcessor;
import org.springframework.beans.factory.support.RootBeanDefinition;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.core.ResolvableType;
import org.springframework.core.env.Environment;

/** Registers two beans for each secret that {@code dualkey.secrets} names: the handle, and the handle on its text. */
final class SecretBeans implements BeanDefinitionRegistryPostProcessor {

    private static final ResolvableType TEXT = ResolvableType.forClassWithGenerics(Rotating.class, String.class);

    private final Environment environment;

    SecretBeans(Environment environment) {
        this.environment = environment;
    }

    /** The entries of {@code dualkey.secrets}. */
    static List<DualkeyProperties.Secret> listed(Environment environment) {
        return Binder.get(environment)
                .bind("dualkey.secrets", Bindable.listOf(DualkeyProperties.Secret.class))
                .orElse(List.of());
    }

    @Override
    public void postProcessBeanDefinitionRegistry(BeanDefinitionRegistry registry) {
        if (!(registry instanceof ListableBeanFactory beans)) {
            return;
        }
        for (DualkeyProperties.Secret secret : listed(environment)) {
            String name = secret.name();
            if (name != null && !registry.containsBeanDefinition("dualkeySecret-" + name)) {
                register(
                        registry,
                        "dualkeySecret-" + name,
                        name,
                        ResolvableType.forClass(RotatingSecret.class),
                        () -> handle(beans, secret));
                register(
                        registry,
                        "dualkeySecretText-" + name,
                        name,
                        TEXT,
                        () -> handle(beans, secret).map(SecretValue::revealText));
            }
        }
    }

    private static RotatingSecret handle(ListableBeanFactory beans, DualkeyProperties.Secret secret) {
        return NamedSecret.of(beans.getBean(SecretSource.class), "dualkey.secrets", secret.where());
    }

    private static void register(
            BeanDefinitionRegistry registry,
            String beanName,
            String secret,
            ResolvableType type,
            Supplier<?> supplier) {
        RootBeanDefinition definition = new RootBeanDefinition();
        definition.setTargetType(type);
        definition.setInstanceSupplier(supplier);
        definition.addQualifier(new AutowireCandidateQualifier(Secret.class, secret));
        definition.setLazyInit(true);
        registry.registerBeanDefinition(beanName, definition);
    }

    @Override
    public void postProcessBeanFactory(ConfigurableListableBeanFactory beans) {}
}
