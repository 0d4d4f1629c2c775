package io.dualkey.secrets.spring;

/** Thrown at startup when properties contradict each other or lack something; {@link MisconfigurationFailureAnalyzer} shows it. */
final class MisconfigurationException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final String action;

    /**
     * Says what is wrong and what to do.
     *
     * @param description what is wrong, with the names of the properties
     * @param action what to do about it
     */
    MisconfigurationException(String description, String action) {
        super(description);
        this.action = action;
    }

    String action() {
        return action;
    }
}
