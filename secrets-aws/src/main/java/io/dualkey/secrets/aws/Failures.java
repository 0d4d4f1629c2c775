package io.dualkey.secrets.aws;

import io.dualkey.secrets.Outcome;
import io.dualkey.secrets.aws.CallFailedException.About;
import java.net.SocketTimeoutException;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.awscore.exception.AwsErrorDetails;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.exception.AbortedException;
import software.amazon.awssdk.core.exception.ApiCallAttemptTimeoutException;
import software.amazon.awssdk.core.exception.ApiCallTimeoutException;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.services.secretsmanager.model.SecretsManagerException;

/**
 * Tells what a failed call means. Of the SDK's exceptions only the class, the status, the error code and the request id
 * are shown: their messages may quote what a server or a proxy answered.
 */
final class Failures {

    private static final Pattern CODE = Pattern.compile("[A-Za-z]{1,64}");
    private static final Pattern REQUEST_ID = Pattern.compile("[A-Za-z0-9-]{1,64}");
    private static final Pattern SECONDS = Pattern.compile("[0-9]{1,6}");

    private static final Set<String> DENIED = Set.of("AccessDeniedException", "AccessDenied");
    private static final Set<String> KEY_REFUSED = Set.of("DecryptionFailure", "DecryptionFailureException");
    private static final Set<String> SIGNATURE_REFUSED = Set.of(
            "InvalidSignatureException",
            "SignatureDoesNotMatch",
            "RequestExpired",
            "RequestTimeTooSkewed",
            "RequestInTheFuture");
    private static final Set<String> CREDENTIALS_EXPIRED = Set.of("ExpiredTokenException", "ExpiredToken");
    private static final Set<String> CREDENTIALS_REFUSED = Set.of(
            "UnrecognizedClientException",
            "InvalidClientTokenId",
            "InvalidAccessKeyId",
            "IncompleteSignature",
            "IncompleteSignatureException",
            "MissingAuthenticationToken",
            "MissingAuthenticationTokenException",
            "NotAuthorized",
            "OptInRequired");
    private static final Set<String> TOO_MANY = Set.of(
            "ThrottlingException",
            "Throttling",
            "TooManyRequestsException",
            "RequestLimitExceeded",
            "LimitExceededException");
    /** What the service accepts is five minutes; from four on, the clock is the likely cause. */
    private static final Duration SKEW = Duration.ofMinutes(4);

    private Failures() {}

    /**
     * Classifies.
     *
     * @param action what was called, as IAM names it
     * @param failure what the SDK threw
     */
    static CallFailedException of(String action, RuntimeException failure) {
        if (failure instanceof AwsServiceException refused) {
            return refused(action, refused);
        }
        String name = failure.getClass().getSimpleName();
        if (failure instanceof AbortedException) {
            Thread.currentThread().interrupt(); // the SDK has taken the flag
            return everything(Outcome.UNREACHABLE, action + " was interrupted", null);
        }
        if (failure instanceof ApiCallTimeoutException || failure instanceof ApiCallAttemptTimeoutException) {
            return everything(Outcome.UNREACHABLE, action + " was not answered in time (" + name + ")", null);
        }
        if (failure instanceof SdkClientException && failure.getCause() == null) {
            // What happens on the way to the service has a cause. This is the credentials chain.
            return everything(
                    Outcome.ACCESS_DENIED,
                    action + " was not sent: no credentials were found (" + name
                            + "); give this process a role, a profile or keys",
                    null);
        }
        Throwable cause = failure.getCause();
        String because = cause == null ? name : name + ", " + cause.getClass().getSimpleName();
        String how = cause instanceof SocketTimeoutException
                ? " was not answered in time ("
                : " was not answered properly (";
        return everything(Outcome.UNREACHABLE, action + how + because + ")", null);
    }

