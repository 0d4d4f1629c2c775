package io.dualkey.secrets;

import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Thrown by a {@link Parser} or a {@link Gate} to say that one version of a secret cannot be used. The version before
 * it goes on being served.
 *
 * <p>The message is logged and shown in health details: <strong>it must not contain any part of the value</strong>.
 * Other exceptions are reported by their class alone, because their messages may quote what they could not read.
 */
public final class UnusableSecretException extends SecretException {

    private static final long serialVersionUID = 1L;

    /** When another try is worth it; null where the thrower does not know. */
    private final @Nullable Duration retryAfter;

    /**
     * Says why a version cannot be used.
     *
     * @param reason what is wrong and what to do about it, without any part of the value
     */
    public UnusableSecretException(String reason) {
        this(reason, null);
    }

    /**
     * Says why a version cannot be used now, and when it is worth another try.
     *
     * @param reason what is wrong and what to do about it, without any part of the value
     * @param retryAfter how long a gate should wait before it tries this version again; null leaves it to the library.
     *     A parser's answer is final for a version, so there it has no effect
     */
    public UnusableSecretException(String reason, @Nullable Duration retryAfter) {
        super(reason, null);
        this.retryAfter = retryAfter;
    }

    /** {@return how long to wait before the next try, where the thrower knows} */
    public Optional<Duration> retryAfter() {
        return Optional.ofNullable(retryAfter);
    }

    /** Why this happened, in words that may be shown: the message of an exception of this kind, else the class alone. */
    static String reasonOf(Throwable failure) {
        if (failure instanceof UnusableSecretException unusable) {
            return String.valueOf(unusable.getMessage());
        }
        return "it failed with " + failure.getClass().getName() + " (message withheld: it may quote the value)";
    }
}
