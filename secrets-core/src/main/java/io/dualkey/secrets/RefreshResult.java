package io.dualkey.secrets;

/** What became of a request to refresh. */
public enum RefreshResult {
    /** The store had something new, and it has been published. */
    CHANGED,
    /** The store was asked and had nothing new. */
    UNCHANGED,
    /** The store could not be read; what was served before is served on. */
    FAILED,
    /** The store was not asked: the budget of the {@link RefreshCause} is spent for now. */
    LIMITED
}
