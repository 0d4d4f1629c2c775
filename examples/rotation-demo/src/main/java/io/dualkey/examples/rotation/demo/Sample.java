package io.dualkey.examples.rotation.demo;

/**
 * One request, as the client saw it.
 *
 * @param at when it was due, in nanoseconds since the clock of the run started; negative while warming up
 * @param micros from when it was due to the end of the response, so that a client that is held up by one slow response
 *     counts the wait of the next ones as well
 * @param result how it ended
 */
record Sample(long at, long micros, Result result) {

    /** How a request ended. */
    enum Result {
        /** It was answered as it should be. */
        SERVED,
        /** Its token was signed by a key that has been removed, and it was refused as it should be. */
        REFUSED_AS_EXPECTED,
        /** Anything else. */
        FAILED
    }
}
