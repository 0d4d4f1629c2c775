package io.dualkey.examples.rotation.demo;

import java.util.List;
import java.util.OptionalDouble;

/**
 * How many connections of the service were logged in with one generation of credentials over time.
 *
 * @param label the user, and which of its passwords
 * @param heldOff whether it is the one that does not work
 * @param from when it was written, in seconds
 * @param points where the number changes, in order of time
 * @param safeToDrop when the library said that its user can be dropped
 * @param until when it was over: its user dropped, or it replaced by one that works
 */
record CredentialBand(
        String label,
        boolean heldOff,
        double from,
        List<Point> points,
        OptionalDouble safeToDrop,
        OptionalDouble until) {

    /**
     * From this moment on there were so many.
     *
     * @param at in seconds
     * @param connections how many
     */
    record Point(double at, int connections) {}
}
