package io.dualkey.secrets;

import io.dualkey.secrets.StoredVersion.Stage;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The acceptance function: which versions are current, previous and upcoming at a moment. A pure function of what the
 * store reports, which versions are usable, the grace period and the clock; two processes that see the same store
 * accept the same versions, whenever they started.
 *
 * <p>It replays the history: the current version at any moment is the newest usable one whose window was open then. A
 * version that ceased to be current is accepted for the grace period from that moment on, which its successor's
 * activation (or its own expiry) determines and not the time at which anybody noticed. A companion is never current,
 * unless the store itself tells that it is the version before: a service must not sign with a key that is on its way out
 * because the name of the other one is misspelt.
 */
final class Acceptance {

    /** At most this many versions are accepted at once, the current one included. */
    static final int MAX_ACCEPTED = 8;

    /** A version in its role. */
    record Accepted(
            VersionRecord version,
            Role role,
            @Nullable Instant activatedAt,
            @Nullable Instant until) {}

    /**
     * The result.
     *
     * @param nextChange when, without news from the store, the result may become another one; null for never
     */
    record Verdict(
            @Nullable Accepted current,
            List<Accepted> previous,
            @Nullable Accepted upcoming,
            @Nullable Instant nextChange) {}

    /** From when on a version was the current one; none was where it is null. */
    record Change(Instant at, @Nullable VersionRecord current) {}

    private Acceptance() {}

    /**
     * What was current when, oldest first, by the same rules and by the store's times.
     *
     * @param history see {@link #at}, as for the others
     */
    static List<Change> changes(List<Occurrence> history, Predicate<VersionRecord> usable, Instant now) {
        List<Span> active =
                spans(history, usable, now).stream().filter(span -> !span.ahead).toList();
        List<Change> changes = new ArrayList<>();
        replay(active, now, new HashMap<>(), changes);
        return List.copyOf(changes);
    }

    /**
     * Applies the function.
     *
     * @param history oldest first; the order decides where activations are equal or unknown
     * @param usable whether a version's value can be used
     * @param grace how long a version is accepted after it ceased to be current
     * @param now the moment
     */
    static Verdict at(List<Occurrence> history, Predicate<VersionRecord> usable, Duration grace, Instant now) {
        List<Span> spans = spans(history, usable, now);
        List<Span> active = spans.stream().filter(span -> !span.ahead).toList();

        Map<VersionRecord, Instant> ceased = new HashMap<>();
        Span current = replay(active, now, ceased, null);

        List<Accepted> previous = new ArrayList<>();
        for (int i = active.size() - 1; i >= 0; i--) {
            Span span = active.get(i);
            VersionRecord version = span.what.version();
            if ((current != null && version == current.what.version()) || !span.openAt(now)) {
                continue;
            }
            if (previous.stream().anyMatch(accepted -> accepted.version() == version)) {
                continue;
            }
            Instant until = switch (span.what.hold()) {
                case NEVER -> Instant.MIN;
                case WHILE_LISTED -> Instant.MAX;
                case GRACE -> plus(ceased.getOrDefault(version, span.anchor), grace);
            };
            Instant end = span.to.isBefore(until) ? span.to : until;
            if (end.isAfter(now)) {
                previous.add(new Accepted(version, Role.PREVIOUS, span.activation(), orNull(end)));
            }
        }
        if (previous.size() > MAX_ACCEPTED - 1) {
            previous = previous.subList(0, MAX_ACCEPTED - 1);
        }

        Accepted currently = current == null
                ? null
                : new Accepted(current.what.version(), Role.CURRENT, current.activation(), orNull(current.to));
        Accepted upcoming = upcoming(spans, currently, previous);
        return new Verdict(currently, List.copyOf(previous), upcoming, nextChange(spans, previous, now));
    }

    /** Walks through the moments at which something changed; notes when each version ceased to be current. */
    private static @Nullable Span replay(
            List<Span> active, Instant now, Map<VersionRecord, Instant> ceased, @Nullable List<Change> changes) {
        TreeSet<Instant> moments = new TreeSet<>();
        for (Span span : active) {
            moments.add(span.from);
            if (!span.to.isAfter(now)) {
                moments.add(span.to);
            }
        }
        Span current = null;
        for (Instant moment : moments) {
            Span next = null;
            for (Span span : active) {
                if (span.openAt(moment) && span.what.mayBeCurrent()) {
                    next = span;
                }
            }
            if (current != null && (next == null || next.what.version() != current.what.version())) {
                ceased.put(current.what.version(), end(current, moment, active));
            }
            if (changes != null) {
                note(moment, next, active, changes);
            }
            current = next;
        }
        return current;
    }

