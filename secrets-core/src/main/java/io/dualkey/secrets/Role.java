package io.dualkey.secrets;

/** What a version is to its secret at one moment. */
public enum Role {
    /** The version to use: to sign with, to log in with. */
    CURRENT,
    /** A version that was current and is still accepted during its grace period. */
    PREVIOUS,
    /** A version that the store announces and that is not in force yet. */
    UPCOMING
}
