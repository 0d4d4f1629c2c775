package io.dualkey.secrets.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.dualkey.secrets.InMemoryStore;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.SecretStore;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Properties;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.context.annotation.ImportCandidates;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.AbstractApplicationContextRunner;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.context.runner.ReactiveWebApplicationContextRunner;
import org.springframework.boot.test.context.runner.WebApplicationContextRunner;
import org.springframework.util.ClassUtils;

/** Secrets are there, whichever of the libraries is not that only some users have. */
class OptionalLibrariesTest {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "com.azure",
                "com.nimbusds",
                "com.zaxxer.hikari",
                "io.dualkey.secrets.aws",
                "io.dualkey.secrets.azure",
                "io.dualkey.secrets.jdbc",
                "io.dualkey.secrets.jwt",
                "io.dualkey.secrets.micrometer",
                "io.micrometer",
                "jakarta.servlet",
                "org.springframework.boot.actuate",
                "org.springframework.boot.health",
                "org.springframework.boot.jdbc",
                "org.springframework.boot.micrometer",
                "org.springframework.boot.security",
                "org.springframework.boot.web.servlet",
                "org.springframework.http",
                "org.springframework.jdbc",
                "org.springframework.security",
                "org.springframework.web.reactive",
                "org.springframework.web.servlet",
                "reactor",
                "software.amazon.awssdk"
            })
    void startsWithout(String library) throws Exception {
        starts(new ApplicationContextRunner(), library);
        if (!library.equals("jakarta.servlet") && !library.equals("org.springframework.boot.web.servlet")) {
            starts(new WebApplicationContextRunner(), library);
        }
        if (!library.equals("org.springframework.web.reactive")
                && !library.equals("org.springframework.http")
                && !library.equals("reactor")) {
            starts(new ReactiveWebApplicationContextRunner(), library);
        }
    }

    private static void starts(AbstractApplicationContextRunner<?, ?, ?> runner, String library) throws Exception {
        InMemoryStore store = new InMemoryStore();
        store.put("api-key", "k-1");
        ClassLoader without = new FilteredClassLoader(library);
        boolean[] started = new boolean[1];
        runner.withConfiguration(AutoConfigurations.of(ours(without)))
                .withClassLoader(without)
                .withBean(SecretStore.class, () -> store)
                .withPropertyValues("dualkey.secrets=api-key")
                .run(context -> {
                    assertThat(context.getStartupFailure()).isNull();
                    assertThat(context.getBean(SecretSource.class)
                                    .secret("api-key")
                                    .current()
                                    .revealText())
                            .isEqualTo("k-1");
                    started[0] = true;
                });
        assertThat(started[0]).isTrue();
    }

    /** The auto-configurations that Spring Boot would load: it looks into the metadata for the classes that they need. */
    private static Class<?>[] ours(ClassLoader without) throws IOException, ClassNotFoundException {
        Properties metadata = new Properties();
        for (var file : Collections.list(without.getResources("META-INF/spring-autoconfigure-metadata.properties"))) {
            try (InputStream in = file.openStream()) {
                metadata.load(in);
            }
        }
        List<Class<?>> loaded = new ArrayList<>();
        for (String name : ImportCandidates.load(AutoConfiguration.class, without)) {
            if (name.startsWith("io.dualkey.")
                    && Stream.of(metadata.getProperty(name + ".ConditionalOnClass", "")
                                    .split(","))
                            .allMatch(needed -> needed.isEmpty() || ClassUtils.isPresent(needed, without))) {
                loaded.add(Class.forName(name));
            }
        }
        assertThat(loaded).contains(SecretsAutoConfiguration.class).hasSizeLessThan(20);
        return loaded.toArray(Class<?>[]::new);
    }
}
