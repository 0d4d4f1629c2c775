package io.dualkey.secrets;

import org.jspecify.annotations.Nullable;

/**
 * The base of what this library throws when a secret, a store or a configuration is at fault. Messages say what
 * happened, where, and what to do next. They never contain a secret's value, and neither does a cause: causes whose
 * text this library does not control are left out.
 */
public abstract class SecretException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    SecretException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
