package io.dualkey.secrets.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.actuate.endpoint.Show;
import org.springframework.boot.actuate.env.EnvironmentEndpoint;
import org.springframework.boot.actuate.env.EnvironmentEndpoint.PropertyValueDescriptor;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Configuration;

/** Properties that are read from secrets once, when an application starts. */
@ExtendWith(OutputCaptureExtension.class)
class SecretImportTest {

    private static final String CANARY = "canary-4711";

    @TempDir
    Path directory;

    @Test
    void aPropertyIsTheValueOfASecret() throws IOException {
        secret("smtp-password", CANARY + "\n");
        try (var application = start("dualkey:spring.mail.password=smtp-password")) {
            assertThat(application.getEnvironment().getProperty("spring.mail.password"))
                    .isEqualTo(CANARY);
        }
    }

    @Test
    void aPropertyIsAFieldOfASecret() throws IOException {
        secret("smtp", "{\"login\": \"x\", \"password\": \"" + CANARY + "\"}");
        try (var application = start("dualkey: spring.mail.password = smtp#password")) {
            assertThat(application.getEnvironment().getProperty("spring.mail.password"))
                    .isEqualTo(CANARY);
        }
    }

    @Test
    void theFieldsOfAJsonSecretAreProperties() throws IOException {
        secret(
                "settings",
                "{\"app.password\": \"" + CANARY
                        + "\", \"app\": {\"hosts\": [\"a\", \"b\"], \"port\": 8080}, \"none\": null}");
        try (var application = start("dualkey:settings")) {
            var environment = application.getEnvironment();
            assertThat(environment.getProperty("app.password")).isEqualTo(CANARY);
            assertThat(environment.getProperty("app.port", Integer.class)).isEqualTo(8080);
            assertThat(Binder.get(environment)
                            .bind("app.hosts", Bindable.listOf(String.class))
                            .get())
                    .containsExactly("a", "b");
            assertThat(environment.containsProperty("none")).isFalse();
        }
    }

    @Test
    void aSecretIsKnownByItsAliasToo() throws IOException {
        secret("prod-key", CANARY);
        try (var application =
                start("dualkey:app.key=key", "dualkey.secrets[0].name=key", "dualkey.secrets[0].reference=prod-key")) {
            assertThat(application.getEnvironment().getProperty("app.key")).isEqualTo(CANARY);
        }
    }

    @Test
    void whatLooksLikeAPlaceholderIsPartOfThePassword() throws IOException {
        String password = "a${" + CANARY + "}b\\${c:d}e}";
        secret("password", password);
        try (var application = start("dualkey:app.password=password", "app.copy=<${app.password}>")) {
            var environment = application.getEnvironment();
            assertThat(environment.getProperty("app.password")).isEqualTo(password);
            assertThat(environment.getProperty("app.copy")).isEqualTo("<" + password + ">");
            assertThat(Binder.get(environment)
                            .bind("app.password", String.class)
                            .get())
                    .isEqualTo(password);
        }
    }

    @Test
    void theStoreMayBeConfiguredForAProfile() throws IOException {
        secret("password", CANARY);
        Path configuration = Files.createDirectory(directory.resolve("config"));
        Files.writeString(configuration.resolve("application.yaml"), """
                spring.config.import: "dualkey:app.password=password"
                ---
                spring.config.activate.on-profile: prod
                dualkey.stores.directory.path: %s
                """.formatted(directory));
        Files.writeString(configuration.resolve("application-prod.yaml"), """
                spring.config.import: "dualkey:app.key=password"
                """);
        try (var application =
                run(List.of("spring.config.location=" + configuration + "/", "spring.profiles.active=prod"))) {
            assertThat(application.getEnvironment().getProperty("app.password")).isEqualTo(CANARY);
            assertThat(application.getEnvironment().getProperty("app.key")).isEqualTo(CANARY);
        }
    }

    @Test
    void aRotationIsNotSeenUntilTheNextStart() throws IOException {
        secret("password", "first");
        try (var application = start("dualkey:app.password=password")) {
            secret("password", "second");
            assertThat(application.getEnvironment().getProperty("app.password")).isEqualTo("first");
        }
        try (var application = start("dualkey:app.password=password")) {
            assertThat(application.getEnvironment().getProperty("app.password")).isEqualTo("second");
        }
    }

    @Test
    void aSecretNeitherSwitchesProfilesOnNorImportsFiles() throws IOException {
        secret("settings", "{\"spring.profiles.active\": \"evil\", \"spring.config.import\": \"file:/nowhere.yaml\"}");
        try (var application = start("dualkey:settings")) {
            assertThat(application.getEnvironment().getActiveProfiles()).isEmpty();
        }
    }

    @Test
    void anOptionalSecretMayBeMissing() {
        try (var application = start("optional:dualkey:app.password=absent")) {
            assertThat(application.getEnvironment().containsProperty("app.password"))
                    .isFalse();
        }
    }

    @Test
    void anOptionalImportNeedsNoStore() {
        try (var application = run(List.of("spring.config.import=optional:dualkey:app.password=absent"))) {
            assertThat(application.getEnvironment().containsProperty("app.password"))
                    .isFalse();
        }
    }

    @Test
    void anOptionalSecretThatIsThereAndCannotBeUsedEndsTheStart(CapturedOutput output) throws IOException {
        secret("settings", "[\"" + CANARY + "\"]");
        failToStart("optional:dualkey:settings");
        assertThat(output)
                .contains("\"dualkey:settings\"", "not one JSON object", "dualkey:some.property=secret")
                .doesNotContain(CANARY);
    }

