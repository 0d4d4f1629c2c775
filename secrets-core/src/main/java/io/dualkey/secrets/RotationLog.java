package io.dualkey.secrets;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;
import org.slf4j.spi.LoggingEventBuilder;

/**
 * The log lines that tell the steps of a rotation. Besides their text they carry key-value pairs, by which machines find them:
 * the documentation names the keys and the events, and texts may change while these stay.
 */
final class RotationLog {

    private static final Logger log = LoggerFactory.getLogger(SecretSource.class);

    private RotationLog() {}

    /** A line about a secret; a value of the secret belongs in none. */
    static LoggingEventBuilder event(Level level, String event, String secret) {
        return log.atLevel(level).addKeyValue("dualkey.event", event).addKeyValue("dualkey.secret", secret);
    }

    /** A line about one version of it. */
    static LoggingEventBuilder event(Level level, String event, String secret, String version) {
        return event(level, event, secret).addKeyValue("dualkey.version", version);
    }
}
