package io.dualkey.docs;

import static org.assertj.core.api.Assertions.assertThat;

import io.dualkey.secrets.jwt.KeyFormat;
import io.dualkey.secrets.spring.DualkeyJdbcProperties;
import io.dualkey.secrets.spring.DualkeyJwtProperties;
import io.dualkey.secrets.spring.DualkeyProperties;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.springframework.boot.context.properties.bind.BindHandler;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.bind.handler.NoUnboundElementsBindHandler;
import org.springframework.boot.context.properties.source.ConfigurationPropertySources;
import org.springframework.boot.env.YamlPropertySourceLoader;
import org.springframework.core.env.PropertySource;
import org.springframework.core.io.ClassPathResource;

/** The YAML of README.md means what it says. */
class ReadmeConfigurationTest {

    @Test
    void yamlOfTheReadmeIsUnderstoodByTheStarter() throws Exception {
        List<PropertySource<?>> yaml =
                new YamlPropertySourceLoader().load("readme", new ClassPathResource("readme-application.yaml"));
        Binder binder = new Binder(ConfigurationPropertySources.from(yaml));

        DualkeyJwtProperties jwt = bind(binder, "dualkey.jwt", DualkeyJwtProperties.class);
        assertThat(jwt.secret()).isEqualTo("jwt-key");
        assertThat(jwt.keyFormat()).isEqualTo(KeyFormat.BASE64);
        assertThat(jwt.filter().enabled()).isTrue();
        assertThat(bind(binder, "dualkey.jdbc", DualkeyJdbcProperties.class).secret())
                .isEqualTo("database-url");
        assertThat(binder.bind("dualkey", Bindable.of(DualkeyProperties.class))
                        .get()
                        .stores()
                        .directory()
                        .path())
                .isEqualTo("/etc/secrets");
    }

    /** Binds, and fails on a property that is not known. */
    private static <T> T bind(Binder binder, String prefix, Class<T> type) {
        return binder.bind(prefix, Bindable.of(type), new NoUnboundElementsBindHandler(BindHandler.DEFAULT))
                .get();
    }
}
