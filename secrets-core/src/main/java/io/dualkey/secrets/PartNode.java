package io.dualkey.secrets;

import io.dualkey.secrets.Acceptance.Change;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A secret as part of a composed one: what stands in the composed one of each of its versions, and which was current when.
 * A version that cannot fill all its places is not usable.
 */
final class PartNode extends MappedNode<SecretValue, List<SecretValue>> {

    /**
     * What is published of a part, consistent in itself.
     *
     * @param versions what is accepted
     * @param changes what was current when, oldest first
     * @param standing what the store has not taken back, accepted or not
     */
    record View(Versions<List<SecretValue>> versions, List<Change> changes, Set<VersionRecord> standing) {}

    private volatile View view = new View(versions(), List.of(), Set.of());

    PartNode(SecretNode secret, Parser<SecretValue, List<SecretValue>> places) {
        super(secret, places);
    }

    View view() {
        return view;
    }

    @Override
    void evaluated(List<Occurrence> history, Instant now) {
        Set<VersionRecord> standing = history.stream()
                .filter(one ->
                        one.enabled() && (one.expires() == null || one.expires().isAfter(now)) && usable(one.version()))
                .map(Occurrence::version)
                .collect(Collectors.toUnmodifiableSet());
        view = new View(versions(), Acceptance.changes(history, this::usable, now), standing);
    }
}
