package io.dualkey.secrets;

import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * One secret as a store holds it. Immutable and safe for use by several threads.
 */
public final class StoredSecret {

    private final String tag;
    private final List<StoredVersion> versions;

    private final @Nullable SecretStore layer;

    private StoredSecret(String tag, List<StoredVersion> versions, @Nullable SecretStore layer) {
        this.tag = tag;
        this.versions = List.copyOf(versions);
        this.layer = layer;
    }

    /** The layer of a {@link LayeredStore} that has this; empty where the store asked is the one that answered. */
    Optional<SecretStore> layer() {
        return Optional.ofNullable(layer);
    }

    StoredSecret from(SecretStore answering) {
        return new StoredSecret(tag, versions, answering);
    }

    StoredSecret withVersions(List<StoredVersion> others) {
        return new StoredSecret(tag, others, layer);
    }

    /**
     * {@return a secret}
     *
     * @param tag identifies this state of the secret to the store that made it, as an ETag does: it changes with
     * every id,
     *     enabled flag, time or stage of a version. It is never shown, but must not be derived from a value alone
     * @param versions the versions that can matter, oldest first: the order decides where times are equal or missing
     */
    public static StoredSecret of(String tag, List<StoredVersion> versions) {
        return new StoredSecret(tag, versions, null);
    }

    /** {@return the tag} */
    public String tag() {
        return tag;
    }

    /** {@return the versions, oldest first} */
    public List<StoredVersion> versions() {
        return versions;
    }

    /** The versions' ids; never a value. */
    @Override
    public String toString() {
        return "StoredSecret" + versions;
    }
}
