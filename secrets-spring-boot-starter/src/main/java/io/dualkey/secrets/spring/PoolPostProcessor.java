package io.dualkey.secrets.spring;

import com.zaxxer.hikari.HikariDataSource;
import io.dualkey.secrets.RotatingSecret;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.jdbc.RotatingDataSource;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.beans.factory.config.DestructionAwareBeanPostProcessor;
import org.springframework.beans.factory.support.AbstractBeanDefinition;
import org.springframework.core.Ordered;
import org.springframework.core.PriorityOrdered;

/** Puts rotating credentials underneath connection pools, once their properties are set and before they start. */
final class PoolPostProcessor implements DestructionAwareBeanPostProcessor, PriorityOrdered {

    /*
     * Concurrency: a bean is made by one thread, and is the only one that writes its entry of `adopted`. Two beans that are made
     * at the same time meet at `unnamed` alone: the pool that got there first is the one that dualkey.jdbc.secret is for.
     */

    private final ConfigurableListableBeanFactory beans;
    private final ObjectProvider<SecretSource> sources;
    private final ObjectProvider<DatabaseSecret> secrets;
    private final ObjectProvider<DualkeyProperties> properties;
    private final ObjectProvider<DualkeyJdbcProperties> settings;

    private final Map<String, Adopted> adopted = new ConcurrentHashMap<>(); // by name of the bean
    private final AtomicReference<@Nullable Adopted> unnamed = new AtomicReference<>();

    PoolPostProcessor(
            ConfigurableListableBeanFactory beans,
            ObjectProvider<SecretSource> sources,
            ObjectProvider<DatabaseSecret> secrets,
            ObjectProvider<DualkeyProperties> properties,
            ObjectProvider<DualkeyJdbcProperties> settings) {
        this.beans = beans;
        this.sources = sources;
        this.secrets = secrets;
        this.properties = properties;
        this.settings = settings;
    }

    /** A bean that is or has a pool, and what was placed underneath, which comes a moment later. */
    private static final class Adopted {

        final String name;
        final Object bean;
        final HikariDataSource pool;
        volatile @Nullable DataSourceRotation rotation;

        Adopted(String name, Object bean, HikariDataSource pool) {
            this.name = name;
            this.bean = bean;
            this.pool = pool;
        }
    }

    /** What properties say of one bean. */
    private record Assignment(String property, @Nullable String secret, int maxFailedLogins) {}

    /** {@return how the credentials of each pool rotate that has been made} */
    List<DataSourceRotation> rotations() {
        return adopted.values().stream()
                .flatMap(one -> Optional.ofNullable(one.rotation).stream())
                .sorted((one, other) -> one.dataSource().compareTo(other.dataSource()))
                .toList();
    }

    /**
     * {@return how the credentials of the pool rotate that {@code dualkey.jdbc.secret} is for; the pool is made if need be}
     *
     * @throws MisconfigurationException if there is no such pool
     */
    DataSourceRotation rotation() {
        for (String name : dataSources()) {
            if (!settings.getObject().dataSources().containsKey(name) && isDefault(name)) {
                var unused = beans.getBean(name);
            }
        }
        Adopted one = unnamed.get();
        DataSourceRotation rotation = one == null ? null : one.rotation;
        if (rotation == null) {
            throw new MisconfigurationException(
                    "dualkey.jdbc.secret is set, but there is no DataSource bean that is a HikariCP pool"
                            + (settings.getObject().dataSources().isEmpty()
                                    ? ""
                                    : " besides those under " + JdbcSecrets.DATA_SOURCES)
                            + ", so no credentials would rotate.",
                    "Add org.springframework.boot:spring-boot-starter-jdbc and let Spring Boot make the pool, or"
                            + " define a HikariDataSource bean. Other pools are not supported.");
        }
        return rotation;
    }

    /**
     * {@return how the credentials of a pool rotate that properties name; the pool is made if need be}
     *
     * @param name the name of the bean
     * @throws MisconfigurationException if it is no bean, or no pool
     */
    DataSourceRotation rotation(String name) {
        if (!beans.containsBean(name)) {
            String known =
                    Arrays.stream(dataSources()).map(bean -> "'" + bean + "'").collect(Collectors.joining(", "));
            throw new MisconfigurationException(
                    JdbcSecrets.property(name) + " is set, but there is no bean '" + name
                            + "', so nothing would rotate. "
                            + (known.isEmpty() ? "There are no DataSource beans." : "The DataSource beans are " + known)
                            + ".",
                    "Write the name of the bean as it is, with its capital letters: that of its @Bean method, or "
                            + JdbcSecrets.POOL_OF_SPRING_BOOT + " for the pool that Spring Boot makes.");
        }
        Object bean = beans.getBean(name);
        Adopted one = adopted.get(name);
        DataSourceRotation rotation = one == null ? null : one.rotation;
        if (rotation == null) {
            throw new MisconfigurationException(
                    JdbcSecrets.property(name) + " is set, but the bean '" + name + "' is no HikariCP pool. It is a "
                            + bean.getClass().getName() + ", so nothing would rotate.",
                    "Have its @Bean method return a HikariDataSource, such as that of"
                            + " DataSourceBuilder.create().type(HikariDataSource.class).build(), or remove the property."
                            + " Other pools are not supported.");
        }
        return rotation;
    }

