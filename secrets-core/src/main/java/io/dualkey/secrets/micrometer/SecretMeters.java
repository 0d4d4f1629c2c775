package io.dualkey.secrets.micrometer;

import io.dualkey.secrets.Outcome;
import io.dualkey.secrets.Role;
import io.dualkey.secrets.SecretObserver;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.SecretState;
import io.dualkey.secrets.SecretStatus;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.TimeGauge;
import io.micrometer.core.instrument.Timer;
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
 * Registers meters for the secrets of a source, also for those that handles are made for later. Tags carry names of secrets,
 * roles and outcomes; never a value, a version id or a user. {@code docs/metrics.md} explains each meter.
 *
 * <p>Safe for use by several threads.
 */
public final class SecretMeters implements MeterBinder {

    private final SecretSource source;
    private final Clock clock;

    /**
     * Makes meters of a source.
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
        for (String store : source.calls().keySet()) {
            FunctionCounter.builder(
                            "dualkey.store.calls",
                            source,
                            from -> from.calls().getOrDefault(store, 0L).doubleValue())
                    .description("Calls of a store to its service")
                    .tag("store", store)
                    .register(registry);
        }
        var unused = source.observe(new SecretObserver() {
            @Override
            public void registered(String secret) {
                bind(secret, registry);
            }

            @Override
            public void checked(String secret, Outcome outcome, Duration took) {
                timer(secret, outcome, registry).record(took);
            }
        });
    }

    private static Timer timer(String secret, Outcome outcome, MeterRegistry registry) {
        return Timer.builder("dualkey.secret.refresh")
                .description("Checks of a secret with its store: how many, and how long the store took")
                .tag("secret", secret)
                .tag("outcome", tag(outcome))
                .register(registry);
    }

    private void bind(String secret, MeterRegistry registry) {
        for (Outcome outcome : Outcome.values()) {
            var unused = timer(secret, outcome, registry); // there from the start, so that alerts find a zero
        }
        for (Role role : Role.values()) {
            FunctionCounter.builder(
                            "dualkey.secret.uses",
                            source,
                            figure(secret, status -> status.uses().getOrDefault(role, 0L)))
                    .description("Uses of a version of a secret, by its role at the time")
                    .tag("secret", secret)
                    .tag("role", tag(role))
                    .register(registry);
            seconds(
                            "dualkey.secret.unused",
                            secret,
                            status -> Optional.ofNullable(status.lastUses().get(role))
                                    .map(this::since))
                    .description("Time since a version in this role was last used; NaN if never")
                    .tag("role", tag(role))
                    .register(registry);
        }
        seconds(
                        "dualkey.secret.age",
                        secret,
                        status -> status.version(Role.CURRENT)
                                .flatMap(SecretStatus.VersionStatus::activatedAt)
                                .map(this::since))
                .description("Time since the current version came into force; NaN if nobody knows")
                .register(registry);
        seconds(
                        "dualkey.secret.stale",
                        secret,
                        status -> status.lastSuccess()
                                .filter(time -> status.canChange())
                                .map(this::since))
                .description("Time since the last successful check; NaN if there was none, or if it cannot change")
                .register(registry);
        seconds(
                        "dualkey.secret.rotation.overdue",
                        secret,
                        status -> status.rotationDue().map(this::since))
                .description(
                        "Time since the current version should have been replaced; negative before, NaN if not set")
                .register(registry);
        seconds("dualkey.secret.expires", secret, status -> status.expires().map(end -> -since(end)))
                .description("Time until the current version expires; NaN if it does not")
                .register(registry);
        for (Role role : Role.values()) {
            Gauge.builder(
                            "dualkey.secret.versions",
                            source,
                            figure(
                                    secret,
                                    status -> status.versions().stream()
                                            .filter(version -> version.role() == role)
                                            .count()))
                    .description("Versions of a secret in this role")
                    .tag("secret", secret)
                    .tag("role", tag(role))
                    .register(registry);
        }
        Gauge.builder(
                        "dualkey.secret.healthy",
                        source,
                        figure(secret, status -> status.state() == SecretState.HEALTHY ? 1L : 0L))
                .description("1 while a secret is healthy, 0 while it is degraded, unavailable or loading")
                .tag("secret", secret)
                .register(registry);
    }

    private TimeGauge.Builder<SecretSource> seconds(
            String name, String secret, Function<SecretStatus, Optional<Double>> time) {
        ToDoubleFunction<SecretSource> read =
                from -> from.status(secret).flatMap(time).orElse(Double.NaN);
        return TimeGauge.builder(name, source, TimeUnit.SECONDS, read).tag("secret", secret);
    }

    private static ToDoubleFunction<SecretSource> figure(String secret, Function<SecretStatus, Long> figure) {
        return from -> from.status(secret).map(figure).orElse(0L).doubleValue();
    }

    private double since(Instant then) {
        return Duration.between(then, clock.instant()).toMillis() / 1000.0;
    }

    private static String tag(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }
}
