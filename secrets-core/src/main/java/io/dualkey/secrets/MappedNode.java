package io.dualkey.secrets;

import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A handle whose values are parsed from its parent's, once for each version. */
sealed class MappedNode<S, T> extends Node<T> permits FieldNode, PartNode {

    private record Parsed<T>(@Nullable T value, @Nullable String problem) {}

    private final Node<S> parent;
    private final Parser<? super S, ? extends T> parser;
    private volatile Map<VersionRecord, Parsed<T>> parsed = Map.of(); // replaced as a whole, see Node

    MappedNode(Node<S> parent, Parser<? super S, ? extends T> parser) {
        this.parent = parent;
        this.parser = parser;
    }

    @Override
    SecretNode root() {
        return parent.root();
    }

    @Override
    void prepare(Set<VersionRecord> alive) {
        Map<VersionRecord, Parsed<T>> before = parsed;
        Map<VersionRecord, Parsed<T>> after = new HashMap<>();
        for (VersionRecord version : alive) {
            Parsed<T> known = before.get(version);
            if (known != null) {
                after.put(version, known);
            } else if (parent.usable(version)) {
                after.put(version, parse(version));
            }
        }
        parsed = Map.copyOf(after);
    }

    @Override
    boolean usable(VersionRecord version) {
        Parsed<T> known = parsed.get(version);
        return known != null && known.value != null && parent.usable(version);
    }

    @Override
    T value(VersionRecord version) {
        return Objects.requireNonNull(Objects.requireNonNull(parsed.get(version)).value);
    }

    @Override
    @Nullable
    String problemWith(VersionRecord version) {
        Parsed<T> known = parsed.get(version);
        return known == null || !parent.usable(version) ? parent.problemWith(version) : known.problem;
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
