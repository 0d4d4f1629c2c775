package io.dualkey.secrets;

import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What is special about one secret; see {@link SecretSource.Builder#secret}. Not safe for use by several threads.
 *
 * <pre>{@code
 * SecretSource.builder(store)
 *         .secret("JWT_SIGNING_KEY", key -> key.companion("JWT_PREVIOUS_SIGNING_KEY").grace(Duration.ofHours(1)))
 *         .secret("payment-key", key -> key.maxStale(Duration.ofHours(6)).failClosed().rotateEvery(Duration.ofDays(90)))
 * }</pre>
 */
public final class SecretOptions {

    private static final Duration LONGEST = Duration.ofDays(36_525);

    private @Nullable Duration grace;
    private @Nullable String companion;
    private @Nullable Duration maxStale;
    private boolean failClosed;
    private @Nullable Duration rotateEvery;
    private boolean optional;

    SecretOptions() {}

    /**
     * How long a version of this secret is accepted after another has become current, in place of the source's grace.
     *
     * @param period zero or more
     * @return this
     * @throws IllegalArgumentException if it is negative
     */
    public SecretOptions grace(Duration period) {
        if (period.isNegative()) {
            throw new IllegalArgumentException("grace must not be negative, but is " + period);
        }
        this.grace = period;
        return this;
    }

    /**
     * Names the secret of the same store that holds the previous value while that is still accepted: for exactly as long as
     * it is there and not blank. Directories and the environment have such a name by custom, see
     * {@link SecretStore#companionOf}; this is for another one.
     *
     * @param name the companion's name
     * @return this
     */
    public SecretOptions companion(String name) {
        this.companion = Objects.requireNonNull(name, "companion");
        return this;
    }

    /**
     * How long values may be served without a successful check, in place of what the source says; if neither does, there is no
     * limit. Past the limit the secret is degraded and warned about and goes on being served, or is refused after {@link
     * #failClosed}.
     *
     * @param period at least two refresh intervals, at most 100 years
     * @return this
     * @throws IllegalArgumentException if it is longer
     */
    public SecretOptions maxStale(Duration period) {
        checkNotAbsurd("maxStale", period);
        this.maxStale = period;
        return this;
    }

    /**
     * Refuses the secret once it is past {@link #maxStale}: reads throw {@link SecretUnavailableException} until a check
     * succeeds.
     *
     * @return this
     */
    public SecretOptions failClosed() {
        this.failClosed = true;
        return this;
    }

    /**
     * How often the secret ought to be rotated. One that is older is warned about; it is served all the same.
     *
     * @param period positive, at most 100 years
     * @return this
     * @throws IllegalArgumentException if it is not
     */
    public SecretOptions rotateEvery(Duration period) {
        checkNotAbsurd("rotateEvery", period);
        if (period.isNegative() || period.isZero()) {
            throw new IllegalArgumentException("rotateEvery must be positive, but is " + period);
        }
        this.rotateEvery = period;
        return this;
    }

    /** Times far beyond all calendars cannot be added to one. */
    static void checkNotAbsurd(String setting, Duration period) {
        if (period.compareTo(LONGEST) > 0) {
            throw new IllegalArgumentException(setting + " must be at most 100 years, but is " + period);
        }
    }

    /**
     * Lets {@link SecretSource#start} succeed without this secret: it is looked for once before the start returns, and as often
     * as others are checked from then on. Until it is found, reads throw {@link SecretUnavailableException}.
     *
     * @return this
     */
    public SecretOptions optional() {
        this.optional = true;
        return this;
    }

    /** What has been set, with the source's settings where it was not. */
    Settings settings(
            String secret, RotationPolicy sources, @Nullable Duration sourcesMaxStale, boolean sourceFailsClosed) {
        Duration refreshInterval = sources.refreshInterval();
        Duration limit = maxStale == null ? sourcesMaxStale : maxStale;
        boolean closed = failClosed || sourceFailsClosed;
        if (closed && limit == null) {
            throw new IllegalArgumentException(
                    "secret '" + secret + "' is to fail closed, but no maxStale says when: set both");
        }
        if (limit != null && limit.compareTo(refreshInterval.multipliedBy(2)) < 0) {
            throw new IllegalArgumentException("maxStale of secret '" + secret + "' is " + limit
                    + ", but must be at least two refresh intervals of " + refreshInterval
                    + ", or one late check would count as staleness");
        }
        RotationPolicy policy = new RotationPolicy(refreshInterval, grace == null ? sources.grace() : grace);
        return new Settings(policy, companion, limit, closed, rotateEvery, optional);
    }

    /** The settings of one secret. */
    record Settings(
            RotationPolicy policy,
            @Nullable String companion,
            @Nullable Duration maxStale,
            boolean failClosed,
            @Nullable Duration rotateEvery,
            boolean optional) {}
}
