package io.dualkey.secrets;

import java.util.List;

/**
 * One secret as a store holds it. Immutable and safe for use by several threads.
 */
public final class StoredSecret {

    private final String tag;
    private final List<StoredVersion> versions;

    private StoredSecret(String tag, List<StoredVersion> versions) {
        this.tag = tag;
        this.versions = List.copyOf(versions);
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
        return new StoredSecret(tag, versions);
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
