package io.dualkey.secrets;

/**
 * Thrown by a read when there is nothing to serve: the secret has not been loaded yet, or none of its versions can be
 * used. The message names the secret, where it is looked for, and why.
 */
public final class SecretUnavailableException extends SecretException {

    private static final long serialVersionUID = 1L;

    SecretUnavailableException(String message) {
        super(message, null);
    }
}
