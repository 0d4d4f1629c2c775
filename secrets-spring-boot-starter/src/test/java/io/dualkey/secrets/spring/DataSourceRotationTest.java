package io.dualkey.secrets.spring;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.dualkey.secrets.InMemoryStore;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.SecretStartupException;
import io.dualkey.secrets.SecretState;
import io.dualkey.secrets.SecretStore;
import io.dualkey.secrets.jdbc.RotatingDataSource;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import org.assertj.core.api.AbstractThrowableAssert;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.health.contributor.CompositeHealthContributor;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthContributor;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.boot.health.contributor.Status;
import org.springframework.boot.jdbc.DataSourceBuilder;
import org.springframework.boot.jdbc.autoconfigure.DataSourceAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.DataSourceProperties;
import org.springframework.boot.jdbc.autoconfigure.DataSourceTransactionManagerAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.JdbcClientAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.JdbcConnectionDetails;
import org.springframework.boot.jdbc.autoconfigure.JdbcTemplateAutoConfiguration;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.ApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.DelegatingDataSource;
import org.springframework.jdbc.datasource.DriverManagerDataSource;
import org.springframework.transaction.PlatformTransactionManager;

/** Wiring only: nothing listens where these pools would connect to. See {@code ApplicationIT} for a real database. */
class DataSourceRotationTest {

    private static final String PASSWORD = "canary-4711";
    private static final String SECRET =
            "postgresql://app:" + PASSWORD + "@localhost:1/shop?ApplicationName=canary-4712";

    private final InMemoryStore store = new InMemoryStore();

    private final ApplicationContextRunner runner = new ApplicationContextRunner()
            .withConfiguration(AutoConfigurations.of(
                    SecretsAutoConfiguration.class,
                    SecretsHealthAutoConfiguration.class,
                    DatabaseSecretAutoConfiguration.class,
                    DataSourceRotationAutoConfiguration.class,
                    DataSourceAutoConfiguration.class,
                    DataSourceTransactionManagerAutoConfiguration.class,
                    JdbcTemplateAutoConfiguration.class,
                    JdbcClientAutoConfiguration.class))
            .withBean(SecretStore.class, () -> store);

    private final ApplicationContextRunner configured = runner.withPropertyValues("dualkey.jdbc.secret=database-url");

    @BeforeEach
    void put() {
        store.put("database-url", SECRET);
    }

    @Test
    void springBootsOwnPoolStaysAndHasRotatingCredentialsUnderneath() {
        configured
                .withPropertyValues("spring.datasource.hikari.maximum-pool-size=7")
                .run(context -> {
                    assertThat(context).hasNotFailed().hasSingleBean(DataSourceRotation.class);
                    HikariDataSource pool = context.getBean(HikariDataSource.class);
                    assertThat(pool.getMaximumPoolSize()).isEqualTo(7);
                    assertThat(poolThatRotates(context)).isSameAs(pool);
                });
    }

    @Test
    void thePoolHoldsNothingThatIsSecret() {
        configured.run(context -> {
            HikariDataSource pool = context.getBean(HikariDataSource.class);
            assertThat(pool.getJdbcUrl()).isEqualTo("jdbc:postgresql://localhost:1/shop");
            assertThat(pool.getUsername()).isNull();
            assertThat(pool.getPassword()).isNull();
            assertThat(context.getBean(JdbcConnectionDetails.class).toString()).doesNotContain("canary");
        });
    }

    @Test
    void thePoolRemainsTheDataSourceThatIsInjected() {
        configured.withBean(Injected.class).run(context -> {
            HikariDataSource pool = context.getBean(HikariDataSource.class);
            Injected injected = context.getBean(Injected.class);
            assertThat(injected.single).isSameAs(pool);
            assertThat(injected.all).containsExactly(pool);
            assertThat(injected.unique).isSameAs(pool);
            assertThat(injected.rotation.secret()).isEqualTo("database-url");
            assertThat(context).hasSingleBean(DataSource.class);
            assertThat(context).hasSingleBean(JdbcClient.class).hasSingleBean(PlatformTransactionManager.class);
        });
    }

    @Test
    void aSecretMayBeThePasswordAloneWhereTheUrlIsConfigured() {
        store.delete("database-url");
        store.put("database-url", PASSWORD);
        configured
                .withPropertyValues(
                        "spring.datasource.url=jdbc:postgresql://localhost:1/shop?ssl=false",
                        "spring.datasource.username=app")
                .run(context -> {
                    assertThat(context).hasNotFailed();
                    assertThat(context.getBean(SecretSource.class).status("database-url"))
                            .hasValueSatisfying(
                                    status -> assertThat(status.state()).isNotEqualTo(SecretState.UNAVAILABLE));
                    assertThat(context.getBean(HikariDataSource.class).getUsername())
                            .isNull();
                });
    }

