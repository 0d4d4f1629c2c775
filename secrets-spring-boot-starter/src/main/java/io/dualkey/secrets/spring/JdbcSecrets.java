package io.dualkey.secrets.spring;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.context.annotation.Condition;
import org.springframework.context.annotation.ConditionContext;
import org.springframework.core.env.Environment;
import org.springframework.core.type.AnnotatedTypeMetadata;

/** Which secrets of connection pools properties name, for what has to know before there are beans. */
final class JdbcSecrets {

    /** For the only pool, or the primary one. */
    static final String PROPERTY = "dualkey.jdbc.secret";

    static final String DATA_SOURCES = "dualkey.jdbc.data-sources";

    /** What Spring Boot calls the pool that it makes. */
    static final String POOL_OF_SPRING_BOOT = "dataSource";

    private JdbcSecrets() {}

    static String property(String dataSource) {
        return DATA_SOURCES + "." + dataSource + ".secret";
    }

    /** The data sources that are named, by the names of their beans. */
    static Map<String, DualkeyJdbcProperties.DataSource> dataSources(Environment environment) {
        return Binder.get(environment)
                .bind(DATA_SOURCES, Bindable.mapOf(String.class, DualkeyJdbcProperties.DataSource.class))
                .orElse(Map.of());
    }

    /** All references to secrets, by the properties that have them; null where there is none in an entry. */
    static Map<String, @Nullable String> references(Environment environment) {
        Map<String, @Nullable String> references = new LinkedHashMap<>();
        if (environment.containsProperty(PROPERTY)) {
            references.put(PROPERTY, environment.getProperty(PROPERTY));
        }
        dataSources(environment).forEach((name, one) -> references.put(property(name), one.secret()));
        return references;
    }

    /** What the pool that Spring Boot makes is to log in with; null if that is not configured. */
    static @Nullable String ofSpringBootsPool(DualkeyJdbcProperties settings) {
        DualkeyJdbcProperties.DataSource named = settings.dataSources().get(POOL_OF_SPRING_BOOT);
        return named != null ? named.secret() : settings.secret();
    }

    /** Whether there is any. */
    static final class AreNamed implements Condition {

        @Override
        public boolean matches(ConditionContext context, AnnotatedTypeMetadata metadata) {
            return !references(context.getEnvironment()).isEmpty();
        }
    }

    /** Whether there are any of data sources by name. */
    static final class OfDataSourcesAreNamed implements Condition {

        @Override
        public boolean matches(ConditionContext context, AnnotatedTypeMetadata metadata) {
            return !dataSources(context.getEnvironment()).isEmpty();
        }
    }

    /** Whether there is one for the pool that Spring Boot makes, if it makes one. */
    static final class OfSpringBootsPoolIsNamed implements Condition {

        @Override
        public boolean matches(ConditionContext context, AnnotatedTypeMetadata metadata) {
            Environment environment = context.getEnvironment();
            return environment.containsProperty(PROPERTY)
                    || dataSources(environment).containsKey(POOL_OF_SPRING_BOOT);
        }
    }
}
