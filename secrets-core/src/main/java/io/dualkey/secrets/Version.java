package io.dualkey.secrets;

import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * One version of something that rotates, as it stands in one {@link Versions}. Immutable and safe for use by several
 * threads.
 *
 * @param <T> the type of the value
 */
public final class Version<T> {

    private final VersionRecord record;
    private final T value;
    private final Role role;
    private final @Nullable Instant activatedAt;
    private final @Nullable Instant acceptedUntil;
    private final long acceptedUntilMillis;

    Version(VersionRecord record, T value, Role role, @Nullable Instant activatedAt, @Nullable Instant acceptedUntil) {
        this.record = record;
        this.value = value;
        this.role = role;
        this.activatedAt = activatedAt;
        this.acceptedUntil = acceptedUntil;
        this.acceptedUntilMillis = acceptedUntil == null ? Long.MAX_VALUE : acceptedUntil.toEpochMilli();
    }

    /**
     * {@return the store's id of this version, or one made up for a store that has none} Never derived from the
     * value alone.
     */
    public String id() {
        return record.id();
    }

    /** {@return the value} */
    public T value() {
        return value;
    }

    /** {@return what this version is to its secret in this view} */
    public Role role() {
        return role;
    }

    /**
     * {@return a number that is unique among all versions of all secrets in this process and grows with each one
     * that is first seen} A version keeps it for life, across roles and derived handles: compare it to tell
     * versions apart.
     */
    public long generation() {
        return record.generation();
    }

    /**
     * {@return when the version came, or comes, into force by the store's word; else when this process saw it appear}
     */
    public Optional<Instant> activatedAt() {
        return Optional.ofNullable(activatedAt);
    }

    /**
     * {@return until when the version is accepted; empty when there is no end, as with a current version that
     * has no expiry}
     */
    public Optional<Instant> acceptedUntil() {
        return Optional.ofNullable(acceptedUntil);
    }

    /**
     * {@return whether the version is accepted at a moment} A view may be older than the end of a grace period,
     * so whoever accepts
     * on the strength of a version asks this with a clock of their own.
     *
     * @param epochMillis the moment, in milliseconds since 1970
     */
    public boolean isAcceptedAt(long epochMillis) {
        return epochMillis < acceptedUntilMillis;
    }

    VersionRecord record() {
        return record;
    }

    /** Id, role and end of acceptance; never the value. */
    @Override
    public String toString() {
        return "Version[" + id() + ", " + role + (acceptedUntil == null ? "" : ", accepted until " + acceptedUntil)
                + "]";
    }
}
