package io.dualkey.secrets.jwt;

import io.dualkey.secrets.RefreshCause;
import io.dualkey.secrets.RefreshResult;
import io.dualkey.secrets.Rotating;
import java.time.Clock;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Asks for newer keys on behalf of what no accepted key fits, which anybody may send, and lets a few callers wait a short
 * while for them. Safe for use by several threads.
 */
final class UnknownKeyRefresh {

    /*
     * Concurrency: `permits` bounds the requests for a refresh that have no answer yet, and so both the threads that wait
     * and what forged messages can attach to a read of a store that hangs. After a request that was turned down or
     * fruitless, `heldOffFrom` keeps the next ones from the secret's lock for a moment, so that forged messages meet
     * nothing there that good ones could wait for. Lost updates of it do no harm: one request more or less is made.
     */

    static final int MAX_UNDER_WAY = 8;
    private static final long HOLD_OFF_MILLIS = 1000;

    private final Rotating<?> keys;
    private final Clock clock;
    private final long waitNanos;
    private final Semaphore permits = new Semaphore(MAX_UNDER_WAY);
    private volatile long heldOffFrom = Long.MIN_VALUE;

    /**
     * Prepares requests.
     *
     * @param wait how long a caller waits at most; zero if none does
     */
    UnknownKeyRefresh(Rotating<?> keys, Clock clock, Duration wait) {
        this.keys = keys;
        this.clock = clock;
        this.waitNanos = wait.toNanos();
    }

    /** How long a caller waits at most; zero if none does. */
    long waitNanos() {
        return waitNanos;
    }

    /** Asks for newer keys, and waits for them where there is something to wait for. */
    void await(long now) {
        CompletableFuture<RefreshResult> refresh = request(now);
        if (refresh != null && waitNanos > 0) {
            try {
                refresh.get(waitNanos, TimeUnit.NANOSECONDS);
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
            } catch (TimeoutException | ExecutionException judgeWithWhatThereIs) {
                // the keys are looked at all the same
            }
        }
    }

    /**
     * Asks for newer keys, unless enough callers have or it is too soon.
     *
     * @return the request under way; null if there is none, or it has been answered already
     */
    @Nullable
    CompletableFuture<RefreshResult> request(long now) {
        long since = now - heldOffFrom;
        if ((since >= 0 && since < HOLD_OFF_MILLIS) || !permits.tryAcquire()) {
            return null;
        }
        CompletableFuture<RefreshResult> refresh;
        try {
            refresh = keys.refresh(RefreshCause.UNTRUSTED);
        } catch (RuntimeException | Error failure) {
            permits.release();
            throw failure;
        }
        // Whoever gives up waiting still has something attached to the read, so its permit is back only when that ends.
        CompletableFuture<RefreshResult> answer = refresh.whenComplete((result, failure) -> ended(result));
        return answer.isDone() ? null : answer;
    }

    private void ended(@Nullable RefreshResult result) {
        if (result != RefreshResult.CHANGED) {
            heldOffFrom = clock.millis();
        }
        permits.release();
    }

    /** How many requests have no answer yet. */
    int underWay() {
        return MAX_UNDER_WAY - permits.availablePermits();
    }
}
