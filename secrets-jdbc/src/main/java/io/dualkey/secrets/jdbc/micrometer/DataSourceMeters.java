package io.dualkey.secrets.jdbc.micrometer;

import io.dualkey.secrets.jdbc.CredentialPhase;
import io.dualkey.secrets.jdbc.CredentialStatus;
import io.dualkey.secrets.jdbc.DataSourceStatus;
import io.dualkey.secrets.jdbc.RotatingDataSource;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.function.ToDoubleFunction;

/**
 * Registers meters for how the credentials of one data source rotate, beside HikariCP's own for its pool. Tags carry the
 * name of the secret, the name of the pool if it had one when the meters were made, roles and phases; never a version id, a
 * user or a password. {@code docs/metrics.md} explains each meter.
 *
 * <pre>{@code
 * new DataSourceMeters(database).bindTo(registry);
 * }</pre>
 *
 * <p>Safe for use by several threads. Reading a meter does no I/O.
 */
public final class DataSourceMeters implements MeterBinder {

    private final RotatingDataSource database;
    private final Tags tags;

    /**
     * Makes meters of a data source.
     *
     * @param database the data source; the meters keep it alive
     */
    public DataSourceMeters(RotatingDataSource database) {
        this.database = database;
        String pool = database.pool().getPoolName();
        this.tags = Tags.of("secret", database.secret(), "pool", Objects.requireNonNullElse(pool, database.secret()));
    }

    @Override
    public void bindTo(MeterRegistry registry) {
        connections("current", List.of(CredentialPhase.CURRENT), registry);
        connections("fallback", List.of(CredentialPhase.FALLBACK), registry);
        connections(
                "old",
                List.of(CredentialPhase.RETIRING, CredentialPhase.RELEASED, CredentialPhase.SAFE_TO_DROP),
                registry);
        counter("dualkey.jdbc.connections.moved", DataSourceStatus::connectionsMoved)
                .description("Connections closed because their credentials were replaced")
                .register(registry);
        counter("dualkey.jdbc.logins.failed", DataSourceStatus::failedLogins)
                .description("Logins that the server refused")
                .register(registry);
        gauge("dualkey.jdbc.credentials.held.off", status -> status.heldOff() ? 1 : 0)
                .description("1 while the newest credentials have not passed their trial login, and others serve")
                .register(registry);
        for (CredentialPhase phase :
                List.of(CredentialPhase.RETIRING, CredentialPhase.RELEASED, CredentialPhase.SAFE_TO_DROP)) {
            gauge("dualkey.jdbc.users", status -> replaced(phase, status))
                    .description("Replaced database users in this phase; those that are in use do not count")
                    .tag("phase", phase.name().toLowerCase(Locale.ROOT))
                    .register(registry);
        }
    }

    private void connections(String role, List<CredentialPhase> phases, MeterRegistry registry) {
        gauge(
                        "dualkey.jdbc.connections",
                        status -> status.credentials().stream()
                                .filter(one -> phases.contains(one.phase()))
                                .mapToInt(CredentialStatus::connections)
                                .sum())
                .description("Physical connections by the role of what they logged in with")
                .tag("role", role)
                .register(registry);
    }

    private static long replaced(CredentialPhase phase, DataSourceStatus status) {
        return status.replacedUsers().stream()
                .filter(one -> one.phase() == phase)
                .count();
    }

    private FunctionCounter.Builder<RotatingDataSource> counter(
            String name, ToDoubleFunction<DataSourceStatus> figure) {
        return FunctionCounter.builder(name, database, from -> figure.applyAsDouble(from.status()))
                .tags(tags);
    }

    private Gauge.Builder<RotatingDataSource> gauge(String name, ToDoubleFunction<DataSourceStatus> figure) {
        return Gauge.builder(name, database, from -> figure.applyAsDouble(from.status()))
                .tags(tags);
    }
}
