package io.dualkey.secrets;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * All versions of something that rotates, as they stand at one moment. Immutable and safe for use by several threads.
 *
 * @param <T> the type of the value
 */
public final class Versions<T> {

    private final @Nullable Version<T> current;
    private final List<Version<T>> accepted;
    private final @Nullable Version<T> upcoming;

    Versions(@Nullable Version<T> current, List<Version<T>> previous, @Nullable Version<T> upcoming) {
        this.current = current;
        this.upcoming = upcoming;
        if (current == null) {
            this.accepted = List.of();
        } else {
            List<Version<T>> all = new ArrayList<>(previous.size() + 1);
            all.add(current);
            all.addAll(previous);
            this.accepted = List.copyOf(all);
        }
    }

    /** {@return the version to use, or empty when none can be used} */
    public Optional<Version<T>> current() {
        return Optional.ofNullable(current);
    }

    /** {@return the versions before the current one that are within their grace period, the most recent one first} */
    public List<Version<T>> previous() {
        return accepted.size() < 2 ? List.of() : accepted.subList(1, accepted.size());
    }

    /**
     * {@return the current version and then the previous ones; empty when none can be used} At most {@value
     * Acceptance#MAX_ACCEPTED}.
     */
    public List<Version<T>> accepted() {
        return accepted;
    }

    /** {@return the version that the store announces as the next one} It is not among {@link #accepted}. */
    public Optional<Version<T>> upcoming() {
        return Optional.ofNullable(upcoming);
    }

    @Nullable
    Version<T> currentOrNull() {
        return current;
    }

    /** Ids and roles; never a value. */
    @Override
    public String toString() {
        return "Versions" + accepted + (upcoming == null ? "" : " upcoming " + upcoming);
    }
}
