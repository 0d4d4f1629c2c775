package io.dualkey.secrets;

import io.dualkey.secrets.Acceptance.Change;
import java.time.Instant;
import java.util.List;

/** A secret as part of a composed one: its values as they can stand there, and what was current when. */
final class PartNode extends MappedNode<SecretValue, SecretValue> {

    /**
     * What is published of a part, consistent in itself.
     *
     * @param versions what is accepted
     * @param changes what was current when, oldest first
     */
    record View(Versions<SecretValue> versions, List<Change> changes) {}

    private volatile View view = new View(versions(), List.of());

    PartNode(Node<SecretValue> secret, Parser<SecretValue, SecretValue> check) {
        super(secret, check);
    }

    View view() {
        return view;
    }

    @Override
    void evaluated(Instant now) {
        view = new View(versions(), Acceptance.changes(root().history(), this::usable, now));
    }
}