    /** Notes who is current from a moment on; of several that began at the same one, each for a moment, in their order. */
    private static void note(Instant moment, @Nullable Span next, List<Span> active, List<Change> changes) {
        if (next == null) {
            changes.add(new Change(moment, null));
        } else if (!next.from.equals(moment)) {
            changes.add(new Change(moment, next.what.version()));
        } else {
            for (Span span : active) { // none after the next one is open
                if (span.from.equals(moment) && span.openAt(moment)) {
                    changes.add(new Change(span.anchor, span.what.version()));
                }
            }
        }
    }

    /**
     * When a version that is not current from this moment on ceased to be: at the moment, but for successors whose
     * activation is ahead of our clock (skew): they end it by the store's time, the first of them that will be reached.
     */
    private static Instant end(Span current, Instant moment, List<Span> active) {
        Instant end = null;
        for (Span span : active) {
            boolean begins = span.from.equals(moment) && span.what.version() != current.what.version();
            if (begins && (end == null || span.anchor.isBefore(end))) {
                end = span.anchor;
            }
        }
        return end == null ? moment : end;
    }

    private static List<Span> spans(List<Occurrence> history, Predicate<VersionRecord> usable, Instant now) {
        Instant newest = Instant.MIN;
        for (Occurrence one : history) {
            if (one.stage() != Stage.CURRENT && one.stage() != Stage.PENDING && one.activatedAt() != null) {
                newest = max(newest, one.activatedAt());
            }
        }
        List<Span> spans = new ArrayList<>();
        for (Occurrence one : history) {
            Instant expires = one.expires() == null ? Instant.MAX : one.expires();
            if (!one.enabled() || !usable.test(one.version())) {
                continue;
            }
            Instant opens = one.notBefore() == null ? Instant.MIN : one.notBefore();
            Instant anchor = max(one.activatedAt() == null ? Instant.MIN : one.activatedAt(), opens);
            if (one.stage() == Stage.CURRENT) {
                anchor = max(anchor, newest); // the label counts, even if the times contradict it
            }
            boolean ahead = opens.isAfter(now) || one.stage() == Stage.PENDING;
            Instant from = !ahead && anchor.isAfter(now) ? now : anchor;
            spans.add(new Span(one, anchor, from, expires, ahead));
        }
        // A stable sort: where times are equal, the store's order stands.
        spans.sort(Comparator.comparing((Span span) -> span.what.stage() == Stage.CURRENT)
                .thenComparing(Span::anchor));
        return spans;
    }

    private static @Nullable Accepted upcoming(List<Span> spans, @Nullable Accepted current, List<Accepted> previous) {
        Span first = null;
        for (Span span : spans) {
            VersionRecord version = span.what.version();
            boolean known = (current != null && current.version() == version)
                    || previous.stream().anyMatch(accepted -> accepted.version() == version);
            if (span.ahead && !known && (first == null || span.anchor.isBefore(first.anchor))) {
                first = span;
            }
        }
        return first == null
                ? null
                : new Accepted(first.what.version(), Role.UPCOMING, first.activation(), orNull(first.to));
    }

    private static @Nullable Instant nextChange(List<Span> spans, List<Accepted> previous, Instant now) {
        Instant next = Instant.MAX;
        for (Span span : spans) {
            Instant opens = span.what.notBefore();
            next = min(next, opens != null && opens.isAfter(now) ? opens : Instant.MAX);
            next = min(next, span.anchor.isAfter(now) ? span.anchor : Instant.MAX);
            next = min(next, span.to.isAfter(now) ? span.to : Instant.MAX);
        }
        for (Accepted accepted : previous) {
            next = min(next, accepted.until() == null ? Instant.MAX : accepted.until());
        }
        return orNull(next);
    }

    /**
     * A usable occurrence on the time line.
     *
     * @param anchor when it comes into force by the store's word
     * @param from the same, but never after now for a version whose window is open: a store's clock may be ahead
     * of ours
     * @param to when its window closes
     * @param ahead whether its time is still to come
     */
    private record Span(Occurrence what, Instant anchor, Instant from, Instant to, boolean ahead) {

        boolean openAt(Instant moment) {
            return !from.isAfter(moment) && to.isAfter(moment);
        }

        @Nullable
        Instant activation() {
            return anchor.equals(Instant.MIN) ? null : anchor;
        }
    }

    private static Instant plus(Instant time, Duration duration) {
        if (time.equals(Instant.MIN)) {
            return Instant.MIN; // nobody knows when it ceased: its grace cannot be counted, so there is none
        }
        try {
            return time.plus(duration);
        } catch (DateTimeException | ArithmeticException farAway) {
            return Instant.MAX;
        }
    }

    private static Instant max(Instant a, Instant b) {
        return a.isAfter(b) ? a : b;
    }

    private static Instant min(Instant a, Instant b) {
        return a.isBefore(b) ? a : b;
    }

    private static @Nullable Instant orNull(Instant time) {
        return time.equals(Instant.MAX) ? null : time;
    }
}
