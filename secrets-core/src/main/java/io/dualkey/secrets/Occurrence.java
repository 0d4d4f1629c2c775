package io.dualkey.secrets;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * One appearance of a version in the history of its secret, as the acceptance function takes it. The same material can
 * appear several times (a rollback A, B, A): then several occurrences have one {@link VersionRecord}.
 *
 * @param version the version
 * @param activatedAt when it came into force; null when nobody knows
 * @param notBefore when its window opens; null for always open
 * @param expires when its window closes; null for never
 * @param enabled whether it may be used at all
 * @param stage the store's label
 * @param hold how it is accepted when it is not the current one
 */
record Occurrence(
        VersionRecord version,
        @Nullable Instant activatedAt,
        @Nullable Instant notBefore,
        @Nullable Instant expires,
        boolean enabled,
        StoredVersion.Stage stage,
        Hold hold) {

    /** How a version that is not current is accepted. */
    enum Hold {
        /** Until its successor's activation plus the grace period. */
        GRACE,
        /** For as long as it is listed: a companion, which an operator removes. */
        WHILE_LISTED,
        /** Not at all: it only stands in while no newer version can be used. */
        NEVER
    }

    static Occurrence of(StoredVersion stored, VersionRecord version) {
        return new Occurrence(
                version,
                stored.activatedAt().orElse(null),
                stored.notBefore().orElse(null),
                stored.expires().orElse(null),
                stored.enabled(),
                stored.stage(),
                Hold.GRACE);
    }

    boolean mayBeCurrent() {
        return hold != Hold.WHILE_LISTED || stage == StoredVersion.Stage.PREVIOUS;
    }

    /** What is served only while nothing newer can be used, and never accepted beside anything. */
    Occurrence asStandIn() {
        return new Occurrence(version, null, null, expires, enabled, StoredVersion.Stage.NONE, Hold.NEVER);
    }

    Occurrence withHold(Hold other) {
        return new Occurrence(version, activatedAt, notBefore, expires, enabled, stage, other);
    }
}
