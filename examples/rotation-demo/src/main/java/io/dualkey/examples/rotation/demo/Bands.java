package io.dualkey.examples.rotation.demo;

import io.dualkey.examples.rotation.demo.CredentialBand.Point;
import io.dualkey.examples.rotation.demo.KeyBand.Acceptance;
import io.dualkey.examples.rotation.demo.KeyBand.Span;
import io.dualkey.secrets.Role;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/**
 * Follows keys and credentials over time, from what the service said of them at many moments, and names them: the
 * versions of a file have no names that mean anything. Safe for use by several threads.
 */
final class Bands {

    private final Map<String, Key> keys = new LinkedHashMap<>();
    private final List<Credentials> credentials = new ArrayList<>();

    private static final class Key {

        private final String label;
        private final List<Span> ended = new ArrayList<>();
        private Acceptance now;
        private double since;

        private Key(String label, Acceptance now, double since) {
            this.label = label;
            this.now = now;
            this.since = since;
        }

        void is(Acceptance acceptance, double at) {
            if (acceptance != now) {
                ended.add(new Span(since, at, now));
                now = acceptance;
                since = at;
            }
        }
    }

    private static final class Credentials {

        private final String user;
        private final String label;
        private final boolean heldOff;
        private final double from;
        private final List<Point> points = new ArrayList<>();
        private @Nullable String version;
        private OptionalDouble safeToDrop = OptionalDouble.empty();
        private OptionalDouble until = OptionalDouble.empty();

        private Credentials(String user, String label, boolean heldOff, double from) {
            this.user = user;
            this.label = label;
            this.heldOff = heldOff;
            this.from = from;
        }
    }

    /** Takes in which versions of the signing key are in force; any other that ever was is refused. */
    synchronized void keys(double at, Map<String, Role> inForce) {
        inForce.forEach((version, role) -> {
            Acceptance acceptance = role == Role.CURRENT ? Acceptance.CURRENT : Acceptance.PREVIOUS;
            Key key = keys.computeIfAbsent(version, fresh -> new Key("K" + (keys.size() + 1), acceptance, at));
            key.is(acceptance, at);
        });
        keys.forEach((version, key) -> {
            if (!inForce.containsKey(version)) {
                key.is(Acceptance.REFUSED, at);
            }
        });
    }

    /** Says that credentials of a user were written; the service will tell of a version with that user. */
    synchronized void written(double at, String user, String label, boolean heldOff) {
        credentials.add(new Credentials(user, label, heldOff, at));
    }

    /** Takes in how many connections there are of a version of the credentials. */
    synchronized void connections(double at, String version, String user, int connections) {
        Credentials one = find(version, user);
        if (one != null && (one.points.isEmpty() || last(one).connections() != connections)) {
            one.points.add(new Point(at, connections));
        }
    }

    private static Point last(Credentials one) {
        return one.points.get(one.points.size() - 1);
    }

    /** A version met for the first time is the oldest of its user's that works and has none yet. */
    private @Nullable Credentials find(String version, String user) {
        for (Credentials one : credentials) {
            if (version.equals(one.version)) {
                return one;
            }
        }
        for (Credentials one : credentials) {
            if (one.version == null && !one.heldOff && one.user.equals(user)) {
                one.version = version;
                return one;
            }
        }
        return null;
    }

    synchronized void safeToDrop(double at, String label) {
        credentials.stream()
                .filter(one -> one.label.equals(label))
                .forEach(one -> one.safeToDrop = OptionalDouble.of(at));
    }

    /** Says that credentials do not exist any more. */
    synchronized void gone(double at, String label) {
        credentials.stream().filter(one -> one.label.equals(label)).forEach(one -> one.until = OptionalDouble.of(at));
    }

    synchronized List<KeyBand> keyBands(double end) {
        return keys.values().stream()
                .map(key -> {
                    List<Span> spans = new ArrayList<>(key.ended);
                    spans.add(new Span(key.since, end, key.now));
                    return new KeyBand(key.label, spans);
                })
                .toList();
    }

    synchronized List<CredentialBand> credentialBands() {
        return credentials.stream()
                .map(one -> new CredentialBand(
                        one.label, one.heldOff, one.from, List.copyOf(one.points), one.safeToDrop, one.until))
                .toList();
    }
}
