package io.dualkey.secrets.azure;

import io.dualkey.secrets.StoredVersion;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What follows from the versions of one secret alone: their order, and which of them matter. Core decides what is accepted;
 * this says what must be read so that core decides the same whether this process has just started or not.
 */
final class History {

    /** As many as core accepts at once, the current one included. */
    static final int MAX_ACCEPTED = 8;
    /** A bound on what is asked for in one check, whatever has been disabled. */
    private static final int MAX_RELEVANT = 16;

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
     * The versions whose values and flags decide what is accepted, now or by the mere passing of time: the newest that is in
     * force; all that were replaced within the last grace period, since they are accepted, would be if they were enabled, or
     * tell when another one ceased to be current; and the next one to come.
     *
     * @param history oldest first
     */
    static List<StoredVersion> relevant(List<StoredVersion> history, Duration grace, Instant now) {
        List<StoredVersion> byAnchor =
                history.stream().sorted(Comparator.comparing(History::anchor)).toList();
        List<StoredVersion> relevant = new ArrayList<>();
        int accepted = 0;
        // With a version announced, the latest is not the newest whose time has come, so a GET of the latest tells
        // nothing of it.
        boolean announced = history.stream().anyMatch(version -> version.enabled() && ahead(version, now));
        Instant replaced = null; // when the one in hand was, by the next one in force
        for (int i = byAnchor.size() - 1; i >= 0 && accepted < MAX_ACCEPTED && relevant.size() < MAX_RELEVANT; i--) {
            StoredVersion version = byAnchor.get(i);
            boolean inForce = version.enabled()
                    && !ahead(version, now)
                    && version.expires().orElse(Instant.MAX).isAfter(now);
            if (replaced != null && !plus(replaced, grace).isAfter(now)) {
                break;
            }
            if (inForce || (!ahead(version, now) && (replaced != null || announced))) {
                relevant.add(0, version);
            }
            accepted += inForce ? 1 : 0;
            replaced = inForce ? anchor(version) : replaced;
        }
        for (StoredVersion version : byAnchor) { // those to come, until one of them is enabled
            if (ahead(version, now) && relevant.size() <= MAX_RELEVANT) {
                relevant.add(version);
                if (version.enabled()) {
                    break;
                }
            }
        }
        return relevant;
    }

    /**
     * The versions that come into force again by the mere passing of time, because all that are in force after them expire.
     * Their values are read now, so that each process serves the same at that moment, whenever it started.
     *
     * @param history oldest first
     */
    static List<StoredVersion> fallbacks(List<StoredVersion> history, Instant now) {
        List<StoredVersion> inForce = history.stream()
                .filter(version -> version.enabled()
                        && !ahead(version, now)
                        && version.expires().orElse(Instant.MAX).isAfter(now))
                .sorted(Comparator.comparing(History::anchor))
                .toList();
        List<StoredVersion> fallbacks = new ArrayList<>();
        for (int i = inForce.size() - 1; i > 0 && fallbacks.size() < MAX_ACCEPTED; i--) {
            if (inForce.get(i).expires().isEmpty()) {
                break;
            }
            fallbacks.add(inForce.get(i - 1));
        }
        return fallbacks;
    }

    /** Whether a version's time is still to come. */
    private static boolean ahead(StoredVersion version, Instant now) {
        return version.notBefore().orElse(Instant.MIN).isAfter(now);
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
        List<StoredVersion> relevant = new ArrayList<>(relevant(history, grace, now));
        relevant.addAll(fallbacks(history, now));
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
