package io.dualkey.secrets.spring;

import io.dualkey.secrets.Role;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.SecretState;
import io.dualkey.secrets.SecretStatus;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.health.contributor.CompositeHealthContributor;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthContributor;
import org.springframework.boot.health.contributor.HealthContributors;
import org.springframework.boot.health.contributor.HealthIndicator;

/**
 * The health of each secret, from cached state: no I/O. A secret that is served is up, also when it is degraded, since
 * restarting or unplugging the service would not mend its store; one that is not served is down, or unknown if the service
 * can do without it.
 */
final class SecretsHealthContributor implements CompositeHealthContributor {

    private final SecretSource source;
    private final SecretNames names;
    private final List<SecretHealthDetails> details;

    SecretsHealthContributor(SecretSource source, SecretNames names, List<SecretHealthDetails> details) {
        this.source = source;
        this.names = names;
        this.details = details;
    }

    @Override
    public @Nullable HealthContributor getContributor(String alias) {
        String name = names.nameOf(alias);
        return source.status(name).map(status -> indicator(name)).orElse(null);
    }

    @Override
    public Stream<HealthContributors.Entry> stream() {
        return source.statuses().stream()
                .map(status -> new Entry(names.aliasOf(status.name()), indicator(status.name())));
    }

    private HealthIndicator indicator(String name) {
        return () -> source.status(name).map(this::health).orElse(null);
    }

    private Health health(SecretStatus status) {
        boolean served = status.state() == SecretState.HEALTHY || status.state() == SecretState.DEGRADED;
        Health.Builder health =
                served ? Health.up() : names.isOptional(status.name()) ? Health.unknown() : Health.down();
        health.withDetail("state", status.state().name().toLowerCase(Locale.ROOT));
        if (!status.detail().isEmpty()) {
            health.withDetail("reason", status.detail());
        }
        if (!status.warnings().isEmpty()) {
            health.withDetail("warnings", status.warnings());
        }
        status.lastSuccess().ifPresent(time -> health.withDetail("lastSuccess", time.toString()));
        if (details.stream().allMatch(part -> part.acceptsPrevious(status.name()))) {
            status.version(Role.PREVIOUS)
                    .flatMap(SecretStatus.VersionStatus::acceptedUntil)
                    .ifPresent(time -> health.withDetail("previousAcceptedUntil", time.toString()));
        }
        details.forEach(part -> part.addTo(status.name(), health));
        return health.build();
    }
}