    @Test
    void theSecretMayBeAFieldOfAnother() {
        store.put("all", "{\"database\": \"" + SECRET + "\"}");
        runner.withPropertyValues("dualkey.jdbc.secret=all#database").run(context -> {
            assertThat(context.getBean(DataSourceRotation.class).secret()).isEqualTo("all");
            HealthIndicator indicator = (HealthIndicator) Objects.requireNonNull(
                    context.getBean(CompositeHealthContributor.class).getContributor("all"));
            assertThat(Objects.requireNonNull(indicator.health()).getDetails()).containsKey("credentials");
        });
    }

    @Test
    void refusesWhatNamesNoSecret() {
        misconfigured(runner.withPropertyValues("dualkey.jdbc.secret=all#"))
                .hasMessageContaining("dualkey.jdbc.secret does not name a secret");
        misconfigured(runner.withPropertyValues("dualkey.jdbc.secret= "))
                .hasMessageContaining("dualkey.jdbc.secret is blank");
    }

    @Test
    void doesNothingWithoutTheProperty() {
        runner.withPropertyValues("spring.datasource.url=jdbc:postgresql://localhost:1/shop")
                .run(context -> {
                    assertThat(context).hasSingleBean(HikariDataSource.class).doesNotHaveBean(DataSourceRotation.class);
                    assertThat(context).doesNotHaveBean(PoolPostProcessor.class);
                });
    }

    @Test
    void anApplicationsOwnPoolRotatesToo() {
        store.delete("database-url");
        store.put("database-url", PASSWORD);
        configured
                .withBean("mine", DataSource.class, () -> {
                    HikariDataSource mine = new HikariDataSource();
                    mine.setJdbcUrl("jdbc:postgresql://localhost:1/shop");
                    mine.setUsername("app");
                    return mine;
                })
                .run(context -> {
                    assertThat(context).hasNotFailed().doesNotHaveBean(JdbcConnectionDetails.class);
                    assertThat(poolThatRotates(context)).isSameAs(context.getBean("mine"));
                });
    }

    @Test
    void aPoolInsideAnotherDataSourceRotatesToo() {
        HikariDataSource inner = new HikariDataSource();
        configured
                .withBean("outer", DataSource.class, () -> new DelegatingDataSource(inner))
                .run(context -> assertThat(poolThatRotates(context)).isSameAs(inner));
        assertThat(inner.isClosed()).isTrue();
    }

    @Test
    void anApplicationsOwnRotatingDataSourceWins() {
        configured
                .withBean(
                        "mine",
                        RotatingDataSource.class,
                        () -> RotatingDataSource.over(
                                new HikariConfig(), SecretSource.from(store).secret("database-url")))
                .run(context -> assertThat(context)
                        .hasNotFailed()
                        .hasSingleBean(RotatingDataSource.class)
                        .hasSingleBean(DataSource.class)
                        .doesNotHaveBean(PoolPostProcessor.class));
    }

    @Test
    void closesWithThePool() {
        HikariDataSource[] pool = new HikariDataSource[1];
        configured.run(context -> pool[0] = context.getBean(HikariDataSource.class));

        assertThat(pool[0].isClosed()).isTrue();
    }

    @Test
    void startupNamesEverySecretThatIsWrongAtOnce() {
        store.delete("database-url");
        store.put("database-url", "postgresql://" + PASSWORD);
        configured
                .withPropertyValues("dualkey.secrets=absent")
                .run(context -> assertThat(context)
                        .getFailure()
                        .rootCause()
                        .isInstanceOf(SecretStartupException.class)
                        .hasMessageContaining("2 secrets")
                        .hasMessageContaining("'database-url'")
                        .hasMessageContaining("'absent'")
                        .hasMessageNotContaining(PASSWORD));
    }

    @Test
    void refusesAPoolThatHasAlreadyStarted() {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl("jdbc:postgresql://localhost:1/shop");
        config.setInitializationFailTimeout(-1);
        try (HikariDataSource started = new HikariDataSource(config)) {
            misconfigured(configured.withBean("mine", DataSource.class, () -> started))
                    .hasMessageContaining("has already started");
        }
    }

    @Test
    void refusesAnotherKindOfPool() {
        misconfigured(configured.withBean("mine", DataSource.class, DriverManagerDataSource::new))
                .hasMessageContaining("no DataSource bean that is a HikariCP pool");
    }

