package io.dualkey.secrets;

/** Why somebody asks for a refresh ahead of the schedule. Each cause has a budget of its own, so that none starves another. */
public enum RefreshCause {
    /**
     * Something from outside that proves nothing, such as a token signed with a key nobody knows. At most one refresh
     * in 30 seconds, and fewer while they find nothing new.
     */
    UNTRUSTED,
    /** A login that the server refused. At most one refresh a second, and fewer while they find nothing new. */
    LOGIN_FAILED,
    /** An operator or a push notification. At once, a few times a minute. */
    OPERATOR
}
