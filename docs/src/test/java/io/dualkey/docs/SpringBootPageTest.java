package io.dualkey.docs;

import static org.assertj.core.api.Assertions.assertThat;

import io.dualkey.secrets.spring.DualkeyJdbcProperties;
import io.dualkey.secrets.spring.DualkeyProperties;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.context.properties.bind.BindHandler;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.bind.handler.NoUnboundElementsBindHandler;
import org.springframework.boot.context.properties.source.ConfigurationPropertySources;
import org.springframework.boot.env.YamlPropertySourceLoader;
import org.springframework.core.env.PropertySource;
import org.springframework.core.io.ClassPathResource;

/** The page about Spring Boot names the properties that exist, and its YAML means what it says. */
class SpringBootPageTest {

    @Test
    void tableHasEachPropertyOfTheMetadataAndNoOther() throws Exception {
        Set<String> documented = new TreeSet<>();
        Matcher row = Pattern.compile("^\\| `(dualkey\\.[a-z.-]+)`", Pattern.MULTILINE)
                .matcher(Files.readString(Path.of("spring-boot.md")));
        while (row.find()) {
            documented.add(row.group(1));
        }
        assertThat(documented).isEqualTo(properties());
    }

    private static Set<String> properties() throws Exception {
        Set<String> known = new TreeSet<>();
        for (var file : Collections.list(
                DualkeyProperties.class.getClassLoader().getResources("META-INF/spring-configuration-metadata.json"))) {
            try (var in = file.openStream()) {
                String metadata = new String(in.readAllBytes(), StandardCharsets.UTF_8);
                metadata = metadata.substring(metadata.indexOf("\"properties\""));
                Matcher name =
                        Pattern.compile("\"name\": \"(dualkey\\.[a-z.-]+)\"").matcher(metadata);
                while (name.find()) {
                    known.add(name.group(1));
                }
            }
        }
        assertThat(known).hasSizeGreaterThan(15);
        return known;
    }

    @Test
    void yamlOfThePageIsUnderstoodByTheStarter() throws Exception {
        List<PropertySource<?>> yaml =
                new YamlPropertySourceLoader().load("page", new ClassPathResource("spring-boot-application.yaml"));
        DualkeyProperties properties = new Binder(ConfigurationPropertySources.from(yaml))
                .bind(
                        "dualkey",
                        Bindable.of(DualkeyProperties.class),
                        new NoUnboundElementsBindHandler(BindHandler.DEFAULT))
                .get();
        assertThat(properties.stores().azureKeyVault().url()).isEqualTo("https://kv-prod.vault.azure.net");
        assertThat(properties.stores().awsSecretsManager().prefix()).isEqualTo("aws");
        assertThat(properties.secrets())
                .extracting(DualkeyProperties.Secret::name)
                .containsExactly("sendgrid-api-key", "payment", "feature-key");
        assertThat(properties.secrets().get(1).reference()).isEqualTo("aws:prod/payment#key");
        assertThat(properties.secrets().get(1).rotateEvery()).isEqualTo(Duration.ofDays(90));
        assertThat(properties.secrets().get(2).required()).isFalse();
    }

    @Test
    void yamlOfSeveralDataSourcesIsUnderstoodByTheStarter() throws Exception {
        List<PropertySource<?>> yaml =
                new YamlPropertySourceLoader().load("page", new ClassPathResource("spring-boot-data-sources.yaml"));
        DualkeyJdbcProperties properties = new Binder(ConfigurationPropertySources.from(yaml))
                .bind(
                        "dualkey.jdbc",
                        Bindable.of(DualkeyJdbcProperties.class),
                        new NoUnboundElementsBindHandler(BindHandler.DEFAULT))
                .get();
        assertThat(properties.secret()).isEqualTo("database-url");
        assertThat(properties.dataSources()).containsOnlyKeys("reporting");
        assertThat(properties.dataSources().get("reporting").secret()).isEqualTo("aws:prod/reporting");
    }

    /** The example as it stands, with the directory in place of the one on the page. */
    @Test
    void importsOfThePageMakeProperties(@TempDir Path secrets) throws Exception {
        Files.writeString(secrets.resolve("smtp-password"), "not-a-secret");
        Files.writeString(secrets.resolve("mail-settings"), "{\"spring.mail.host\": \"mail.example.com\"}");
        SpringApplication application = new SpringApplication(SpringBootPageTest.class);
        application.setWebApplicationType(WebApplicationType.NONE);
        try (var context = application.run(
                "--spring.config.name=spring-boot-import", "--dualkey.stores.directory.path=" + secrets)) {
            assertThat(context.getEnvironment().getProperty("spring.mail.password"))
                    .isEqualTo("not-a-secret");
            assertThat(context.getEnvironment().getProperty("spring.mail.host")).isEqualTo("mail.example.com");
            assertThat(context.getEnvironment().containsProperty("license.key")).isFalse();
        }
    }
}
