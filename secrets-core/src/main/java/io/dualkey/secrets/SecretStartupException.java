package io.dualkey.secrets;

import java.util.List;

/**
 * Thrown by {@link SecretSource#start} when secrets are missing or cannot be used. It names all of them at once, each
 * with where it was looked for, why it cannot be used, and what to do.
 */
public final class SecretStartupException extends SecretException {

    private static final long serialVersionUID = 1L;

    private final transient List<SecretStatus> problems;

    SecretStartupException(String message, List<SecretStatus> problems) {
        super(message, null);
        this.problems = List.copyOf(problems);
    }

    /** {@return the state of each secret that kept the source from starting; without values} */
    public List<SecretStatus> problems() {
        return problems == null ? List.of() : problems;
    }
}
