package io.dualkey.secrets.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.dualkey.secrets.DirectoryStore;
import io.dualkey.secrets.InMemoryStore;
import io.dualkey.secrets.Outcome;
import io.dualkey.secrets.RefreshCause;
import io.dualkey.secrets.RefreshResult;
import io.dualkey.secrets.Rotating;
import io.dualkey.secrets.RotatingSecret;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.SecretStartupException;
import io.dualkey.secrets.SecretState;
import io.dualkey.secrets.SecretStore;
import io.dualkey.secrets.SecretValue;
import io.dualkey.secrets.micrometer.SecretMeters;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
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
                    SecretsEndpointAutoConfiguration.class,
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
                    SecretSource source = context.getBean(SecretSource.class);
                    assertThat(source.statuses())
                            .singleElement()
                            .satisfies(status -> assertThat(status.store())
                                    .isEqualTo(DirectoryStore.at(directory).description()));
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
                    SecretSource source = context.getBean(SecretSource.class);
                    assertThat(source.secret("PATH").current().revealText()).isEqualTo(System.getenv("PATH"));
                });
    }

    @Test
    void asksSeveralStoresInTurnTheDirectoryFirst() throws Exception {
        Files.writeString(directory.resolve("HOME"), "from the directory");
        runner.withPropertyValues(
                        "dualkey.stores.directory.path=" + directory,
                        "dualkey.stores.environment.enabled=true",
                        "dualkey.secrets=HOME,PATH")
                .run(context -> {
                    SecretSource source = context.getBean(SecretSource.class);
                    assertThat(source.secret("HOME").current().revealText()).isEqualTo("from the directory");
                    assertThat(source.secret("PATH").current().revealText()).isEqualTo(System.getenv("PATH"));
                });
    }

    @Test
    void keepsStoresApartThatHavePrefixes() throws Exception {
        Files.writeString(directory.resolve("key"), "k-1");
        runner.withPropertyValues(
                        "dualkey.stores.directory.path=" + directory,
                        "dualkey.stores.directory.prefix=files",
                        "dualkey.stores.environment.enabled=true",
                        "dualkey.stores.environment.prefix=env",
                        "dualkey.secrets=files:key,env:PATH")
                .run(context -> {
                    SecretSource source = context.getBean(SecretSource.class);
                    assertThat(source.secret("files:key").current().revealText())
                            .isEqualTo("k-1");
                    assertThat(source.secret("env:PATH").current().revealText()).isEqualTo(System.getenv("PATH"));
                });
    }

    @Test
    void givesSecretsSettingsOfTheirOwn() {
        memory.put("prod/payment", "{\"key\":\"k-1\"}");
        memory.put("api-key", "a-1");
        runner.withBean(SecretStore.class, () -> memory)
                .withPropertyValues(
                        "dualkey.secrets[0]=api-key",
                        "dualkey.secrets[1].name=payment",
                        "dualkey.secrets[1].reference=prod/payment#key",
                        "dualkey.secrets[1].grace=1h",
                        "dualkey.secrets[1].rotate-every=90d",
                        "dualkey.secrets[1].max-stale=6h",
                        "dualkey.secrets[1].fail-closed=true",
                        "dualkey.secrets[2].name=extra",
                        "dualkey.secrets[2].required=false")
                .run(context -> {
                    SecretSource source = context.getBean(SecretSource.class);
                    assertThat(source.secret("prod/payment").policy().grace()).isEqualTo(Duration.ofHours(1));
                    assertThat(source.secret("api-key").policy().grace()).isEqualTo(Duration.ofHours(24));
                    assertThat(source.status("prod/payment").orElseThrow().rotationDue())
                            .isPresent();
                    assertThat(source.status("extra").orElseThrow().state()).isEqualTo(SecretState.UNAVAILABLE);
                });
    }

    @Test
    void limitsHowLongEverySecretIsServedWithoutAGoodCheck() {
        memory.put("api-key", "a-1");
        memory.put("patient", "p-1");
        runner.withBean(SecretStore.class, () -> memory)
                .withPropertyValues(
                        "dualkey.refresh-interval=20ms",
                        "dualkey.max-stale=100ms",
                        "dualkey.fail-closed=true",
                        "dualkey.secrets[0].name=api-key",
                        "dualkey.secrets[1].name=patient",
                        "dualkey.secrets[1].max-stale=1h")
                .run(context -> {
                    SecretSource source = context.getBean(SecretSource.class);
                    memory.failWith(Outcome.UNREACHABLE);
                    await().until(() -> source.status("api-key").orElseThrow().state() == SecretState.UNAVAILABLE);
                    assertThat(source.secret("patient").current().revealText()).isEqualTo("p-1");
                });
    }

    @Test
    void injectsHandlesByNameThatFollowARotation() {
        memory.put("prod/payment", "{\"key\":\"k-1\"}");
        memory.put("api-key", "a-1");
        runner.withBean(SecretStore.class, () -> memory)
                .withBean(Clients.class)
                .withPropertyValues(
                        "dualkey.secrets[0]=api-key",
                        "dualkey.secrets[1].name=payment",
                        "dualkey.secrets[1].reference=prod/payment#key")
                .run(context -> {
                    Clients clients = context.getBean(Clients.class);
                    assertThat(clients.apiKey.current()).isEqualTo("a-1");
                    assertThat(clients.payment.current().revealText()).isEqualTo("k-1");
                    assertThat(clients.paymentSecret.status().name()).isEqualTo("prod/payment");
                    memory.put("api-key", "a-2");
                    assertThat(clients.apiKey.refresh(RefreshCause.OPERATOR)).succeedsWithin(Duration.ofSeconds(10));
                    assertThat(clients.apiKey.current()).isEqualTo("a-2");
                });
    }

    @Test
    void endpointTellsMetadataAndRefreshes() {
        memory.put("api-key", "canary-1");
        runner.withBean(SecretStore.class, () -> memory)
                .withPropertyValues("dualkey.secrets=api-key", "management.endpoints.web.exposure.include=secrets")
                .run(context -> {
                    SecretsEndpoint endpoint = context.getBean(SecretsEndpoint.class);
                    Map<String, Object> before = Objects.requireNonNull(endpoint.secret("api-key"));
                    assertThat(before)
                            .containsEntry("state", "healthy")
                            .containsEntry("lastOutcome", "ok")
                            .containsKeys("store", "lastCheck", "lastSuccess", "nextCheck", "versions", "lastUsed");
                    memory.put("api-key", "canary-2");
                    assertThat(Objects.requireNonNull(endpoint.refresh("api-key")))
                            .succeedsWithin(Duration.ofSeconds(10))
                            .isEqualTo(Map.of("result", "changed"));
                    assertThat(endpoint.secrets().toString())
                            .contains("api-key", "role=previous", "acceptedUntil")
                            .doesNotContain("canary");
                    assertThat(endpoint.secret("unknown")).isNull();
                    assertThat(endpoint.refresh("unknown")).isNull();
                });
    }

    @Test
    void endpointIsNotThereUnlessItIsExposed() {
        runner.withBean(SecretStore.class, () -> memory)
                .run(context -> assertThat(context).hasNotFailed().doesNotHaveBean(SecretsEndpoint.class));
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

    /** A bean that gets its handles. */
    static final class Clients {

        final Rotating<String> apiKey;
        final Rotating<SecretValue> payment;
        final RotatingSecret paymentSecret;

        Clients(
                @Secret("api-key") Rotating<String> apiKey,
                @Secret("payment") Rotating<SecretValue> payment,
                @Secret("payment") RotatingSecret paymentSecret) {
            this.apiKey = apiKey;
            this.payment = payment;
            this.paymentSecret = paymentSecret;
        }
    }

    /** A bean that makes its own handle. */
    static final class ApiClient {

        final Rotating<String> key;

        ApiClient(SecretSource secrets) {
            key = secrets.secret("api-key").map(SecretValue::revealText);
        }
    }
}
