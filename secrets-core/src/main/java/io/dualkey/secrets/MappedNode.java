package io.dualkey.secrets;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A handle whose values are parsed from its parent's, once for each version. */
final class MappedNode<S, T> extends Node<T> {

    private record Parsed<T>(@Nullable T value, @Nullable String problem) {}

    private final Node<S> parent;
    private final Parser<? super S, ? extends T> parser;
    private final Map<VersionRecord, Parsed<T>> parsed = new HashMap<>(); // see Node on who touches it

    MappedNode(Node<S> parent, Parser<? super S, ? extends T> parser) {
        this.parent = parent;
        this.parser = parser;
    }

    @Override
    SecretNode root() {
        return parent.root();
    }

    @Override
    boolean usable(VersionRecord version) {
        return parent.usable(version) && parsed(version).problem == null;
    }

    @Override
    T value(VersionRecord version) {
        return Objects.requireNonNull(parsed(version).value);
    }

    @Override
    @Nullable
    String problemWith(VersionRecord version) {
        return parent.usable(version) ? parsed(version).problem : parent.problemWith(version);
    }

    @Override
    void retain(List<VersionRecord> alive) {
        parsed.keySet().retainAll(alive);
    }

    private Parsed<T> parsed(VersionRecord version) {
        Parsed<T> known = parsed.get(version);
        if (known == null) {
            known = parse(version);
            parsed.put(version, known);
        }
        return known;
    }

    private Parsed<T> parse(VersionRecord version) {
        try {
            T value = parser.parse(parent.value(version));
            return value == null ? new Parsed<>(null, "its parser returned null") : new Parsed<>(value, null);
        } catch (Throwable failure) { // a parser may fail in any way: the last good version is served on
            if (failure instanceof InterruptedException) {
                Thread.currentThread().interrupt();
            }
            return new Parsed<>(null, UnusableSecretException.reasonOf(failure));
        }
    }
}