    @Test
    void refusesTwoPools() {
        Supplier<DataSource> pool = HikariDataSource::new;
        misconfigured(configured.withBean("one", DataSource.class, pool).withBean("two", DataSource.class, pool))
                .hasMessageContaining("several connection pools")
                .hasMessageContaining("'one'")
                .hasMessageContaining("'two'");
    }

    @Test
    void aSecondDataSourceHasASecretOfItsOwn() {
        store.put("reporting-url", "postgresql://reader:" + PASSWORD + "@localhost:1/reports");
        configured
                .withUserConfiguration(Reporting.class)
                .withPropertyValues("dualkey.jdbc.data-sources.reporting.secret=reporting-url")
                .withBean(Operators.class)
                .run(context -> {
                    assertThat(secretsByPool(context))
                            .containsOnly(
                                    Map.entry("dataSource", "database-url"), Map.entry("reporting", "reporting-url"));
                    HikariDataSource reporting = context.getBean("reporting", HikariDataSource.class);
                    assertThat(context.getBean(HikariDataSource.class)).isNotSameAs(reporting);
                    assertThat(reporting.getMaximumPoolSize()).isEqualTo(3);
                    assertThat(reporting.getUsername()).isNull();
                    assertThat(reporting.getPassword()).isNull();

                    Operators operators = context.getBean(Operators.class);
                    assertThat(operators.first.dataSource()).isEqualTo("dataSource");
                    assertThat(operators.reporting.secret()).isEqualTo("reporting-url");
                    assertThat(operators.reporting.database().pool()).isSameAs(reporting);
                });
    }

    @Test
    void eachDataSourceShowsInTheHealthOfItsSecret() {
        store.put("reporting-url", "postgresql://reader:" + PASSWORD + "@localhost:1/reports");
        configured
                .withUserConfiguration(Reporting.class)
                .withPropertyValues("dualkey.jdbc.data-sources.reporting.secret=reporting-url")
                .run(context -> {
                    for (String secret : List.of("database-url", "reporting-url")) {
                        HealthIndicator indicator = (HealthIndicator)
                                Objects.requireNonNull(context.getBean(CompositeHealthContributor.class)
                                        .getContributor(secret));
                        Health health = Objects.requireNonNull(indicator.health());
                        assertThat(health.getDetails()).containsKeys("login", "credentials");
                    }
                });
    }

    @Test
    void aDataSourceMadeFromPropertiesOfItsOwnRotatesToo() {
        store.put("reporting-password", PASSWORD);
        configured
                .withUserConfiguration(FromProperties.class)
                .withPropertyValues(
                        "app.reporting.url=jdbc:postgresql://localhost:1/reports",
                        "app.reporting.username=reader",
                        "dualkey.jdbc.data-sources.reporting.secret=reporting-password",
                        "dualkey.jdbc.data-sources.reporting.max-failed-logins=1")
                .run(context -> assertThat(secretsByPool(context))
                        .containsOnly(
                                Map.entry("dataSource", "database-url"), Map.entry("reporting", "reporting-password")));
    }

    @Test
    void twoDataSourcesMayShareASecret() {
        runner.withUserConfiguration(Reporting.class)
                .withPropertyValues(
                        "dualkey.jdbc.data-sources.dataSource.secret=database-url",
                        "dualkey.jdbc.data-sources.reporting.secret=database-url")
                .run(context -> {
                    assertThat(secretsByPool(context))
                            .containsOnly(
                                    Map.entry("dataSource", "database-url"), Map.entry("reporting", "database-url"));
                    assertThat(context.getBean(JdbcConnectionDetails.class).getJdbcUrl())
                            .isEqualTo("jdbc:postgresql://localhost:1/shop");
                });
    }

    @Test
    void dataSourcesThatAreNotNamedStayAsTheyAre() {
        runner.withUserConfiguration(Reporting.class)
                .withPropertyValues(
                        "spring.datasource.url=jdbc:postgresql://localhost:1/shop",
                        "spring.datasource.username=app",
                        "dualkey.jdbc.data-sources.reporting.secret=database-url")
                .run(context -> {
                    assertThat(secretsByPool(context)).containsOnlyKeys("reporting");
                    HikariDataSource untouched = context.getBean("dataSource", HikariDataSource.class);
                    assertThat(untouched.getUsername()).isEqualTo("app");
                    assertThat(untouched.getDataSource()).isNull();
                    assertThat(context).hasSingleBean(DataSourceRotation.class);
                });
        configured
                .withUserConfiguration(Reporting.class)
                .run(context -> assertThat(secretsByPool(context)).containsOnlyKeys("dataSource"));
    }