    private static CallFailedException refused(String action, AwsServiceException refused) {
        int status = refused.statusCode();
        String code = code(refused);
        String what = action + " was answered with " + shown(status, code, refused);
        if (!(refused instanceof SecretsManagerException)) {
            return new CallFailedException(
                    About.EVERYTHING,
                    status >= 500 ? Outcome.UNREACHABLE : Outcome.ACCESS_DENIED,
                    action + " was not sent: the service that gives out credentials answered "
                            + shown(status, code, refused),
                    retryAfter(refused));
        }
        if (TOO_MANY.contains(code) || status == 429 || refused.isThrottlingException()) {
            return everything(Outcome.THROTTLED, what, retryAfter(refused));
        }
        if (status >= 500) {
            return everything(Outcome.UNREACHABLE, what, retryAfter(refused));
        }
        if (SIGNATURE_REFUSED.contains(code)) {
            return everything(Outcome.ACCESS_DENIED, what + ": " + whySignature(refused), null);
        }
        if (CREDENTIALS_EXPIRED.contains(code)) {
            return everything(Outcome.ACCESS_DENIED, what + ": this process's credentials have expired", null);
        }
        if (CREDENTIALS_REFUSED.contains(code)) {
            return everything(
                    Outcome.ACCESS_DENIED, what + ": the service does not know this process's credentials", null);
        }
        if (DENIED.contains(code)) {
            return new CallFailedException(
                    About.PERMISSION,
                    Outcome.ACCESS_DENIED,
                    what + ": the policies do not allow secretsmanager:" + action
                            + " on it, or not kms:Decrypt with its key",
                    null);
        }
        if (code.equals("ResourceNotFoundException") && namesLabel(refused)) {
            return new CallFailedException(
                    About.LABEL,
                    Outcome.UNREACHABLE,
                    what
                            + ": no version has the label; a rotation is moving it just now, or the secret has no value yet",
                    null);
        }
        return ofSecret(action, status, code, what);
    }

    /**
     * Whether the secret is there and only the label is not. The service has one error for both, and only its text tells them
     * apart. If it ever reads differently, the answer counts as "not found".
     */
    private static boolean namesLabel(AwsServiceException refused) {
        AwsErrorDetails details = refused.awsErrorDetails();
        String text = details == null ? null : details.errorMessage();
        return text != null && text.contains("staging label");
    }

    private static CallFailedException ofSecret(String action, int status, String code, String what) {
        if (KEY_REFUSED.contains(code)) {
            return secret(
                    Outcome.ACCESS_DENIED,
                    what + ": its KMS key is disabled or gone, or the policies do not allow kms:Decrypt with it");
        }
        return switch (code) {
            case "ResourceNotFoundException" -> secret(Outcome.NOT_FOUND, what);
            case "InvalidRequestException" ->
                secret(Outcome.NOT_FOUND, what + ": it is scheduled for deletion, or has no value yet");
            case "InvalidParameterException", "ValidationException" ->
                secret(Outcome.NOT_FOUND, what + ": the service does not take this for a name or ARN of a secret");
            default ->
                status == 401 || status == 403
                        ? everything(Outcome.ACCESS_DENIED, what, null)
                        : everything(
                                Outcome.UNREACHABLE,
                                what + ", which is no answer of Secrets Manager to " + action,
                                null);
        };
    }

    private static CallFailedException everything(Outcome outcome, String detail, @Nullable Duration retryAfter) {
        return new CallFailedException(About.EVERYTHING, outcome, detail, retryAfter);
    }

    private static CallFailedException secret(Outcome outcome, String detail) {
        return new CallFailedException(About.SECRET, outcome, detail, null);
    }

    private static String shown(int status, String code, AwsServiceException refused) {
        String id = refused.requestId();
        return "HTTP " + status + (code.isEmpty() ? "" : " " + code)
                + (id != null && REQUEST_ID.matcher(id).matches() ? " (request " + id + ")" : "");
    }

    /** Empty where there is none, or none that can be shown. */
    private static String code(AwsServiceException refused) {
        AwsErrorDetails details = refused.awsErrorDetails();
        String code = details == null ? null : details.errorCode();
        return code != null && CODE.matcher(code).matches() ? code : "";
    }

    private static String whySignature(AwsServiceException refused) {
        Instant theirs = header(refused, "Date").map(Failures::time).orElse(null);
        if (theirs != null) {
            Duration behind = Duration.between(Instant.now(), theirs);
            if (behind.abs().compareTo(SKEW) >= 0) {
                return "the clock of this machine is " + behind.abs().toMinutes() + " minutes "
                        + (behind.isNegative() ? "ahead" : "behind") + "; set it right";
            }
        }
        return "the secret access key is wrong, or something on the way changed the request";
    }

    private static @Nullable Instant time(String date) {
        try {
            return DateTimeFormatter.RFC_1123_DATE_TIME.parse(date, Instant::from);
        } catch (DateTimeException unknown) {
            return null;
        }
    }

    private static Optional<String> header(AwsServiceException refused, String name) {
        return Optional.ofNullable(refused.awsErrorDetails())
                .map(AwsErrorDetails::sdkHttpResponse)
                .flatMap(response -> response.firstMatchingHeader(name));
    }

    private static @Nullable Duration retryAfter(AwsServiceException refused) {
        return header(refused, "Retry-After")
                .filter(value -> SECONDS.matcher(value).matches())
                .map(value -> Duration.ofSeconds(Integer.parseInt(value)))
                .orElse(null);
    }
}