    private String[] dataSources() {
        return beans.getBeanNamesForType(DataSource.class, true, false);
    }

    @Override
    public Object postProcessBeforeInitialization(Object bean, String name) {
        if (bean instanceof DataSource dataSource) {
            Assignment assignment = assignment(name);
            HikariDataSource pool = assignment == null ? null : poolOf(dataSource);
            if (assignment != null && pool != null) {
                adopt(new Adopted(name, bean, pool), assignment);
            }
        }
        return bean;
    }

    private @Nullable Assignment assignment(String name) {
        DualkeyJdbcProperties all = settings.getObject();
        DualkeyJdbcProperties.DataSource named = all.dataSources().get(name);
        if (named != null) {
            Integer own = named.maxFailedLogins();
            return new Assignment(
                    JdbcSecrets.property(name), named.secret(), own == null ? all.maxFailedLogins() : own);
        }
        return all.secret() != null && isDefault(name)
                ? new Assignment(JdbcSecrets.PROPERTY, all.secret(), all.maxFailedLogins())
                : null;
    }

    /**
     * Whether a bean is one of those that somebody gets who wants "the" data source: the primary one, else all that take part in
     * injection without a qualifier. Those that properties name are not counted.
     */
    private boolean isDefault(String name) {
        List<String> unnamedOnes = Arrays.stream(dataSources())
                .filter(one -> !settings.getObject().dataSources().containsKey(one))
                .toList();
        List<String> primary = unnamedOnes.stream()
                .filter(one -> beans.containsBeanDefinition(one)
                        && beans.getMergedBeanDefinition(one).isPrimary())
                .toList();
        if (!primary.isEmpty()) {
            return primary.contains(name);
        }
        return !beans.containsBeanDefinition(name)
                || !(beans.getMergedBeanDefinition(name) instanceof AbstractBeanDefinition definition)
                || (definition.isAutowireCandidate() && definition.isDefaultCandidate());
    }

    private static @Nullable HikariDataSource poolOf(DataSource dataSource) {
        if (dataSource instanceof HikariDataSource pool) {
            return pool;
        }
        try {
            return dataSource.isWrapperFor(HikariDataSource.class) ? dataSource.unwrap(HikariDataSource.class) : null;
        } catch (SQLException | RuntimeException notYet) { // its target may be missing, or depend on the caller
            return null;
        }
    }

    private void adopt(Adopted fresh, Assignment assignment) {
        if (assignment.property().equals(JdbcSecrets.PROPERTY) && !unnamed.compareAndSet(null, fresh)) {
            Adopted first = unnamed.get();
            if (first == null || first.pool != fresh.pool) {
                throw new MisconfigurationException(
                        "There are several connection pools, among them the beans '"
                                + (first == null ? "" : first.name) + "' and '" + fresh.name
                                + "', and dualkey.jdbc.secret does not say for which it is.",
                        "Name each with a secret of its own, " + JdbcSecrets.property(fresh.name)
                                + "; or make one of them @Primary, or the others @Bean(defaultCandidate = false), and"
                                + " dualkey.jdbc.secret is for that one.");
            }
            return;
        }
        SecretSource source = sources.getObject();
        DataSourceRotation placed = place(fresh, assignment, source);
        try {
            // Somebody may want a connection before all beans are made.
            source.start(properties.getObject().startupTimeout());
        } catch (RuntimeException failure) {
            placed.database().close(); // nobody destroys a bean that was never finished
            throw failure;
        }
        fresh.rotation = placed;
        adopted.put(fresh.name, fresh);
    }

    private DataSourceRotation place(Adopted fresh, Assignment assignment, SecretSource source) {
        RotatingSecret secret = NamedSecret.of(
                source, assignment.property(), properties.getObject().resolve(assignment.secret()));
        DatabaseSecret parsed = fresh.name.equals(JdbcSecrets.POOL_OF_SPRING_BOOT) ? secrets.getIfAvailable() : null;
        try {
            RotatingDataSource.Builder builder = parsed == null
                    ? RotatingDataSource.builder(fresh.pool, secret)
                    : RotatingDataSource.builder(parsed.credentials(source));
            return new DataSourceRotation(
                    fresh.name,
                    secret.name(),
                    builder.maxFailedLogins(assignment.maxFailedLogins()).under(fresh.pool));
        } catch (IllegalStateException | IllegalArgumentException refused) {
            throw new MisconfigurationException(
                    assignment.property() + " cannot be used for the bean '" + fresh.name + "': " + refused.getMessage()
                            + ".",
                    "Let Spring Boot make the pool, or make it with new HikariDataSource() and setters, or with a"
                            + " DataSourceBuilder; none of them starts it.");
        }
    }

    @Override
    public boolean requiresDestruction(Object bean) {
        return adopted.values().stream().anyMatch(one -> one.bean == bean);
    }

    @Override
    public void postProcessBeforeDestruction(Object bean, String name) {
        Adopted one = adopted.get(name);
        DataSourceRotation rotation = one == null || one.bean != bean ? null : one.rotation;
        if (rotation != null) {
            rotation.database().close();
        }
    }

    /** After Spring Boot has bound the pool's properties and applied the connection details. */
    @Override
    public int getOrder() {
        return Ordered.HIGHEST_PRECEDENCE + 3;
    }
}
