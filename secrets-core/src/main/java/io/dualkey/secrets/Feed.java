package io.dualkey.secrets;

import java.util.concurrent.CompletableFuture;

/** Where the news of a secret comes from: reads of its store, or the secrets that it is composed of. */
interface Feed {

    /** See {@link Rotating#refresh}. */
    CompletableFuture<RefreshResult> refresh(RefreshCause cause);

    /**
     * Makes sure that what is published is no older than this call, since another secret has changed that is used together
     * with this one. Completed when it is, or when that cannot be; never exceptionally.
     */
    CompletableFuture<RefreshResult> catchUp();

    /** Completed when what is published follows from what was read by now; reads nothing. */
    default CompletableFuture<RefreshResult> settle() {
        return CompletableFuture.completedFuture(RefreshResult.UNCHANGED);
    }

    /** Ends what is under way; whoever waits gets an answer. */
    void close();

    /** See {@link RotatingSecret#forgetRemembered}. */
    default void forgetRemembered() {}
}
