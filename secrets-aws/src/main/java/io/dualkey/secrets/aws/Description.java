package io.dualkey.secrets.aws;

import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.secretsmanager.model.DescribeSecretResponse;

/**
 * What DescribeSecret tells without a value: which versions have the labels that matter, and when the secret changed.
 *
 * @param pending the version to come, unless it is the current or the previous one: a finished rotation may leave the
 *     label where it was
 * @param rotated when a rotation last ended
 * @param changed when anything of the secret last changed, a tag or its description included
 */
record Description(
        boolean deleted,
        @Nullable String current,
        @Nullable String previous,
        @Nullable String pending,
        @Nullable Instant rotated,
        @Nullable Instant changed) {

    static final String CURRENT = "AWSCURRENT";
    static final String PREVIOUS = "AWSPREVIOUS";
    static final String PENDING = "AWSPENDING";

    static Description of(DescribeSecretResponse response) {
        Map<String, List<String>> stages = response.versionIdsToStages();
        String current = labelled(stages, CURRENT);
        String previous = labelled(stages, PREVIOUS);
        String pending = labelled(stages, PENDING);
        boolean known = pending != null && (pending.equals(current) || pending.equals(previous));
        return new Description(
                response.deletedDate() != null,
                current,
                previous,
                known ? null : pending,
                response.lastRotatedDate(),
                response.lastChangedDate());
    }

    /** A label is on one version at most. */
    private static @Nullable String labelled(Map<String, ? extends Collection<String>> stages, String label) {
        for (Map.Entry<String, ? extends Collection<String>> version : stages.entrySet()) {
            if (version.getValue().contains(label)) {
                return version.getKey();
            }
        }
        return null;
    }

    /** Changes with every label, and with the end of a rotation, which the service notes after it has moved the labels. */
    String tag() {
        return "describe|" + current + "|" + previous + "|" + pending + "|" + rotated;
    }

    /** Changes with anything. */
    String exactTag() {
        return tag() + "|" + changed;
    }

    /**
     * When the current version came into force at the latest.
     *
     * @param created when it was made
     */
    @Nullable
    Instant latestActivation(@Nullable Instant created) {
        return latest(created, rotated, changed);
    }

    /**
     * When the current version came into force.
     *
     * @param created when it was made
     * @param rolledBack whether the previous version is younger: then the label was moved back, and only the secret's last
     *     change can tell when
     */
    @Nullable
    Instant activation(@Nullable Instant created, boolean rolledBack) {
        return rolledBack ? latest(created, changed) : latest(created, rotated);
    }

    static @Nullable Instant latest(@Nullable Instant... times) {
        return Stream.of(times).filter(Objects::nonNull).max(Instant::compareTo).orElse(null);
    }
}
