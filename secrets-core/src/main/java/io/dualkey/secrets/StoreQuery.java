package io.dualkey.secrets;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** What a {@link SecretStore} is asked for one secret. Immutable and safe for use by several threads. */
public final class StoreQuery {

    private final String name;
    private final @Nullable StoredSecret known;
    private final Duration grace;
    private final Instant now;
    private final @Nullable String companionTo;
    private final @Nullable String version;

    StoreQuery(String name, @Nullable StoredSecret known, Duration grace, Instant now) {
        this(name, known, grace, now, null, null);
    }

    private StoreQuery(
            String name,
            @Nullable StoredSecret known,
            Duration grace,
            Instant now,
            @Nullable String companionTo,
            @Nullable String version) {
        this.name = name;
        this.known = known;
        this.grace = grace;
        this.now = now;
        this.companionTo = companionTo;
        this.version = version;
    }

    /**
     * {@return a question for all of a secret that can be accepted, by one who knows nothing of it yet} A {@link SecretSource}
     * asks by itself; this is for the tests of stores.
     *
     * @param name the name of the secret in the store
     * @param grace how long a version is accepted after its successor came into force
     * @param now the time of the check
     */
    public static StoreQuery of(String name, Duration grace, Instant now) {
        return new StoreQuery(name, null, grace, now);
    }

    /**
     * {@return the same question by one who knows an earlier answer}
     *
     * @param found what the store answered last
     */
    public StoreQuery withKnown(StoredSecret found) {
        return new StoreQuery(name, found, grace, now, companionTo, version);
    }

    /** The secret whose companion is wanted; it is asked for in the same call, before this one. */
    Optional<String> companionTo() {
        return Optional.ofNullable(companionTo);
    }

    StoreQuery asCompanionTo(String secret) {
        return new StoreQuery(name, known, grace, now, secret, version);
    }

    StoreQuery renamed(UnaryOperator<String> renaming) {
        String main = companionTo == null ? null : renaming.apply(companionTo);
        return new StoreQuery(renaming.apply(name), known, grace, now, main, version);
    }

    /**
     * {@return the same question for one version alone}
     *
     * @param one the version's id
     */
    public StoreQuery pinnedTo(String one) {
        return new StoreQuery(name, known, grace, now, companionTo, one);
    }

    /** What another layer answered says nothing to this one. */
    StoreQuery knownOnlyFrom(SecretStore layer) {
        boolean its = known != null && known.layer().map(from -> from == layer).orElse(false);
        return its ? this : new StoreQuery(name, null, grace, now, companionTo, version);
    }

    /** {@return the name of the secret in the store} */
    public String name() {
        return name;
    }

    /**
     * {@return what the last successful read found; empty on the first} If it still holds, the answer is {@link
     * StoreResult#unchanged}.
     */
    public Optional<StoredSecret> known() {
        return Optional.ofNullable(known);
    }

    /**
     * {@return how long a version is accepted after its successor came into force: older versions need not be read}
     */
    public Duration grace() {
        return grace;
    }

    /**
     * {@return the id of the one version that is wanted, whatever its age and label; empty for all that can be accepted}
     * Other versions in the answer are ignored.
     */
    public Optional<String> version() {
        return Optional.ofNullable(version);
    }

    /** {@return the time of this check} */
    public Instant now() {
        return now;
    }

    /** The name and whether something is known; never a value. */
    @Override
    public String toString() {
        return "StoreQuery[" + name + (known == null ? "" : ", known") + "]";
    }
}
