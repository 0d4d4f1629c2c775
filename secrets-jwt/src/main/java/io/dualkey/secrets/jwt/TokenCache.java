package io.dualkey.secrets.jwt;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.security.SecureRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * Tokens whose signature and claims were found good, so that they need not be verified again while they are presented
 * again. It knows texts that were accepted, and so are canonical, and no others. What may have changed since, the time and
 * the keys, is for its caller to ask at every hit. Safe for use by several threads.
 */
final class TokenCache {

    /*
     * Concurrency: a slot holds an immutable entry or null, and is only changed by an atomic compare-and-set; whoever
     * succeeds with one adds the difference of the weights to `weight`, which therefore is the sum of the entries' weights
     * whenever no thread is in between. A thread that adds an entry first puts it in and then makes room, so the bound is
     * exceeded by no more than the one entry of each thread that is adding; if it finds no room it takes its entry out
     * again. Nobody waits; who loses a race keeps nothing, and the token is verified the next time.
     *
     * Timing: the slot follows from a hash (SipHash-2-4) of the last 64 characters under a key that is drawn when the
     * cache is made. Those are at least 256 bits of the signature, so nobody can present an ending that is in the cache
     * without having seen it, and which tokens share a slot can neither be foreseen nor brought about. Where the hash is
     * the same, the whole texts are compared in a time that depends on their length alone.
     */

    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final int HASHED = 64;
    private static final int WAYS = 4;
    private static final int MAX_EVICTIONS = 64;
    /** What a small token and its entry take, roughly; for the number of slots. */
    private static final int SMALL = 512;
    /** An entry, the headers and padding of the texts and arrays behind it, and its slot. */
    private static final int OVERHEAD = 176;

    private final long maxBytes;
    private final long key0;
    private final long key1;
    private final AtomicReferenceArray<@Nullable Entry> slots;
    private final AtomicLong weight = new AtomicLong();
    private final AtomicInteger hand = new AtomicInteger();

    /** A token that was accepted. */
    static final class Entry {
        private final long hash;
        final String token;
        final @Nullable String subject;
        final long expiresAt;
        final long notBefore;
        final long issuedAt;
        /** The version of the secret whose key verified it. */
        final long generation;
        /** The {@link KeyRing#stamp} of the view of keys in which that was last found right. */
        final long stamp;

        Entry(long hash, VerifiedJwt jwt, long generation, long stamp) {
            this.hash = hash;
            this.token = jwt.token();
            this.subject = jwt.subjectOrNull();
            this.expiresAt = jwt.expiresAtMillis();
            this.notBefore = jwt.notBeforeMillis();
            this.issuedAt = jwt.issuedAtMillis();
            this.generation = generation;
            this.stamp = stamp;
        }

        private int weight() {
            return OVERHEAD + token.length() + (subject == null ? 0 : 2 * subject.length());
        }
    }

    TokenCache(long maxBytes) {
        this.maxBytes = maxBytes;
        SecureRandom random = new SecureRandom();
        this.key0 = random.nextLong();
        this.key1 = random.nextLong();
        long wanted = Math.min(1 << 20, Math.max(WAYS, maxBytes / SMALL));
        this.slots = new AtomicReferenceArray<>((int) Long.highestOneBit(wanted - 1) * 2);
    }

    /** Whether tokens of this length are kept at all. */
    boolean takes(int length) {
        return length >= HASHED && length <= maxBytes / 16;
    }

    /**
     * The entry of a token; null if there is none.
     *
     * @param hash of the text
     * @param room for another text of the same length; it is overwritten
     */
    @Nullable
    Entry find(long hash, byte[] text, int length, byte[] room) {
        int set = set(hash);
        for (int way = 0; way < WAYS; way++) {
            Entry entry = slots.get(set + way);
            if (entry != null
                    && entry.hash == hash
                    && entry.token.length() == length
                    && isSame(entry.token, text, length, room)) {
                return entry;
            }
        }
        return null;
    }

    /** Compares in a time that depends on the length alone. */
    @SuppressWarnings("deprecation") // the cached text has no high bytes to drop, and this does not allocate
    private static boolean isSame(String token, byte[] text, int length, byte[] room) {
        token.getBytes(0, length, room, 0);
        long difference = 0;
        int i = 0;
        for (; i + Long.BYTES <= length; i += Long.BYTES) {
            difference |= (long) LONGS.get(text, i) ^ (long) LONGS.get(room, i);
        }
        for (; i < length; i++) {
            difference |= text[i] ^ room[i];
        }
        return difference == 0;
    }

