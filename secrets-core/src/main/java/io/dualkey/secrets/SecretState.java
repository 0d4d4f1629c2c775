package io.dualkey.secrets;

/** The state of one secret. */
public enum SecretState {
    /** It has not been read yet. */
    LOADING,
    /** The last check succeeded and the version that the store wants in force is in force. */
    HEALTHY,
    /** Values are served, but the last check failed or a newer version is held off. */
    DEGRADED,
    /** There is nothing to serve. */
    UNAVAILABLE
}
