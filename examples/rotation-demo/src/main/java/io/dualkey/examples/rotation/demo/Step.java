package io.dualkey.examples.rotation.demo;

import java.util.OptionalDouble;
import java.util.OptionalLong;

/**
 * One step of the runbook, as it went. Times are in seconds on the {@link RunClock}.
 *
 * @param number its place in the runbook, from 1
 * @param kind what kind of step it is
 * @param label a word or two for the plot
 * @param title what was done
 * @param written when the secret was written
 * @param effective when it had taken effect, see {@link Kind}; empty if it never did
 * @param safeToDrop when the library said that the user of before can be dropped; empty where no user was replaced
 * @param end when the step was over
 * @param connectionsMoved how many connections were replaced; empty where it is not about connections
 * @param during how long the requests took that were due during the step
 */
record Step(
        int number,
        Kind kind,
        String label,
        String title,
        double written,
        OptionalDouble effective,
        OptionalDouble safeToDrop,
        double end,
        OptionalLong connectionsMoved,
        Latency during) {

    /** What kind of step it is, and so what it means that it has taken effect. */
    enum Kind {
        /** A new signing key: every new token is signed with it, and it is accepted. */
        KEY("in use"),
        /** New database credentials: every connection is logged in with them. */
        CREDENTIALS("in use"),
        /** A secret that does not work: the service reports it as held off. */
        BAD_SECRET("held off"),
        /** A previous key is removed: its tokens are refused. */
        REVOCATION("refused");

        private final String effect;

        Kind(String effect) {
            this.effect = effect;
        }

        String effect() {
            return effect;
        }

        /** {@return whether something new is in use afterwards} */
        boolean isRotation() {
            return this == KEY || this == CREDENTIALS;
        }
    }

    OptionalDouble secondsToEffect() {
        return effective.isPresent() ? OptionalDouble.of(effective.getAsDouble() - written) : effective;
    }

    OptionalDouble secondsToSafeToDrop() {
        return safeToDrop.isPresent() ? OptionalDouble.of(safeToDrop.getAsDouble() - written) : safeToDrop;
    }
}
