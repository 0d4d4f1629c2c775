package io.dualkey.examples.rotation.demo;

import java.util.List;

/**
 * What one signing key was to the service over time.
 *
 * @param label a name for the key
 * @param spans one after the other
 */
record KeyBand(String label, List<Span> spans) {

    /** What a key is at one time. */
    enum Acceptance {
        CURRENT,
        PREVIOUS,
        REFUSED
    }

    /**
     * A time in which it was one thing.
     *
     * @param from in seconds
     * @param to in seconds
     * @param acceptance what it was
     */
    record Span(double from, double to, Acceptance acceptance) {}
}
