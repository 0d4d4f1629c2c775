package io.dualkey.secrets.azure;

import com.azure.core.exception.ClientAuthenticationException;
import com.azure.core.exception.HttpResponseException;
import com.azure.core.http.HttpHeaderName;
import com.azure.core.http.HttpResponse;
import io.dualkey.secrets.Outcome;
import io.dualkey.secrets.StoreResult;
import io.dualkey.secrets.azure.BodyGuard.OversizeAnswerException;
import io.dualkey.secrets.azure.BodyGuard.UnusableAnswerException;
import java.io.IOException;
import java.net.UnknownHostException;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/** What the failures of the SDK mean. Nothing is taken from a message: status, codes, headers and classes tell. */
final class Failures {

    /** On these it is the network that keeps us out, which an identity's permissions cannot mend. */
    private static final Set<String> NETWORK = Set.of("ForbiddenByFirewall", "ForbiddenByConnection");

    /** On these, and where the vault says no more, it is the identity's permissions. */
    private static final Set<String> PERMISSION = Set.of("", "ForbiddenByRbac", "ForbiddenByPolicy", "AccessDenied");

    private static final HttpHeaderName RETRY_AFTER_MS = HttpHeaderName.fromString("retry-after-ms");

    private Failures() {}

    /** The status of the vault's answer; 0 where it gave none. */
    static int status(Throwable failure) {
        HttpResponse response = response(failure);
        return response == null ? 0 : response.getStatusCode();
    }

    private static @Nullable HttpResponse response(Throwable failure) {
        return failure instanceof HttpResponseException http ? http.getResponse() : null;
    }

    /** The inner code of the vault's error; empty where there is none, or none that is known to be harmless. */
    static String innerCode(Throwable failure) {
        return failure instanceof HttpResponseException http
                        && http.getValue() instanceof Map<?, ?> body
                        && body.get("error") instanceof Map<?, ?> error
                ? BodyGuard.codeIn(error.get("innererror"))
                : "";
    }

    private static String outerCode(Throwable failure) {
        return failure instanceof HttpResponseException http && http.getValue() instanceof Map<?, ?> body
                ? BodyGuard.codeIn(body.get("error"))
                : "";
    }

    /** Whether the version asked for exists and is disabled; the SDK has one exception for this and for missing permission. */
    static boolean disabled(Throwable failure) {
        return status(failure) == 403 && innerCode(failure).equals("SecretDisabled");
    }

    static boolean missing(Throwable failure) {
        return status(failure) == 404;
    }

    /** Whether this identity may not do what it tried; a firewall in between is no answer to that. */
    static boolean notPermitted(Throwable failure) {
        return status(failure) == 403
                && outerCode(failure).equals("Forbidden") // else it was something on the way that said no
                && PERMISSION.contains(innerCode(failure));
    }

    static Optional<InterruptedException> interruption(Throwable failure) {
        return in(failure, InterruptedException.class::isInstance).map(InterruptedException.class::cast);
    }

    /**
     * Says what a failure means.
     *
     * @param action what failed: {@code reading the secret 'x'}
     */
    static StoreResult of(Throwable failure, String action) {
        int status = status(failure);
        if (status > 0) {
            return ofStatus(status, failure, action);
        }
        if (in(failure, OversizeAnswerException.class::isInstance).isPresent()) {
            return StoreResult.failed(
                    Outcome.MALFORMED,
                    action + " gave an answer of more than " + BodyGuard.MAX_BODY + " bytes, which was not read");
        }
        Optional<Throwable> unusable = in(failure, UnusableAnswerException.class::isInstance);
        if (unusable.isPresent()) {
            return unreachable(action + " failed: " + unusable.get().getMessage());
        }
        boolean network = in(failure, Failures::ofNetwork).isPresent();
        Optional<Throwable> login = in(failure, ClientAuthenticationException.class::isInstance);
        if (login.isPresent()) {
            boolean passing = network || status(login.get()) == 429 || status(login.get()) >= 500;
            return passing
                    ? unreachable(action + " failed: the endpoint that gives out tokens did not answer")
                    : StoreResult.failed(
                            Outcome.ACCESS_DENIED,
                            action + " failed: no token could be had ("
                                    + login.get().getClass().getSimpleName()
                                    + "); give this service a managed or workload identity, or set the variables of"
                                    + " a service principal");
        }
        return unreachable(action + " failed: " + cause(failure));
    }