    @Test
    void ofSeveralPoolsTheSimplePropertyMeansThePrimaryOne() {
        Supplier<DataSource> pool = HikariDataSource::new;
        configured
                .withBean("one", DataSource.class, pool)
                .withBean("two", DataSource.class, pool, definition -> definition.setPrimary(true))
                .run(context -> assertThat(secretsByPool(context)).containsOnlyKeys("two"));
    }

    @Test
    void eachPoolClosesWithItsOwnBean() {
        HikariDataSource[] pools = new HikariDataSource[2];
        configured
                .withUserConfiguration(Reporting.class)
                .withPropertyValues("dualkey.jdbc.data-sources.reporting.secret=database-url")
                .run(context -> {
                    pools[0] = context.getBean("dataSource", HikariDataSource.class);
                    pools[1] = context.getBean("reporting", HikariDataSource.class);
                    context.getSourceApplicationContext().getBeanFactory().destroyBean("reporting", pools[1]);
                    assertThat(pools[1].isClosed()).isTrue();
                    assertThat(pools[0].isClosed()).isFalse();
                });
        assertThat(pools[0].isClosed()).isTrue();
    }

    @Test
    void refusesANameThatIsNoBean() {
        misconfigured(configured
                        .withUserConfiguration(Reporting.class)
                        .withPropertyValues("dualkey.jdbc.data-sources.Reporting.secret=database-url"))
                .hasMessageContaining(
                        "dualkey.jdbc.data-sources.Reporting.secret is set, but there is no bean 'Reporting'")
                .hasMessageContaining("'dataSource'")
                .hasMessageContaining("'reporting'");
    }

    @Test
    void refusesANamedBeanThatIsNoPool() {
        misconfigured(runner.withBean("other", DataSource.class, DriverManagerDataSource::new)
                        .withPropertyValues("dualkey.jdbc.data-sources.other.secret=database-url"))
                .hasMessageContaining("the bean 'other' is no HikariCP pool")
                .hasMessageContaining("DriverManagerDataSource");
        misconfigured(configured
                        .withBean("text", String.class, () -> "x")
                        .withPropertyValues("dualkey.jdbc.data-sources.text.secret=database-url"))
                .hasMessageContaining("the bean 'text' is no HikariCP pool");
    }

    @Test
    void refusesANamedPoolThatHasAlreadyStarted() {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl("jdbc:postgresql://localhost:1/shop");
        config.setInitializationFailTimeout(-1);
        try (HikariDataSource started = new HikariDataSource(config)) {
            misconfigured(runner.withBean("mine", DataSource.class, () -> started)
                            .withPropertyValues("dualkey.jdbc.data-sources.mine.secret=database-url"))
                    .hasMessageContaining("dualkey.jdbc.data-sources.mine.secret cannot be used for the bean 'mine'")
                    .hasMessageContaining("has already started");
        }
    }

    @Test
    void refusesAnEntryWithoutASecret() {
        misconfigured(configured
                        .withUserConfiguration(Reporting.class)
                        .withPropertyValues("dualkey.jdbc.data-sources.reporting.max-failed-logins=2"))
                .hasMessageContaining("dualkey.jdbc.data-sources.reporting.secret is blank");
    }

    @Test
    void aNamedPoolIsNotLeftToADataSourceThatRotatesByItself() {
        runner.withUserConfiguration(Reporting.class)
                .withPropertyValues("dualkey.jdbc.data-sources.reporting.secret=database-url")
                .withBean(
                        "mine",
                        RotatingDataSource.class,
                        () -> RotatingDataSource.over(
                                new HikariConfig(), SecretSource.from(store).secret("database-url")))
                .run(context -> assertThat(secretsByPool(context)).containsOnlyKeys("reporting"));
    }

    @Test
    void startupNamesTheMissingSecretsOfAllDataSources() {
        store.delete("database-url");
        configured
                .withUserConfiguration(Reporting.class)
                .withPropertyValues("dualkey.jdbc.data-sources.reporting.secret=absent")
                .run(context -> assertThat(context)
                        .getFailure()
                        .rootCause()
                        .isInstanceOf(SecretStartupException.class)
                        .hasMessageContaining("'database-url'")
                        .hasMessageContaining("'absent'"));
    }

    @Test
    void refusesAUrlThatCannotBeUsed() {
        misconfigured(configured.withPropertyValues("spring.datasource.url=http://example.com"))
                .hasMessageContaining("spring.datasource.url");
    }

