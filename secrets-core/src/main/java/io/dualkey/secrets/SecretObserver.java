package io.dualkey.secrets;

import java.time.Duration;

/**
 * Is told what a {@link SecretSource} does, for meters. Called on the source's threads, never while a lock is held; it must
 * not block, and what it throws is logged by class. Register it with {@link SecretSource#observe}.
 */
public interface SecretObserver {

    /**
     * A handle on a secret was made. Also called, at registration, for each secret that has one already.
     *
     * @param secret its name
     */
    default void registered(String secret) {}

    /**
     * A check of a secret with its store has ended. A composed secret has no store and no checks of its own: its parts have.
     *
     * @param secret its name
     * @param outcome how the check ended
     * @param took how long the store took; the same for all secrets that it read in one call
     */
    default void checked(String secret, Outcome outcome, Duration took) {}
}