    private static StoreResult ofStatus(int status, Throwable failure, String action) {
        String inner = innerCode(failure);
        String answered = action + " was answered with " + status + (inner.isEmpty() ? "" : " " + inner);
        Duration retryAfter = retryAfter(response(failure));
        if (status == 404) {
            return StoreResult.failed(
                    Outcome.NOT_FOUND,
                    answered + ": there is none, or it has been deleted; a deleted one can be recovered for a while");
        }
        if (disabled(failure)) {
            return StoreResult.failed(Outcome.DISABLED, answered);
        }
        if (status == 401) {
            return StoreResult.failed(
                    Outcome.ACCESS_DENIED,
                    answered + ": the token was refused; check the tenant of the vault and of this service's identity");
        }
        if (status == 403) {
            return StoreResult.failed(
                    Outcome.ACCESS_DENIED,
                    answered
                            + (NETWORK.contains(inner)
                                    ? ": let this service's network through the vault's firewall"
                                    : ": grant this service's identity 'get' on secrets, by the role Key Vault Secrets"
                                            + " User or an access policy"));
        }
        Outcome outcome = status == 429 ? Outcome.THROTTLED : Outcome.UNREACHABLE;
        return retryAfter == null
                ? StoreResult.failed(outcome, answered)
                : StoreResult.failed(outcome, answered, retryAfter);
    }

    private static StoreResult unreachable(String detail) {
        return StoreResult.failed(Outcome.UNREACHABLE, detail);
    }

    private static boolean ofNetwork(Throwable failure) {
        return failure instanceof IOException || failure instanceof TimeoutException;
    }

    private static String cause(Throwable failure) {
        Throwable root = in(failure, Failures::ofNetwork).orElse(failure);
        if (root instanceof HttpTimeoutException || root instanceof TimeoutException) {
            return "no answer in time";
        }
        if (root instanceof UnknownHostException) {
            return "its host name is not known";
        }
        return root instanceof SSLException
                ? "no TLS connection (" + root.getClass().getSimpleName() + ")"
                : root.getClass().getName();
    }

    /** When to come back: in milliseconds, in seconds, or at a time by the vault's clock. */
    private static @Nullable Duration retryAfter(@Nullable HttpResponse response) {
        if (response == null) {
            return null;
        }
        String millis = response.getHeaders().getValue(RETRY_AFTER_MS);
        if (millis != null && millis.matches("\\d{1,9}")) {
            return Duration.ofMillis(Long.parseLong(millis));
        }
        String after = response.getHeaders().getValue(HttpHeaderName.RETRY_AFTER);
        if (after != null && after.matches("\\d{1,9}")) {
            return Duration.ofSeconds(Long.parseLong(after));
        }
        Instant until = date(after);
        if (until == null) {
            return null;
        }
        Instant sent = date(response.getHeaders().getValue(HttpHeaderName.DATE));
        Duration wait = Duration.between(sent == null ? Instant.now() : sent, until);
        return wait.isNegative() ? null : wait;
    }

    private static @Nullable Instant date(@Nullable String text) {
        try {
            return text == null ? null : Instant.from(DateTimeFormatter.RFC_1123_DATE_TIME.parse(text));
        } catch (DateTimeParseException unreadable) {
            return null; // no hint, then; the engine has a back-off of its own
        }
    }

    /** The first in the chain of causes that is meant. */
    private static Optional<Throwable> in(Throwable failure, Predicate<Throwable> meant) {
        Throwable one = failure;
        for (int depth = 0; one != null && depth < 20; depth++) {
            if (meant.test(one)) {
                return Optional.of(one);
            }
            one = one.getCause();
        }
        return Optional.empty();
    }
}
