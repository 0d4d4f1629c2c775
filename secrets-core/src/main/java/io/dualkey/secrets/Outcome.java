package io.dualkey.secrets;

/** How a check of one secret with its store ended. */
public enum Outcome {
    /** The store answered and the secret is as it says. */
    OK("", ""),
    /** The store has no secret of that name. */
    NOT_FOUND("it does not exist", "create it, or correct its name in the configuration"),
    /** The store knows who asks and does not let them read it. */
    ACCESS_DENIED("access is denied", "grant this service's identity permission to read the secret"),
    /** The secret, or all of its versions, are disabled or outside of their time window. */
    DISABLED("no version is enabled", "enable a version, or create a new one"),
    /** The store refuses because it is asked too often. */
    THROTTLED("the store is throttling", "wait; if it lasts, lengthen the refresh interval"),
    /** The store did not answer, or not in time, or with an error of its own. */
    UNREACHABLE("the store cannot be reached", "check the store's address, the network and the store's state"),
    /** What the store holds, or what it answered, cannot be used. */
    MALFORMED("the value cannot be used", "write a valid value to the store");

    private final String description;
    private final String advice;

    Outcome(String description, String advice) {
        this.description = description;
        this.advice = advice;
    }

    /** {@return what happened, as a short clause; empty for {@link #OK}} */
    public String description() {
        return description;
    }

    /** {@return what an operator can do about it; empty for {@link #OK}} */
    public String advice() {
        return advice;
    }
}
