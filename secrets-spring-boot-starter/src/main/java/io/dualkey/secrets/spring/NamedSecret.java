package io.dualkey.secrets.spring;

import io.dualkey.secrets.RotatingSecret;
import io.dualkey.secrets.SecretSource;
import org.jspecify.annotations.Nullable;

/** Secrets as properties name them. */
final class NamedSecret {

    private NamedSecret() {}

    /**
     * The handle on the secret that a property names.
     *
     * @param property the property, for the message
     * @param reference what it says: a name, or a reference as {@link SecretSource#secret} reads it
     * @throws MisconfigurationException if that names no secret
     */
    static RotatingSecret of(SecretSource source, String property, @Nullable String reference) {
        if (reference == null || reference.isBlank()) {
            throw new MisconfigurationException(
                    property + " is blank or has a blank entry.", "Write the name of a secret there, or remove it.");
        }
        try {
            return source.secret(reference);
        } catch (IllegalArgumentException malformed) {
            throw new MisconfigurationException(
                    property + " does not name a secret: " + malformed.getMessage() + ".", "Correct it.");
        }
    }
}
