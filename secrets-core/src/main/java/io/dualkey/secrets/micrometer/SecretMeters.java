package io.dualkey.secrets.micrometer;

import io.dualkey.secrets.Outcome;
import io.dualkey.secrets.Role;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.SecretState;
import io.dualkey.secrets.SecretStatus;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.TimeGauge;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;

/**
 * Registers meters for the secrets of a source. Tags carry names of secrets, roles and outcomes; never a value, a version
 * id or a user.
 *
 * <ul>
 *   <li>{@code dualkey.secret.checks} (tags {@code secret}, {@code outcome}): checks with the store that have ended
 *   <li>{@code dualkey.secret.uses} (tags {@code secret}, {@code role}): recorded uses of a version in that role
 *   <li>{@code dualkey.secret.unused} (tags {@code secret}, {@code role}): time since the last of them
 *   <li>{@code dualkey.secret.stale} (tag {@code secret}): time since the last successful check
 *   <li>{@code dualkey.secret.versions} (tag {@code secret}): versions accepted now
 *   <li>{@code dualkey.secret.healthy} (tag {@code secret}): 1 when healthy, 0 when degraded or worse
 * </ul>
 *
 * <p>Meters exist for the secrets that handles were made for before {@link #bindTo}. Safe for use by several threads.
 */
public final class SecretMeters implements MeterBinder {

    private final SecretSource source;
    private final Clock clock;

    /**
     * Meters of a source.
     *
     * @param source the source; the meters keep it alive
     */
    public SecretMeters(SecretSource source) {
        this(source, Clock.systemUTC());
    }

    SecretMeters(SecretSource source, Clock clock) {
        this.source = source;
        this.clock = clock;
    }

    @Override
    public void bindTo(MeterRegistry registry) {
        source.statuses().forEach(status -> bind(status.name(), registry));
    }

    private void bind(String secret, MeterRegistry registry) {
        for (Outcome outcome : Outcome.values()) {
            FunctionCounter.builder(
                            "dualkey.secret.checks",
                            source,
                            read(secret, status -> status.checks().getOrDefault(outcome, 0L)))
                    .description("Checks of a secret with its store, by their outcome")
                    .tag("secret", secret)
                    .tag("outcome", tag(outcome))
                    .register(registry);
        }
        for (Role role : Role.values()) {
            FunctionCounter.builder(
                            "dualkey.secret.uses",
                            source,
                            read(secret, status -> status.uses().getOrDefault(role, 0L)))
                    .description("Uses of a version of a secret, by its role at the time")
                    .tag("secret", secret)
                    .tag("role", tag(role))
                    .register(registry);
            TimeGauge.builder(
                            "dualkey.secret.unused",
                            source,
                            TimeUnit.SECONDS,
                            age(
                                    secret,
                                    status -> Optional.ofNullable(
                                            status.lastUses().get(role))))
                    .description("Time since a version in this role was last used; NaN if never")
                    .tag("secret", secret)
                    .tag("role", tag(role))
                    .register(registry);
        }
        TimeGauge.builder("dualkey.secret.stale", source, TimeUnit.SECONDS, age(secret, SecretStatus::lastSuccess))
                .description("Time since the last successful check of a secret; NaN if there was none")
                .tag("secret", secret)
                .register(registry);
        Gauge.builder(
                        "dualkey.secret.versions",
                        source,
                        read(
                                secret,
                                status -> status.versions().stream()
                                        .filter(version -> version.role() != Role.UPCOMING)
                                        .count()))
                .description("Versions of a secret that are accepted now")
                .tag("secret", secret)
                .register(registry);
        Gauge.builder(
                        "dualkey.secret.healthy",
                        source,
                        read(secret, status -> status.state() == SecretState.HEALTHY ? 1L : 0L))
                .description("1 while a secret is healthy, 0 while it is degraded, unavailable or loading")
                .tag("secret", secret)
                .register(registry);
    }

    private static ToDoubleFunction<SecretSource> read(String secret, Function<SecretStatus, Long> figure) {
        return source -> source.status(secret).map(figure).orElse(0L).doubleValue();
    }

    private ToDoubleFunction<SecretSource> age(String secret, Function<SecretStatus, Optional<Instant>> time) {
        return source -> source.status(secret)
                .flatMap(time)
                .map(then -> Duration.between(then, clock.instant()).toMillis() / 1000.0)
                .orElse(Double.NaN);
    }

    private static String tag(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }
}
