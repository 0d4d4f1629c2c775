package io.dualkey.secrets.spring;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.bind.BindException;
import org.springframework.boot.context.properties.bind.validation.BindValidationException;
import org.springframework.boot.context.properties.source.ConfigurationProperty;
import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.origin.Origin;
import org.springframework.boot.origin.PropertySourceOrigin;
import org.springframework.core.Ordered;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.Environment;
import org.springframework.validation.FieldError;

/**
 * Says that an imported secret does not fit the property that it is for, without quoting it. It goes before Spring Boot's own
 * analyzers, which show the value.
 */
final class ImportedValueFailureAnalyzer extends AbstractFailureAnalyzer<BindException> implements Ordered {

    private final Environment environment;

    ImportedValueFailureAnalyzer(Environment environment) {
        this.environment = environment;
    }

    @Override
    protected @Nullable FailureAnalysis analyze(Throwable rootFailure, BindException cause) {
        List<String> properties = new ArrayList<>();
        ConfigurationProperty property = cause.getProperty();
        if (property != null && mayQuote(property)) {
            properties.add(property.getName() + ", from " + property.getOrigin());
        }
        BindValidationException invalid = findCause(cause, BindValidationException.class);
        if (invalid != null) {
            invalid.getValidationErrors().getAllErrors().stream()
                    .filter(error -> isImported(Origin.from(error)))
                    .map(error -> (error instanceof FieldError field
                                    ? invalid.getValidationErrors().getName() + "." + field.getField()
                                    : error.getObjectName())
                            + ", from " + Origin.from(error))
                    .forEach(properties::add);
        }
        if (properties.isEmpty()) {
            return null;
        }
        String description = "A secret that spring.config.import names does not fit "
                + cause.getTarget().getType() + ". Its value is not shown:\n\n  - "
                + String.join("\n  - ", properties);
        String action = "Write a value to the store that fits, or correct the name of the secret.";
        return new FailureAnalysis(description, action, new MisconfigurationException(description, action));
    }

    private boolean mayQuote(ConfigurationProperty property) {
        boolean composed = String.valueOf(property.getValue()).contains("${");
        return isImported(property.getOrigin()) || (composed && secretsAreImported());
    }

    private boolean secretsAreImported() {
        return environment instanceof ConfigurableEnvironment configurable
                && configurable.getPropertySources().stream().anyMatch(ImportedSecret.class::isInstance);
    }

    private static boolean isImported(@Nullable Origin origin) {
        return origin instanceof PropertySourceOrigin from && from.getPropertySource() instanceof ImportedSecret;
    }

    @Override
    public int getOrder() {
        return HIGHEST_PRECEDENCE;
    }
}
