package io.dualkey.secrets.azure;

import com.azure.core.http.HttpHeaderName;
import com.azure.core.http.HttpMethod;
import com.azure.core.http.HttpPipelineCallContext;
import com.azure.core.http.HttpPipelineNextPolicy;
import com.azure.core.http.HttpPipelineNextSyncPolicy;
import com.azure.core.http.HttpResponse;
import com.azure.core.http.policy.HttpPipelinePolicy;
import com.azure.json.JsonProviders;
import com.azure.json.JsonReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/**
 * Keeps the bodies of answers out of the SDK's logs and exceptions. When the SDK cannot parse an answer it logs the beginning of
 * it as an error, which is the value of the secret where an answer was cut off; and the text of an error goes into its exception
 * whole. From an answer with a list among its tags, the SDK's parser never returns. So this passes on answers only that have
 * the expected form, and of an error its codes only. It also bounds size and time of a body.
 */
final class BodyGuard implements HttpPipelinePolicy {

    /** A page of 25 versions with all the tags that they can have is a quarter of this. */
    static final int MAX_BODY = 1 << 20;

    /** What is wrong with an answer; its message is for operators and has no part of it. */
    static final class UnusableAnswerException extends RuntimeException {

        private static final long serialVersionUID = 1;

        UnusableAnswerException(String problem) {
            super(problem, null, false, false);
        }
    }

    /** The answer is longer than any that the vault gives. */
    static final class OversizeAnswerException extends RuntimeException {

        private static final long serialVersionUID = 1;

        OversizeAnswerException() {
            super("an answer of more than " + MAX_BODY + " bytes", null, false, false);
        }
    }

    /** Codes are words; what is not one may be anything. */
    private static final Pattern CODE = Pattern.compile("[A-Za-z]{1,64}");

    private static final List<String> TIMES = List.of("nbf", "exp", "created", "updated");
    private static final List<String> TEXTS = List.of("value", "contentType", "kid", "previousVersion");
    /** The year 9999, in seconds. */
    private static final long LATEST_TIME = 253_402_300_799L;

    private final Duration timeout;

    /**
     * Makes one.
     *
     * @param timeout within which a body must have arrived
     */
    BodyGuard(Duration timeout) {
        this.timeout = timeout;
    }

    @Override
    public HttpResponse processSync(HttpPipelineCallContext context, HttpPipelineNextSyncPolicy next) {
        prepare(context);
        return guarded(next.processSync());
    }

    @Override
    public Mono<HttpResponse> process(HttpPipelineCallContext context, HttpPipelineNextPolicy next) {
        prepare(context);
        return next.process()
                .flatMap(response ->
                        Mono.fromCallable(() -> guarded(response)).subscribeOn(Schedulers.boundedElastic()));
    }

    /** The SDK gives a GET a length, about which the JDK's client complains in the log at each call. */
    private static void prepare(HttpPipelineCallContext context) {
        if (context.getHttpRequest().getHttpMethod() == HttpMethod.GET) {
            context.getHttpRequest().getHeaders().remove(HttpHeaderName.CONTENT_LENGTH);
        }
    }

    private HttpResponse guarded(HttpResponse response) {
        byte[] body;
        try (response;
                InputStream in = response.getBodyAsBinaryData().toStream()) {
            body = read(in);
        } catch (IOException cut) {
            throw new UnusableAnswerException(
                    "the answer ended early (" + cut.getClass().getSimpleName() + ")");
        }
        if (response.getStatusCode() != 200) {
            return new HeldResponse(response, codesOf(body));
        }
        boolean list = response.getRequest().getUrl().getPath().endsWith("/versions");
        boolean fine;
        try {
            Object answer = parsed(body);
            fine = list
                    ? isPage(answer)
                    : answer instanceof Map<?, ?> version
                            && isVersion(version)
                            && version.get("value") instanceof String;
        } catch (IOException | RuntimeException garbage) { // its message quotes the body
            fine = false;
        }
        if (!fine) {
            throw new UnusableAnswerException("the answer is not what a key vault answers");
        }
        return new HeldResponse(response, body);
    }

    private static @Nullable Object parsed(byte[] body) throws IOException {
        try (JsonReader json = JsonProviders.createReader(body)) {
            return json.readUntyped();
        }
    }

    private static boolean isPage(@Nullable Object answer) {
        return answer instanceof Map<?, ?> page
                && isTextOrAbsent(page.get("nextLink"))
                && page.get("value") instanceof List<?> items
                && items.stream().allMatch(BodyGuard::isVersion);
    }

    /** Whether the members of a version have the types that the SDK expects: others make it fail, log, or never end. */
    private static boolean isVersion(@Nullable Object item) {
        return item instanceof Map<?, ?> version
                && version.get("id") instanceof String
                && version.get("attributes") instanceof Map<?, ?> attributes
                && TIMES.stream().allMatch(time -> isNumberOrAbsent(attributes.get(time)))
                && (attributes.get("recoverableDays") == null || attributes.get("recoverableDays") instanceof Integer)
                && isFlagOrAbsent(attributes.get("enabled"))
                && isTextOrAbsent(attributes.get("recoveryLevel"))
                && isFlagOrAbsent(version.get("managed"))
                && TEXTS.stream().allMatch(text -> isTextOrAbsent(version.get(text)))
                && (version.get("tags") == null
                        || (version.get("tags") instanceof Map<?, ?> tags
                                && tags.values().stream().allMatch(BodyGuard::isTextOrAbsent)));
    }

    private static boolean isTextOrAbsent(@Nullable Object value) {
        return value == null || value instanceof String;
    }

    private static boolean isFlagOrAbsent(@Nullable Object value) {
        return value == null || value instanceof Boolean;
    }

    /** A number that the SDK can take as a time. */
    private static boolean isNumberOrAbsent(@Nullable Object value) {
        return value == null
                || value instanceof Integer
                || (value instanceof Long seconds && seconds > 0 && seconds < LATEST_TIME);
    }

    private byte[] read(InputStream in) throws IOException {
        long end = System.nanoTime() + timeout.toNanos();
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        byte[] buffer = new byte[8192];
        for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
            body.write(buffer, 0, n);
            if (body.size() > MAX_BODY) {
                throw new OversizeAnswerException();
            }
            if (System.nanoTime() - end > 0) {
                throw new UnusableAnswerException("the answer did not arrive within " + timeout);
            }
        }
        return body.toByteArray();
    }

    /** An error's body with nothing in it but its codes. */
    private static byte[] codesOf(byte[] body) {
        String code = "";
        String inner = "";
        try {
            if (parsed(body) instanceof Map<?, ?> error) {
                code = codeIn(error.get("error"));
                inner = error.get("error") instanceof Map<?, ?> its ? codeIn(its.get("innererror")) : "";
            }
        } catch (IOException | RuntimeException garbage) {
            code = ""; // a proxy's page, say: the status tells enough
        }
        return ("{\"error\":{\"code\":\"" + code + "\",\"innererror\":{\"code\":\"" + inner + "\"}}}")
                .getBytes(StandardCharsets.UTF_8);
    }

    /** The code in an error or an inner error; empty if there is none that is harmless. */
    static String codeIn(@Nullable Object error) {
        return error instanceof Map<?, ?> its
                        && its.get("code") instanceof String code
                        && CODE.matcher(code).matches()
                ? code
                : "";
    }
}
