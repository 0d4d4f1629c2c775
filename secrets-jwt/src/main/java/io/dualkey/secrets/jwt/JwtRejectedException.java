package io.dualkey.secrets.jwt;

/**
 * Thrown when a token is refused. The message is one fixed text for each reason; it says nothing about keys and quotes
 * nothing of the token. There is no stack trace: forged tokens must be cheap to refuse, and the trace would only tell
 * where {@link JwtVerifier#verify} is called.
 *
 * <p>That a token cannot be judged because no key is available is another matter, see
 * {@link io.dualkey.secrets.SecretUnavailableException}: a filter answers 401 to the one and 503 to the other.
 */
public final class JwtRejectedException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    /** Why; an enum constant, so it may be serialized with the exception. */
    private final RejectionReason reason;

    JwtRejectedException(RejectionReason reason) {
        super("The token is refused: " + reason.description(), null, false, false);
        this.reason = reason;
    }

    /** {@return why} */
    public RejectionReason reason() {
        return reason;
    }
}
