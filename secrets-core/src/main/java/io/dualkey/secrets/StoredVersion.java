package io.dualkey.secrets;

import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * One version of a secret as a store reports it. Immutable and safe for use by several threads; the {@code with}
 * methods
 * return changed copies.
 *
 * <pre>{@code
 * StoredVersion.of("8c1d", value).withActivatedAt(created).withExpires(expires)
 * }</pre>
 */
public final class StoredVersion {

    /** Where a store labels versions by their role, this is the label. */
    public enum Stage {
        /** The store has no labels: the times decide. */
        NONE,
        /** The store says that this is the current version. */
        CURRENT,
        /** The store says that this is the version before the current one. */
        PREVIOUS,
        /** The store announces this version; it never becomes current before its label changes. */
        PENDING
    }

    private final String id;
    private final @Nullable SecretValue value;
    private final @Nullable Instant activatedAt;
    private final @Nullable Instant notBefore;
    private final @Nullable Instant expires;
    private final boolean enabled;
    private final Stage stage;

    private StoredVersion(
            String id,
            @Nullable SecretValue value,
            @Nullable Instant activatedAt,
            @Nullable Instant notBefore,
            @Nullable Instant expires,
            boolean enabled,
            Stage stage) {
        this.id = id;
        this.value = value;
        this.activatedAt = activatedAt;
        this.notBefore = notBefore;
        this.expires = expires;
        this.enabled = enabled;
        this.stage = stage;
    }

    /**
     * {@return an enabled version without times or label}
     *
     * @param id the store's id of the version, shown to operators
     * @param value the value
     */
    public static StoredVersion of(String id, SecretValue value) {
        return new StoredVersion(id, value, null, null, null, true, Stage.NONE);
    }

    /**
     * {@return a version whose value was not read, because it cannot be accepted: it is disabled or too old}
     *
     * @param id the store's id of the version, shown to operators
     */
    public static StoredVersion unread(String id) {
        return new StoredVersion(id, null, null, null, null, true, Stage.NONE);
    }

    /**
     * {@return a copy with the time at which this version came into force by the store's word} It ends the
     * currency of the version before,
     * whose grace period is counted from here.
     *
     * @param time a time of the store's, never of this process
     */
    public StoredVersion withActivatedAt(Instant time) {
        return new StoredVersion(id, value, time, notBefore, expires, enabled, stage);
    }

    /**
     * {@return a copy with a time before which the version is not to be used ({@code nbf})}
     *
     * @param time the first moment of use
     */
    public StoredVersion withNotBefore(Instant time) {
        return new StoredVersion(id, value, activatedAt, time, expires, enabled, stage);
    }

    /**
     * {@return a copy with a time from which on the version is not to be used ({@code exp})}
     *
     * @param time the first moment after its use
     */
    public StoredVersion withExpires(Instant time) {
        return new StoredVersion(id, value, activatedAt, notBefore, time, enabled, stage);
    }

    /**
     * {@return a copy that is enabled or disabled} A disabled version is refused from the check on that reports it.
     *
     * @param flag whether it may be used
     */
    public StoredVersion withEnabled(boolean flag) {
        return new StoredVersion(id, value, activatedAt, notBefore, expires, flag, stage);
    }

    /**
     * {@return a copy with the store's label}
     *
     * @param label the label
     */
    public StoredVersion withStage(Stage label) {
        return new StoredVersion(id, value, activatedAt, notBefore, expires, enabled, label);
    }

    /** {@return the store's id of the version} */
    public String id() {
        return id;
    }

    /** {@return the value; empty if it was not read} */
    public Optional<SecretValue> value() {
        return Optional.ofNullable(value);
    }

    /** {@return when it came into force} */
    public Optional<Instant> activatedAt() {
        return Optional.ofNullable(activatedAt);
    }

    /** {@return before when it is not to be used} */
    public Optional<Instant> notBefore() {
        return Optional.ofNullable(notBefore);
    }

    /** {@return from when on it is not to be used} */
    public Optional<Instant> expires() {
        return Optional.ofNullable(expires);
    }

    /** {@return whether it may be used} */
    public boolean enabled() {
        return enabled;
    }

    /** {@return the store's label} */
    public Stage stage() {
        return stage;
    }

    /** The id; never the value. */
    @Override
    public String toString() {
        return "StoredVersion[" + id + (enabled ? "" : ", disabled") + (stage == Stage.NONE ? "" : ", " + stage) + "]";
    }
}
