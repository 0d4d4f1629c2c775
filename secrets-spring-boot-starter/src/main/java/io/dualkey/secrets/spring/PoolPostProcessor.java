package io.dualkey.secrets.spring;

import com.zaxxer.hikari.HikariDataSource;
import io.dualkey.secrets.RotatingSecret;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.jdbc.RotatingDataSource;
import java.sql.SQLException;
import java.util.Optional;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.DestructionAwareBeanPostProcessor;
import org.springframework.core.Ordered;
import org.springframework.core.PriorityOrdered;

/** Puts rotating credentials underneath the application's connection pool, once its properties are set and before it starts. */
final class PoolPostProcessor implements DestructionAwareBeanPostProcessor, PriorityOrdered {

    private final ObjectProvider<SecretSource> sources;
    private final ObjectProvider<DatabaseSecret> secrets;
    private final ObjectProvider<DualkeyProperties> properties;
    private final ObjectProvider<DualkeyJdbcProperties> settings;

    private @Nullable String adoptedName;
    private @Nullable Object adoptedBean;
    private @Nullable DataSourceRotation rotation;

    PoolPostProcessor(
            ObjectProvider<SecretSource> sources,
            ObjectProvider<DatabaseSecret> secrets,
            ObjectProvider<DualkeyProperties> properties,
            ObjectProvider<DualkeyJdbcProperties> settings) {
        this.settings = settings;
        this.sources = sources;
        this.secrets = secrets;
        this.properties = properties;
    }

    /** {@return how the pool's credentials rotate; empty if no pool has been made} */
    synchronized Optional<DataSourceRotation> rotation() {
        return Optional.ofNullable(rotation);
    }

    @Override
    public Object postProcessBeforeInitialization(Object bean, String name) {
        if (bean instanceof DataSource dataSource) {
            HikariDataSource pool = poolOf(dataSource);
            if (pool != null) {
                adopt(pool, name, bean);
            }
        }
        return bean;
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

    private synchronized void adopt(HikariDataSource pool, String name, Object bean) {
        if (rotation != null) {
            if (rotation.database().pool() != pool) {
                throw new MisconfigurationException(
                        "There are several connection pools, among them the beans '" + adoptedName + "' and '" + name
                                + "', and dualkey.jdbc.secret does not say for which it is.",
                        "Several pools come with a later version. Until then, remove dualkey.jdbc.secret and place"
                                + " RotatingDataSource.under(pool, secret) underneath each pool in code.");
            }
            return;
        }
        SecretSource source = sources.getObject();
        RotatingSecret secret = NamedSecret.of(
                source,
                DatabaseSecret.PROPERTY,
                properties.getObject().resolve(settings.getObject().secret()));
        RotatingDataSource placed;
        try {
            placed = place(pool, secret, source);
        } catch (IllegalStateException | IllegalArgumentException refused) {
            throw new MisconfigurationException(
                    "dualkey.jdbc.secret cannot be used for the bean '" + name + "': " + refused.getMessage() + ".",
                    "Let Spring Boot make the pool, or make it with new HikariDataSource() and setters, which does not"
                            + " start it.");
        }
        try {
            // Somebody may want a connection before all beans are made.
            source.start(properties.getObject().startupTimeout());
        } catch (RuntimeException failure) {
            placed.close(); // nobody destroys a bean that was never finished
            throw failure;
        }
        rotation = new DataSourceRotation(secret.name(), placed);
        adoptedName = name;
        adoptedBean = bean;
    }

    private RotatingDataSource place(HikariDataSource pool, RotatingSecret secret, SecretSource source) {
        DatabaseSecret parsed = secrets.getIfAvailable();
        RotatingDataSource.Builder builder = parsed == null
                ? RotatingDataSource.builder(pool, secret)
                : RotatingDataSource.builder(parsed.credentials(source));
        return builder.maxFailedLogins(settings.getObject().maxFailedLogins()).under(pool);
    }

    @Override
    public synchronized boolean requiresDestruction(Object bean) {
        return bean == adoptedBean;
    }

    @Override
    public void postProcessBeforeDestruction(Object bean, String name) {
        rotation().ifPresent(done -> done.database().close());
    }

    /** After Spring Boot has bound the pool's properties and applied the connection details. */
    @Override
    public int getOrder() {
        return Ordered.HIGHEST_PRECEDENCE + 3;
    }
}
