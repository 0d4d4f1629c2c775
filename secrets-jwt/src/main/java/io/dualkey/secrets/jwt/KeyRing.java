package io.dualkey.secrets.jwt;

import io.dualkey.secrets.Version;
import io.dualkey.secrets.Versions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
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
    private static final AtomicLong STAMPS = new AtomicLong();

    final Versions<List<VerificationKey>> versions;
    /** Tells rings apart without keeping them and their keys. */
    final long stamp = STAMPS.incrementAndGet();

    private final List<Candidate> keys;
    private final Map<JwsAlgorithm, Candidates> withoutId = new EnumMap<>(JwsAlgorithm.class);
    private final Map<JwsAlgorithm, Candidates> withForeignId = new EnumMap<>(JwsAlgorithm.class);
    private volatile KnownHeader[] known = {};

    KeyRing(Versions<List<VerificationKey>> versions) {
        this.versions = versions;
        List<Candidate> all = new ArrayList<>();
        versions.accepted().forEach(version -> addKeys(version, all));
        versions.upcoming().ifPresent(version -> addKeys(version, all));
        this.keys = List.copyOf(all);
        for (JwsAlgorithm algorithm : JwsAlgorithm.values()) {
            List<Candidate> fitting = keys.stream()
                    .filter(one -> one.key().algorithm() == algorithm)
                    .toList();
            List<Candidate> nameless =
                    fitting.stream().filter(one -> !one.key().id().told()).toList();
            withoutId.put(algorithm, new Candidates(fitting, false, false));
            withForeignId.put(algorithm, new Candidates(nameless, false, true));
        }
    }

    /** A key that is in several versions of a JWK Set is tried once, or a forged token would cost as much as several. */
    private static void addKeys(Version<List<VerificationKey>> version, List<Candidate> all) {
        for (VerificationKey key : version.value()) {
            boolean there = all.stream().anyMatch(one -> one.key().isSameAs(key) && isAcceptedAsLong(one, version));
            if (!there) {
                all.add(new Candidate(version, key));
            }
        }
    }

    private static boolean isAcceptedAsLong(Candidate one, Version<?> other) {
        Optional<Instant> end = one.version().acceptedUntil();
        return end.isEmpty()
                || other.acceptedUntil()
                        .filter(until -> !until.isAfter(end.get()))
                        .isPresent();
    }

    /** A key, and the version of the secret that it is from. */
    record Candidate(Version<List<VerificationKey>> version, VerificationKey key) {}

    /** Whether another ring has the same keys. */
    boolean sameKeysAs(KeyRing other) {
        return other == this || generations().equals(other.generations());
    }

    private List<Long> generations() {
        return keys.stream().map(one -> one.version().generation()).toList();
    }

    /**
     * The keys to try for one header.
     *
     * @param keys in the order in which to try them
     * @param conclusive whether no other key can be meant, so that looking for a new one is pointless
     * @param unknown whether the header has a {@code kid} that names none of the keys
     */
    record Candidates(List<Candidate> keys, boolean conclusive, boolean unknown) {}

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

    /** Which keys to try for an {@code alg} and a {@code kid}. Only for a name that is known something is allocated. */
    Candidates candidates(JwsAlgorithm algorithm, @Nullable String keyId) {
        Candidates all = Objects.requireNonNull(withoutId.get(algorithm));
        if (keyId == null) {
            return all;
        }
        List<Candidate> fitting = all.keys();
        for (int i = 0; i < fitting.size(); i++) { // an iterator would be garbage
            if (fitting.get(i).key().id().value().equals(keyId)) {
                return named(fitting, keyId);
            }
        }
        return Objects.requireNonNull(withForeignId.get(algorithm));
    }

    private static Candidates named(List<Candidate> fitting, String keyId) {
        List<Candidate> named = fitting.stream()
                .filter(one -> one.key().id().value().equals(keyId))
                .toList();
        // A derived id stands for the very material. One that an issuer made up may be given to a new key as well.
        boolean derived = named.stream().noneMatch(one -> one.key().id().told());
        return new Candidates(named, derived, false);
    }

    /** The version of a generation; null if it has none of its keys among the candidates. */
    static @Nullable Version<List<VerificationKey>> version(List<Candidate> among, long generation) {
        for (int i = 0; i < among.size(); i++) {
            Version<List<VerificationKey>> version = among.get(i).version();
            if (version.generation() == generation) {
                return version;
            }
        }
        return null;
    }

    /** All keys, in the order in which to try them. */
    List<Candidate> keys() {
        return keys;
    }

    boolean isEmpty() {
        return keys.isEmpty();
    }
}
