package io.dualkey.secrets.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.dualkey.secrets.DirectoryStore;
import io.dualkey.secrets.EnvironmentStore;
import io.dualkey.secrets.InMemoryStore;
import io.dualkey.secrets.RefreshCause;
import io.dualkey.secrets.RefreshResult;
import io.dualkey.secrets.Rotating;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.SecretStartupException;
import io.dualkey.secrets.SecretStore;
import io.dualkey.secrets.SecretValue;
import io.dualkey.secrets.micrometer.SecretMeters;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.LazyInitializationBeanFactoryPostProcessor;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.health.contributor.HealthContributor;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;

class SecretsAutoConfigurationTest {

    private final ApplicationContextRunner runner = new ApplicationContextRunner()
            .withConfiguration(AutoConfigurations.of(
                    SecretsAutoConfiguration.class,
                    SecretsHealthAutoConfiguration.class,
                    SecretsMetricsAutoConfiguration.class));

    private final InMemoryStore memory = new InMemoryStore();

    @TempDir
    Path directory;

    @Test
    void backsOffWhereNothingIsConfigured() {
        runner.run(context -> assertThat(context)
                .hasNotFailed()
                .doesNotHaveBean(SecretStore.class)
                .doesNotHaveBean(SecretSource.class)
                .doesNotHaveBean("secretsStartup")
                .doesNotHaveBean("dualkeyHealthContributor")
                .doesNotHaveBean(SecretMeters.class));
    }

    @Test
    void loadsListedSecretsFromADirectory() throws Exception {
        Files.writeString(directory.resolve("api-key"), "k-1");
        runner.withPropertyValues(
                        "dualkey.stores.directory.path=" + directory,
                        "dualkey.secrets=api-key",
                        "dualkey.refresh-interval=5s",
                        "dualkey.grace=2h")
                .run(context -> {
                    assertThat(context.getBean(SecretStore.class)).isInstanceOf(DirectoryStore.class);
                    SecretSource source = context.getBean(SecretSource.class);
                    assertThat(source.statuses()).hasSize(1);
                    assertThat(source.secret("api-key").current().revealText()).isEqualTo("k-1");
                    assertThat(source.secret("api-key").policy().refreshInterval())
                            .isEqualTo(Duration.ofSeconds(5));
                    assertThat(source.secret("api-key").policy().grace()).isEqualTo(Duration.ofHours(2));
                });
    }

    @Test
    void hasTheDocumentedDefaults() {
        runner.withBean(SecretStore.class, () -> memory).run(context -> {
            DualkeyProperties properties = context.getBean(DualkeyProperties.class);
            assertThat(properties.refreshInterval()).isEqualTo(Duration.ofSeconds(60));
            assertThat(properties.grace()).isEqualTo(Duration.ofHours(24));
            assertThat(properties.startupTimeout()).isEqualTo(Duration.ofSeconds(10));
            assertThat(properties.secrets()).isEmpty();
        });
    }

    @Test
    void readsTheEnvironmentWhereThatIsEnabled() {
        runner.withPropertyValues("dualkey.stores.environment.enabled=true", "dualkey.secrets=PATH")
                .run(context -> {
                    assertThat(context.getBean(SecretStore.class)).isInstanceOf(EnvironmentStore.class);
                    SecretSource source = context.getBean(SecretSource.class);
                    assertThat(source.secret("PATH").current().revealText()).isEqualTo(System.getenv("PATH"));
                });
    }

    @Test
    void anApplicationsOwnStoreWins() {
        memory.put("api-key", "k-1");
        runner.withBean(SecretStore.class, () -> memory)
                .withPropertyValues("dualkey.stores.directory.path=" + directory, "dualkey.secrets=api-key")
                .run(context -> assertThat(context.getBean(SecretStore.class)).isSameAs(memory));
    }

    @Test
    void anApplicationsOwnSourceWinsAndIsStarted() {
        memory.put("api-key", "k-1");
        SecretSource mine = SecretSource.from(memory);
        Rotating<SecretValue> key = mine.secret("api-key");
        runner.withBean(SecretSource.class, () -> mine).run(context -> {
            assertThat(context.getBean(SecretSource.class)).isSameAs(mine);
            assertThat(key.current().revealText()).isEqualTo("k-1");
        });
    }

    @Test
    void waitsForHandlesThatBeansMakeForThemselves() {
        memory.put("api-key", "k-1");
        runner.withBean(SecretStore.class, () -> memory)
                .withBean(ApiClient.class)
                .run(context -> assertThat(context.getBean(ApiClient.class).key.current())
                        .isEqualTo("k-1"));
    }

    @Test
    void failsWhereABeanWantsASecretThatIsMissing() {
        runner.withBean(SecretStore.class, () -> memory)
                .withBean(ApiClient.class)
                .run(context -> assertThat(context)
                        .getFailure()
                        .isInstanceOf(SecretStartupException.class)
                        .hasMessageContaining("'api-key'"));
    }

    @Test
    void loadsSecretsAlsoWhereBeansAreInitializedLazily() {
        runner.withInitializer(context ->
                        context.addBeanFactoryPostProcessor(new LazyInitializationBeanFactoryPostProcessor()))
                .withBean(SecretStore.class, () -> memory)
                .withPropertyValues("dualkey.secrets=api-key")
                .run(context -> assertThat(context).getFailure().hasRootCauseInstanceOf(SecretStartupException.class));
    }

    @Test
    void closesTheSourceWithTheContext() {
        memory.put("api-key", "k-1");
        SecretSource[] source = new SecretSource[1];
        runner.withBean(SecretStore.class, () -> memory)
                .withPropertyValues("dualkey.secrets=api-key", "dualkey.refresh-interval=10ms")
                .run(context -> source[0] = context.getBean(SecretSource.class));

        assertThat(source[0].secret("api-key").current().revealText()).isEqualTo("k-1");
        assertThat(source[0].secret("api-key").refresh(RefreshCause.OPERATOR))
                .isCompletedWithValue(RefreshResult.LIMITED);
    }

    @Test
    void backsOffPartByPartWhereALibraryIsAbsent() {
        ApplicationContextRunner configured = runner.withBean(SecretStore.class, () -> memory);

        configured.run(
                context -> assertThat(context).hasSingleBean(SecretMeters.class).hasBean("dualkeyHealthContributor"));
        configured
                .withClassLoader(new FilteredClassLoader(MeterBinder.class))
                .run(context -> assertThat(context)
                        .hasSingleBean(SecretSource.class)
                        .hasBean("dualkeyHealthContributor")
                        .doesNotHaveBean("secretMeters"));
        configured
                .withClassLoader(new FilteredClassLoader(HealthContributor.class.getPackageName()))
                .run(context -> assertThat(context)
                        .hasSingleBean(SecretSource.class)
                        .hasSingleBean(SecretMeters.class)
                        .doesNotHaveBean("dualkeyHealthContributor"));
    }

    @Test
    void healthCanBeTurnedOff() {
        runner.withBean(SecretStore.class, () -> memory)
                .withPropertyValues("management.health.dualkey.enabled=false")
                .run(context -> assertThat(context).doesNotHaveBean("dualkeyHealthContributor"));
    }

    /** A bean that makes its own handle. */
    static final class ApiClient {

        final Rotating<String> key;

        ApiClient(SecretSource secrets) {
            key = secrets.secret("api-key").map(SecretValue::revealText);
        }
    }
}