    /** Keeps a token that was accepted, instead of the entry that it had before or of one that has to make room. */
    void add(long hash, VerifiedJwt jwt, KeyRing keyRing, long now) {
        Entry entry = new Entry(hash, jwt, jwt.key().generation(), keyRing.stamp);
        int slot = slotFor(entry, now);
        if (replace(slot, slots.get(slot), entry)) {
            makeRoom(slot, entry);
        }
    }

    private int slotFor(Entry added, long now) {
        int set = set(added.hash);
        int best = set + (int) (added.hash >>> 62);
        for (int way = 0; way < WAYS; way++) {
            Entry entry = slots.get(set + way);
            if (entry != null && entry.hash == added.hash) {
                return set + way;
            }
            if (entry == null || (entry.expiresAt != JsonCursor.NO_DATE && entry.expiresAt <= now)) {
                best = set + way;
            }
        }
        return best;
    }

    private void makeRoom(int own, Entry entry) {
        for (int i = 0; i < MAX_EVICTIONS && weight.get() > maxBytes; i++) {
            int slot = hand.getAndIncrement() & (slots.length() - 1);
            if (slot != own) {
                replace(slot, slots.get(slot), null);
            }
        }
        if (weight.get() > maxBytes) {
            replace(own, entry, null);
        }
    }

    /** Forgets a token that is no longer good. */
    void remove(Entry entry) {
        int set = set(entry.hash);
        for (int way = 0; way < WAYS; way++) {
            replace(set + way, entry, null);
        }
    }

    private boolean replace(int slot, @Nullable Entry before, @Nullable Entry after) {
        boolean done = slots.compareAndSet(slot, before, after);
        if (done) {
            weight.addAndGet((after == null ? 0 : after.weight()) - (before == null ? 0 : before.weight()));
        }
        return done;
    }

    private int set(long hash) {
        return (int) hash & (slots.length() - 1) & -WAYS;
    }

    /** The sum of the weights, as it is kept. */
    long weight() {
        return weight.get();
    }

    /** The sum of the weights, counted anew. */
    long countedWeight() {
        long sum = 0;
        for (int i = 0; i < slots.length(); i++) {
            Entry entry = slots.get(i);
            sum += entry == null ? 0 : entry.weight();
        }
        return sum;
    }

    /** SipHash-2-4 (Aumasson and Bernstein, 2012) of the end of a text that is not shorter than what is hashed. */
    long hash(byte[] text, int length) {
        return sipHash(key0, key1, text, length - HASHED, HASHED);
    }

    /** SipHash-2-4 of a whole number of words. */
    static long sipHash(long key0, long key1, byte[] text, int from, int length) {
        long v0 = key0 ^ 0x736f6d6570736575L;
        long v1 = key1 ^ 0x646f72616e646f6dL;
        long v2 = key0 ^ 0x6c7967656e657261L;
        long v3 = key1 ^ 0x7465646279746573L;
        for (int i = 0; i <= length; i += Long.BYTES) {
            long word = i < length ? (long) LONGS.get(text, from + i) : (long) length << 56;
            v3 ^= word;
            for (int round = 0; round < 2; round++) {
                v0 += v1;
                v2 += v3;
                v1 = Long.rotateLeft(v1, 13) ^ v0;
                v3 = Long.rotateLeft(v3, 16) ^ v2;
                v0 = Long.rotateLeft(v0, 32);
                v2 += v1;
                v0 += v3;
                v1 = Long.rotateLeft(v1, 17) ^ v2;
                v3 = Long.rotateLeft(v3, 21) ^ v0;
                v2 = Long.rotateLeft(v2, 32);
            }
            v0 ^= word;
        }
        v2 ^= 0xFF;
        for (int round = 0; round < 4; round++) {
            v0 += v1;
            v2 += v3;
            v1 = Long.rotateLeft(v1, 13) ^ v0;
            v3 = Long.rotateLeft(v3, 16) ^ v2;
            v0 = Long.rotateLeft(v0, 32);
            v2 += v1;
            v0 += v3;
            v1 = Long.rotateLeft(v1, 17) ^ v2;
            v3 = Long.rotateLeft(v3, 21) ^ v0;
            v2 = Long.rotateLeft(v2, 32);
        }
        return v0 ^ v1 ^ v2 ^ v3;
    }
}
