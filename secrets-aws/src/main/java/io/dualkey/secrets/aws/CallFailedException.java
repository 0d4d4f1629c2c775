package io.dualkey.secrets.aws;

import io.dualkey.secrets.Outcome;
import io.dualkey.secrets.StoreResult;
import java.io.Serial;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** A call to the service that failed, in our own words: it has no cause, since an exception of the SDK may quote a body. */
final class CallFailedException extends Exception {

    /** What the failure is about, which decides what may still be tried. */
    enum About {
        /** The whole service or this process's credentials: any other call would fail as well, now. */
        EVERYTHING,
        /** This identity may not do this: a matter of its policy. */
        PERMISSION,
        /** The label that was asked for: no version of the secret has it at the moment. */
        LABEL,
        /** The secret or the version that was asked for. */
        SECRET
    }

    @Serial
    private static final long serialVersionUID = 1L;

    private final About about;
    private final Outcome outcome;
    private final @Nullable Duration retryAfter;

    CallFailedException(About about, Outcome outcome, String detail, @Nullable Duration retryAfter) {
        super(detail, null, false, false);
        this.about = about;
        this.outcome = outcome;
        this.retryAfter = retryAfter;
    }

    About about() {
        return about;
    }

    Outcome outcome() {
        return outcome;
    }

    /** Without any part of a value. */
    String detail() {
        return String.valueOf(getMessage());
    }

    StoreResult result() {
        return retryAfter == null
                ? StoreResult.failed(outcome, detail())
                : StoreResult.failed(outcome, detail(), retryAfter);
    }
}
