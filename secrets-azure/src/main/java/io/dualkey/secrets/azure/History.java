package io.dualkey.secrets.azure;

import io.dualkey.secrets.StoredVersion;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What follows from the versions of one secret alone: their order, and which of them matter. Core decides what is accepted;
 * this says what must be read so that core decides the same whether this process has just started or not.
 */
final class History {

    /** As many as core accepts at once, the current one included. */
    static final int MAX_ACCEPTED = 8;

    private History() {}

    /**
     * Oldest first. The vault lists versions in no order and dates them to the second, so ties are broken by what the
     * unversioned GET returned, and otherwise by id, which at least is the same in every replica.
     */
    static List<StoredVersion> sorted(Collection<StoredVersion> versions, @Nullable String latest) {
        return versions.stream()
                .sorted(Comparator.comparing(History::created)
                        .thenComparing(version -> version.id().equals(latest))
                        .thenComparing(StoredVersion::id))
                .toList();
    }

    /**
     * The versions that can be accepted now, those that could if they were enabled, those that tell when one of these ceased
     * to be current, and the next one to come: all whose values and flags decide what is accepted. A version replaced by one
     * that came into force a grace period ago is not among them, nor is any older one.
     *
     * @param history oldest first
     */
    static List<StoredVersion> relevant(List<StoredVersion> history, Duration grace, Instant now) {
        List<StoredVersion> byAnchor = history.stream()
                .filter(version -> !ahead(version, now))
                .sorted(Comparator.comparing(History::anchor))
                .toList();
        List<StoredVersion> relevant = new ArrayList<>();
        Instant replaced = null; // when the one in hand was, by the next one in force
        for (int i = byAnchor.size() - 1; i >= 0 && relevant.size() < MAX_ACCEPTED; i--) {
            StoredVersion version = byAnchor.get(i);
            boolean inForce = version.enabled() && open(version, now);
            if (replaced == null) {
                if (inForce) {
                    relevant.add(0, version);
                    replaced = anchor(version);
                }
            } else if (!plus(replaced, grace).isAfter(now)) {
                break;
            } else if (version.enabled() || open(version, now)) {
                relevant.add(0, version);
                replaced = inForce ? anchor(version) : replaced;
            }
        }
        upcoming(history, now).ifPresent(relevant::add);
        return relevant;
    }

    private static Optional<StoredVersion> upcoming(List<StoredVersion> history, Instant now) {
        return history.stream()
                .filter(version -> version.enabled() && ahead(version, now) && open(version, now))
                .min(Comparator.comparing(History::anchor));
    }

    /** Whether a version's time is still to come. */
    private static boolean ahead(StoredVersion version, Instant now) {
        return version.notBefore().orElse(Instant.MIN).isAfter(now);
    }

    /** Whether a version has not expired. */
    static boolean open(StoredVersion version, Instant now) {
        return version.expires().orElse(Instant.MAX).isAfter(now);
    }

    static Instant created(StoredVersion version) {
        return version.activatedAt().orElse(Instant.MIN);
    }

    /** When a version comes into force. */
    private static Instant anchor(StoredVersion version) {
        Instant opens = version.notBefore().orElse(Instant.MIN);
        return opens.isAfter(created(version)) ? opens : created(version);
    }

    private static Instant plus(Instant time, Duration duration) {
        try {
            return time.plus(duration);
        } catch (DateTimeException | ArithmeticException farAway) {
            return Instant.MAX;
        }
    }

    /**
     * What of a history is to be reported: what matters, what is newer than that (core tells from it that the latest version
     * is disabled), and the newest values that were read before. Core may still serve one of these, if all newer ones are
     * unusable, which only core knows.
     */
    static List<StoredVersion> kept(List<StoredVersion> history, Duration grace, Instant now) {
        List<StoredVersion> relevant = relevant(history, grace, now);
        List<StoredVersion> kept = new ArrayList<>();
        int values = 0;
        boolean newer = true;
        for (int i = history.size() - 1; i >= 0; i--) {
            StoredVersion version = history.get(i);
            boolean matters = relevant.contains(version);
            newer &= !matters;
            values += version.value().isPresent() ? 1 : 0;
            if (matters || newer || (version.value().isPresent() && values <= MAX_ACCEPTED)) {
                kept.add(0, version);
            }
        }
        return List.copyOf(kept);
    }

    /** A version with the flags and times of another. */
    static StoredVersion timesOf(StoredVersion from, StoredVersion to) {
        StoredVersion dated = to.withEnabled(from.enabled());
        dated = from.activatedAt().map(dated::withActivatedAt).orElse(dated);
        dated = from.notBefore().map(dated::withNotBefore).orElse(dated);
        return from.expires().map(dated::withExpires).orElse(dated);
    }
}
