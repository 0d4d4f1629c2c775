package io.dualkey.examples.rotation.demo;

import java.util.Locale;
import java.util.OptionalDouble;

/** How numbers are written, on the terminal and in the report. */
final class Format {

    static final String NONE = "–";

    private Format() {}

    static String count(long number) {
        return String.format(Locale.ROOT, "%,d", number);
    }

    /** {@return a time given in microseconds, in milliseconds} */
    static String millis(long micros) {
        double millis = micros / 1000.0;
        return String.format(Locale.ROOT, millis < 99.95 ? "%.1f ms" : "%.0f ms", millis);
    }

    /** {@return a time given in microseconds of something that happened, in milliseconds} */
    static String millis(Latency latency, long micros) {
        return latency.requests() == 0 ? NONE : millis(micros);
    }

    static String seconds(double seconds) {
        return String.format(Locale.ROOT, seconds < 10 ? "%.2f s" : "%.1f s", seconds);
    }

    static String seconds(OptionalDouble seconds) {
        return seconds.isPresent() ? seconds(seconds.getAsDouble()) : NONE;
    }

    /** {@return when a step took effect, with a word for the kind of effect where it is not the usual one} */
    static String effect(Step step) {
        if (step.effective().isEmpty()) {
            return "never";
        }
        String seconds = seconds(step.secondsToEffect());
        return step.kind().isRotation() ? seconds : step.kind().effect() + " " + seconds;
    }
}
