package io.dualkey.secrets;

import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.atomic.LongAdder;

/** Counts uses from many threads and keeps the time of the last one, to the second. */
final class UseCounter {

    private final LongAdder uses = new LongAdder();
    private volatile long lastMillis;

    void used(long epochMillis) {
        uses.increment();
        if (epochMillis - lastMillis >= 1000) { // a volatile write at most once a second, not for each request
            lastMillis = epochMillis;
        }
    }

    long count() {
        return uses.sum();
    }

    Optional<Instant> last() {
        long millis = lastMillis;
        return millis == 0 ? Optional.empty() : Optional.of(Instant.ofEpochMilli(millis));
    }
}