    @Test
    void failsWhereTheLibraryIsAbsentThatWouldRotate() {
        for (String absent : List.of("io.dualkey.secrets.jdbc", "com.zaxxer.hikari")) {
            misconfigured(configured.withClassLoader(new FilteredClassLoader(absent)))
                    .hasMessageContaining("dualkey.jdbc.secret is set, but ")
                    .hasMessageContaining("is not on the class path");
        }
        misconfigured(runner.withClassLoader(new FilteredClassLoader("io.dualkey.secrets.jdbc"))
                        .withPropertyValues("dualkey.jdbc.data-sources.reporting.secret=database-url"))
                .hasMessageContaining("dualkey.jdbc.data-sources.reporting.secret is set, but io.dualkey:secrets-jdbc");
        runner.withClassLoader(new FilteredClassLoader("io.dualkey.secrets.jdbc", "com.zaxxer.hikari"))
                .run(context -> assertThat(context).hasNotFailed().hasSingleBean(SecretSource.class));
    }

    @Test
    void worksWithoutHealth() {
        configured
                .withClassLoader(new FilteredClassLoader(HealthContributor.class.getPackageName()))
                .run(context -> assertThat(context)
                        .hasSingleBean(DataSourceRotation.class)
                        .doesNotHaveBean(SecretHealthDetails.class));
    }

    @Test
    void isDownWhileNoLoginHasProvenTheCredentials() {
        configured.run(context -> {
            HealthIndicator indicator = (HealthIndicator) Objects.requireNonNull(
                    context.getBean(CompositeHealthContributor.class).getContributor("database-url"));
            Health health = Objects.requireNonNull(indicator.health());
            assertThat(health.getStatus()).isEqualTo(Status.DOWN);
            assertThat(health.getDetails()).containsKey("login");
            assertThat(health.toString()).doesNotContain("canary");
        });
    }

    private static HikariDataSource poolThatRotates(ApplicationContext context) {
        return context.getBean(PoolPostProcessor.class).rotation().database().pool();
    }

    private static Map<String, String> secretsByPool(ApplicationContext context) {
        return context.getBean(PoolPostProcessor.class).rotations().stream()
                .collect(Collectors.toMap(DataSourceRotation::dataSource, DataSourceRotation::secret));
    }

    private static AbstractThrowableAssert<?, ?> misconfigured(ApplicationContextRunner application) {
        Throwable[] failure = new Throwable[1];
        application.run(context -> failure[0] = context.getStartupFailure());
        return assertThat(failure[0])
                .isNotNull()
                .extracting(DataSourceRotationTest::root, InstanceOfAssertFactories.THROWABLE)
                .isInstanceOf(MisconfigurationException.class);
    }

    private static Throwable root(Throwable failure) {
        return failure.getCause() == null ? failure : root(failure.getCause());
    }

    /** As Spring Boot's documentation has a second data source. */
    @Configuration(proxyBeanMethods = false)
    static class Reporting {

        @Bean(defaultCandidate = false)
        @Qualifier("reporting")
        HikariDataSource reporting() {
            HikariDataSource pool =
                    DataSourceBuilder.create().type(HikariDataSource.class).build();
            pool.setMaximumPoolSize(3);
            return pool;
        }
    }

    /** The other way that it shows. */
    @Configuration(proxyBeanMethods = false)
    static class FromProperties {

        @Bean(defaultCandidate = false)
        @Qualifier("reporting")
        @ConfigurationProperties("app.reporting")
        DataSourceProperties reportingProperties() {
            return new DataSourceProperties();
        }

        @Bean(defaultCandidate = false)
        @Qualifier("reporting")
        HikariDataSource reporting(@Qualifier("reporting") DataSourceProperties properties) {
            return properties
                    .initializeDataSourceBuilder()
                    .type(HikariDataSource.class)
                    .build();
        }
    }

    /** Asks how two data sources rotate. */
    static final class Operators {

        final DataSourceRotation first;
        final DataSourceRotation reporting;

        Operators(DataSourceRotation first, @Qualifier("reporting") DataSourceRotation reporting) {
            this.first = first;
            this.reporting = reporting;
        }
    }

    /** A bean that wants a data source in each of the usual ways. */
    static final class Injected {

        final DataSource single;
        final List<DataSource> all;
        final DataSource unique;
        final DataSourceRotation rotation;

        Injected(
                DataSource single,
                List<DataSource> all,
                ObjectProvider<DataSource> unique,
                DataSourceRotation rotation) {
            this.single = single;
            this.all = all;
            this.unique = unique.getIfUnique();
            this.rotation = rotation;
        }
    }
}
