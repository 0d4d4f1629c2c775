package io.dualkey.secrets.jwt;

import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Objects that are costly to make and that one thread at a time may use. It never waits: where none is free, one is
 * made, and where there is no room, one is dropped.
 */
final class Pool<T> {

    /*
     * Concurrency: an object is either in a slot or held by the one thread that took it out with an atomic exchange, so
     * it is never shared; the exchange and the compare-and-set that puts it back also publish what was written to it.
     * Thread-locals would do as well for a few platform threads, but virtual threads come by the million. A thread
     * starts at the slot of its id, so that threads seldom meet, and slots lie a cache line apart.
     */

    private static final int STRIDE = 16;
    private static final int PROBES = 4;
    private static final int SLOTS = slots(Runtime.getRuntime().availableProcessors());

    private final AtomicReferenceArray<@Nullable T> slots = new AtomicReferenceArray<>(SLOTS * STRIDE);
    private final Supplier<T> maker;

    Pool(Supplier<T> maker) {
        this.maker = maker;
    }

    private static int slots(int processors) {
        int wanted = Math.min(64, Math.max(4, 2 * processors));
        return Integer.highestOneBit(wanted - 1) * 2;
    }

    T acquire() {
        int first = home();
        for (int i = 0; i < PROBES; i++) {
            int slot = ((first + i) & (SLOTS - 1)) * STRIDE;
            if (slots.getPlain(slot) != null) {
                T taken = slots.getAndSet(slot, null);
                if (taken != null) {
                    return taken;
                }
            }
        }
        return maker.get();
    }

    /** Gives an object back; one that an exception may have left in a strange state is not given back. */
    void release(T object) {
        int first = home();
        for (int i = 0; i < PROBES; i++) {
            int slot = ((first + i) & (SLOTS - 1)) * STRIDE;
            if (slots.getPlain(slot) == null && slots.compareAndSet(slot, null, object)) {
                return;
            }
        }
    }

    private static int home() {
        return (int) Thread.currentThread().getId();
    }
}
