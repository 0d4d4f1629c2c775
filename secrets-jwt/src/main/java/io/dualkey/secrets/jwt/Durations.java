package io.dualkey.secrets.jwt;

import java.time.Duration;

/** Checks arguments. */
final class Durations {

    private Durations() {}

    static Duration inRange(String what, Duration value, Duration least, Duration most) {
        if (value.compareTo(least) < 0 || value.compareTo(most) > 0) {
            throw new IllegalArgumentException(what + " must be from " + least + " to " + most + ", but is " + value);
        }
        return value;
    }
}
