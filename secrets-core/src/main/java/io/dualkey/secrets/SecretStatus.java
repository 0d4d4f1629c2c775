package io.dualkey.secrets;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The state of one secret at one moment, for operators: health, meters, startup messages. It has no values.
 * Immutable and
 * safe for use by several threads.
 *
 * @param name the secret's name
 * @param store where it is kept
 * @param state whether it is served, and how well
 * @param outcome how the last check ended; empty before the first has ended
 * @param detail what is wrong, where, and what to do; empty when all is well
 * @param lastCheck when the store last answered or failed to
 * @param lastSuccess when the store last answered with something that could be used
 * @param nextCheck when the schedule has it checked next; anything that asks for a refresh may be sooner. Empty before the
 *     first check has ended, for a composed secret, whose parts are checked, and where nothing can change
 * @param checks how many checks ended with each outcome since the start
 * @param versions the versions in force: current, previous, upcoming
 * @param uses how often a version was used in each role since the start, as far as it was recorded
 * @param lastUses when a version was last used in each role, to the second; roles never used are absent
 * @param rotationDue when the current version is to be rotated at the latest; empty without {@link
 *     SecretOptions#rotateEvery}, or where nobody knows how old the version is
 * @param expires when the current version ends to be accepted; empty for no end
 * @param warnings what to see to before it becomes a problem: a rotation that is overdue, an expiry within 7 days
 * @param canChange whether what its store holds can change while the process runs; where not, it is read once
 */
public record SecretStatus(
        String name,
        String store,
        SecretState state,
        Optional<Outcome> outcome,
        String detail,
        Optional<Instant> lastCheck,
        Optional<Instant> lastSuccess,
        Optional<Instant> nextCheck,
        Map<Outcome, Long> checks,
        List<VersionStatus> versions,
        Map<Role, Long> uses,
        Map<Role, Instant> lastUses,
        Optional<Instant> rotationDue,
        Optional<Instant> expires,
        List<String> warnings,
        boolean canChange) {

    /**
     * One version in force.
     *
     * @param id the store's id of the version, or one made up for a store that has none
     * @param role what it is to the secret
     * @param activatedAt when it came into force, where that is known
     * @param acceptedUntil until when it is accepted; empty for no end
     * @param uses how often it was used since it was first seen, as far as it was recorded
     */
    public record VersionStatus(
            String id, Role role, Optional<Instant> activatedAt, Optional<Instant> acceptedUntil, long uses) {

        static VersionStatus of(Version<?> version) {
            return new VersionStatus(
                    version.id(),
                    version.role(),
                    version.activatedAt(),
                    version.acceptedUntil(),
                    version.record().uses().count());
        }
    }

    /**
     * {@return the first version in a role}
     *
     * @param role the role
     */
    public Optional<VersionStatus> version(Role role) {
        return versions.stream().filter(version -> version.role() == role).findFirst();
    }
}