    @Test
    void saysWhatIsMissingWhereItWasLookedForAndWhatToDo(CapturedOutput output) {
        failToStart("dualkey:app.password=absent");
        assertThat(output)
                .contains("APPLICATION FAILED TO START")
                .contains(
                        "dualkey:app.password=absent",
                        "'absent'",
                        directory.toString(),
                        "create it, or correct its name")
                .contains("write \"optional:dualkey:app.password=absent\"");
    }

    @Test
    void saysThatAStoreIsMissing(CapturedOutput output) {
        assertThatThrownBy(() -> run(List.of("spring.config.import=dualkey:app.password=x")))
                .isInstanceOf(MisconfigurationException.class);
        assertThat(output).contains("nothing says where secrets are kept", "dualkey.stores.directory.path");
    }

    @ParameterizedTest
    @ValueSource(strings = {"dualkey:", "dualkey:app.password="})
    void saysHowToNameASecret(String location, CapturedOutput output) {
        failToStart(location);
        assertThat(output).contains("which names no secret", "dualkey:some.property=secret");
    }

    @Test
    void vaultsInTheCloudAreReadToo(CapturedOutput output) {
        failToStart("dualkey:app.password=azure:x", "dualkey.stores.azure-key-vault.url=no-url");
        failToStart("dualkey:app.password=aws:x", "dualkey.stores.aws-secrets-manager.region=no region");
        assertThat(output).contains("azure-key-vault.url cannot be used", "not the name of a region");
    }

    @Test
    void aBinaryValueIsNoProperty(CapturedOutput output) throws IOException {
        Files.write(directory.resolve("key"), new byte[] {(byte) 0xff, 1, 2});
        failToStart("dualkey:app.key=key");
        assertThat(output).contains("the value is binary", "Write a text to the store");
    }

    @Test
    void malformedJsonIsNotQuoted(CapturedOutput output) throws IOException {
        secret("settings", "{\"app.password\": \"" + CANARY + "\", " + CANARY);
        failToStart("dualkey:settings", "debug=true");
        secret("settings", "{\"a.b\": \"" + CANARY + "\", \"a\": {\"b\": 1}}");
        failToStart("dualkey:settings");
        assertThat(output).contains("not one JSON object", "two fields").doesNotContain(CANARY);
    }

    @ParameterizedTest
    @ValueSource(strings = {"dualkey:app.port=port", "dualkey:imported.port=port"})
    void aValueThatDoesNotFitIsNotQuoted(String location, CapturedOutput output) throws IOException {
        secret("port", CANARY);
        List<String> properties = new ArrayList<>(List.of("debug=true"));
        if (location.contains("imported")) {
            properties.add("app.port=${imported.port}");
        }
        failToStart(location, properties.toArray(String[]::new));
        assertThat(output)
                .contains("APPLICATION FAILED TO START", "app.port", "Its value is not shown")
                .doesNotContain(CANARY);
    }

    @Test
    void showsOnlyWhereEverythingIsToBeShown(CapturedOutput output) throws IOException {
        secret("password", CANARY);
        try (var application =
                start("dualkey:app.password=password", "logging.level.org.springframework=trace", "debug=true")) {
            var environment = application.getEnvironment();
            assertThat(descriptor(new EnvironmentEndpoint(environment, List.of(), Show.NEVER))
                            .getValue())
                    .isEqualTo("******");
            PropertyValueDescriptor shown = descriptor(new EnvironmentEndpoint(environment, List.of(), Show.ALWAYS));
            assertThat(shown.getValue()).isEqualTo(CANARY);
            assertThat(shown.getOrigin()).isEqualTo("secret 'password' in directory " + directory);
            assertThat(environment.toString()).contains("dualkey:app.password").doesNotContain(CANARY);
            assertThat(environment.getPropertySources().toString()).doesNotContain(CANARY);
        }
        assertThat(output).doesNotContain(CANARY);
    }

    private static PropertyValueDescriptor descriptor(EnvironmentEndpoint endpoint) {
        return endpoint.environmentEntry("app.password").getPropertySources().stream()
                .filter(source -> source.getName().contains("dualkey:"))
                .findFirst()
                .orElseThrow()
                .getProperty();
    }

    private void secret(String name, String value) throws IOException {
        Files.writeString(directory.resolve(name), value);
    }

    private ConfigurableApplicationContext start(String location, String... properties) {
        List<String> all = new ArrayList<>(List.of(properties));
        all.add("dualkey.stores.directory.path=" + directory);
        all.add("spring.config.import=" + location);
        return run(all);
    }

    private void failToStart(String location, String... properties) {
        assertThatThrownBy(() -> start(location, properties).close()).isNotNull();
    }

    private static ConfigurableApplicationContext run(List<String> properties) {
        SpringApplication application = new SpringApplication(Application.class);
        application.setWebApplicationType(WebApplicationType.NONE);
        return application.run(
                properties.stream().map(property -> "--" + property).toArray(String[]::new));
    }

    /** Has a property that must be a number where it is set. */
    @Configuration(proxyBeanMethods = false)
    @EnableConfigurationProperties(Settings.class)
    static class Application {}

    /**
     * Settings.
     *
     * @param port a number
     */
    @ConfigurationProperties("app")
    record Settings(Integer port) {}
}
