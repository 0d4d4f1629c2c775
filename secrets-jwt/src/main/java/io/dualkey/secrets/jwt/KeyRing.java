package io.dualkey.secrets.jwt;

import io.dualkey.secrets.Version;
import io.dualkey.secrets.Versions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The keys of one view of a rotating secret, the current one first, then the previous ones, then the upcoming one; and
 * the headers seen on good tokens, so that they need not be read again. A new view makes a new ring.
 */
final class KeyRing {

    /*
     * Concurrency: `known` holds an immutable array that is replaced by a longer one. Two threads that learn a header
     * at the same time may lose one of them, which is learnt again from the next token.
     */

    private static final int MAX_KNOWN_HEADERS = 8;

    final Versions<VerificationKey> versions;
    private final List<Version<VerificationKey>> keys;
    private volatile KnownHeader[] known = {};

    KeyRing(Versions<VerificationKey> versions) {
        this.versions = versions;
        List<Version<VerificationKey>> all = new ArrayList<>(versions.accepted());
        versions.upcoming().ifPresent(all::add);
        this.keys = List.copyOf(all);
    }

    /** Whether another ring has the same keys. */
    boolean sameKeysAs(KeyRing other) {
        return other == this || generations().equals(other.generations());
    }

    private List<Long> generations() {
        return keys.stream().map(Version::generation).toList();
    }

    /**
     * The keys to try for one header.
     *
     * @param keys in the order in which to try them
     * @param conclusive whether no other key can be meant, so that looking for a new one is pointless
     * @param unknown whether the header has a {@code kid} that names none of the keys
     */
    record Candidates(List<Version<VerificationKey>> keys, boolean conclusive, boolean unknown) {}

    /** A header's text as it stands in tokens, and what follows from it. */
    private static final class KnownHeader {
        final byte[] text;
        final Candidates candidates;

        KnownHeader(byte[] text, Candidates candidates) {
            this.text = text;
            this.candidates = candidates;
        }
    }

    /** What was learnt about a header; null if it was not. */
    @Nullable
    Candidates recall(byte[] text, int length) {
        for (KnownHeader one : known) {
            if (one.text.length == length && Arrays.equals(one.text, 0, length, text, 0, length)) {
                return one.candidates;
            }
        }
        return null;
    }

    /** Remembers a header of a token whose signature was good; of forged ones nothing is kept. */
    void learn(byte[] text, int length, Candidates candidates) {
        KnownHeader[] before = known;
        if (before.length < MAX_KNOWN_HEADERS) {
            KnownHeader[] after = Arrays.copyOf(before, before.length + 1);
            after[before.length] = new KnownHeader(Arrays.copyOf(text, length), candidates);
            known = after;
        }
    }

    /** Which keys to try for a {@code kid}. */
    Candidates candidates(@Nullable String keyId) {
        if (keyId == null) {
            return new Candidates(keys, false, false);
        }
        List<Version<VerificationKey>> named = keys.stream()
                .filter(key -> key.value().id().value().equals(keyId))
                .toList();
        if (!named.isEmpty()) {
            // A derived id stands for the very material. One that an issuer made up may be given to a new key as well.
            boolean derived = named.stream().noneMatch(key -> key.value().id().told());
            return new Candidates(named, derived, false);
        }
        List<Version<VerificationKey>> nameless =
                keys.stream().filter(key -> !key.value().id().told()).toList();
        return new Candidates(nameless, false, true);
    }

    boolean isEmpty() {
        return keys.isEmpty();
    }
}
