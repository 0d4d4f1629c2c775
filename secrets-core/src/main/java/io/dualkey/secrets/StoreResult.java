package io.dualkey.secrets;

import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A {@link SecretStore}'s answer to one {@link StoreQuery}. Immutable and safe for use by several threads. */
public sealed interface StoreResult {

    /** {@return the secret is as {@link StoreQuery#known} has it} */
    static StoreResult unchanged() {
        return Unchanged.INSTANCE;
    }

    /**
     * {@return the secret as the store has it now}
     *
     * @param secret all versions that can matter
     */
    static StoreResult found(StoredSecret secret) {
        return new Found(secret);
    }

    /**
     * {@return the secret could not be read}
     *
     * @param outcome how it failed; not {@link Outcome#OK}
     * @param detail what exactly happened and where, for operators, without any part of a value
     */
    static StoreResult failed(Outcome outcome, String detail) {
        return new Failed(outcome, detail, null);
    }

    /**
     * {@return the secret could not be read, and the store said when to come back}
     *
     * @param outcome how it failed; not {@link Outcome#OK}
     * @param detail what exactly happened and where, for operators, without any part of a value
     * @param retryAfter how long to leave the store alone
     */
    static StoreResult failed(Outcome outcome, String detail, Duration retryAfter) {
        return new Failed(outcome, detail, retryAfter);
    }

    /** Made by {@link StoreResult#unchanged}. */
    enum Unchanged implements StoreResult {
        /** The only one. */
        INSTANCE
    }

    /**
     * Made by {@link StoreResult#found}.
     *
     * @param secret the secret
     */
    record Found(StoredSecret secret) implements StoreResult {

        /**
         * Checks that there is one.
         *
         * @param secret the secret
         */
        public Found {
            Objects.requireNonNull(secret, "secret");
        }
    }

    /**
     * Made by {@link StoreResult#failed(Outcome, String)}.
     *
     * @param outcome how it failed
     * @param detail what happened, without any part of a value
     * @param retryAfter when to come back, or null where the store did not say
     */
    record Failed(Outcome outcome, String detail, @Nullable Duration retryAfter) implements StoreResult {

        /**
         * Checks the outcome.
         *
         * @param outcome not {@link Outcome#OK}
         * @param detail what happened
         * @param retryAfter when to come back, or null
         * @throws IllegalArgumentException if the outcome is {@link Outcome#OK}
         */
        public Failed {
            Objects.requireNonNull(outcome, "outcome");
            Objects.requireNonNull(detail, "detail");
            if (outcome == Outcome.OK) {
                throw new IllegalArgumentException("a failed read cannot have the outcome OK");
            }
        }
    }
}
