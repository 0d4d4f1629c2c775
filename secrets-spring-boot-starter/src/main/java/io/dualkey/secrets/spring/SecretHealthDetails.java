package io.dualkey.secrets.spring;

import org.springframework.boot.health.contributor.Health;

/** What a user of a secret adds to its health. */
interface SecretHealthDetails {

    /**
     * Adds details, or takes the status down.
     *
     * @param secret the name of the secret
     * @param health what is known of it so far
     */
    void addTo(String secret, Health.Builder health);

    /**
     * {@return whether a previous version of a secret is of use after another has become current} Where it is not, how long it
     * is accepted tells operators nothing.
     *
     * @param secret the name of the secret
     */
    default boolean acceptsPrevious(String secret) {
        return true;
    }
}
