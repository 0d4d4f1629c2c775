package io.dualkey.examples.apikey;

import io.dualkey.secrets.RefreshCause;
import io.dualkey.secrets.Rotating;
import io.dualkey.secrets.RotatingSecret;
import io.dualkey.secrets.SecretUnavailableException;
import io.dualkey.secrets.SecretValue;
import io.dualkey.secrets.UnusableSecretException;
import io.dualkey.secrets.Version;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Sends requests with the current API key. Where the service answers 401, the key may have been replaced since the last check:
 * the vault is asked, and if it has another key, the request is sent once more with it.
 *
 * <p>Immutable and safe for use by several threads. The thread of a request that was refused waits up to two seconds.
 */
public final class ApiKeyClient {

    private static final int UNAUTHORIZED = 401;
    private static final Duration LONGEST_WAIT = Duration.ofSeconds(2);

    /** It follows no redirects: it would send the key to wherever they lead. */
    private final HttpClient http = HttpClient.newBuilder()
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(Duration.ofSeconds(5))
            .build();

    private final Rotating<String> authorization;

    /**
     * A client; make it before the secret's source is started, so that the start tells of a key that cannot be sent.
     *
     * @param key the secret with the API key
     */
    public ApiKeyClient(RotatingSecret key) {
        authorization = key.map(ApiKeyClient::bearer);
    }

    /** HTTP clients quote what they refuse, so a key that cannot stand in a header must not get as far as that. */
    private static String bearer(SecretValue key) {
        String text = key.revealText();
        if (!text.chars().allMatch(character -> character > ' ' && character <= '~')) {
            throw new UnusableSecretException("an API key must be printable ASCII, without spaces and line breaks");
        }
        return "Bearer " + text;
    }

    /**
     * Sends a request, a second time if the key was refused and there is another.
     *
     * @param request the request without the key; its body must be one that can be sent again
     * @param handler reads the answer
     * @return the answer; with status 401 if no key that the vault has is accepted
     * @throws SecretUnavailableException if there is no key
     */
    public <T> HttpResponse<T> send(HttpRequest.Builder request, BodyHandler<T> handler)
            throws IOException, InterruptedException {
        Version<String> sent = authorization.versions().current().orElse(null);
        if (sent == null) {
            authorization.current(); // throws, and says what to do
            return send(request, handler); // one has just come
        }
        HttpResponse<T> first = sendWith(sent, request, handler);
        if (first.statusCode() != UNAUTHORIZED) {
            return first;
        }
        Optional<Version<String>> newer = otherThan(sent);
        if (newer.isEmpty()) {
            newer = askFor(sent);
        }
        if (newer.isEmpty()) {
            return first;
        }
        discard(first.body());
        return sendWith(newer.get(), request, handler);
    }

    private <T> HttpResponse<T> sendWith(Version<String> key, HttpRequest.Builder request, BodyHandler<T> handler)
            throws IOException, InterruptedException {
        HttpRequest signed =
                request.copy().setHeader("Authorization", key.value()).build();
        HttpResponse<T> response = http.send(signed, handler);
        if (response.statusCode() != UNAUTHORIZED) {
            authorization.recordUse(key, System.currentTimeMillis()); // tells when nobody needs the old key any more
        }
        return response;
    }

    /** Asks the vault, within the budget for refused logins: many refusals at once make one call. */
    private Optional<Version<String>> askFor(Version<String> refused) throws InterruptedException {
        try {
            var unused = authorization
                    .refresh(RefreshCause.LOGIN_FAILED)
                    .get(LONGEST_WAIT.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException | ExecutionException unanswered) {
            return Optional.empty(); // the answer 401 stands, and the secret's state tells of the vault's trouble
        }
        return otherThan(refused);
    }

    private Optional<Version<String>> otherThan(Version<String> refused) {
        return authorization.versions().current().filter(version -> version.generation() != refused.generation());
    }

    /** A body that is read as a stream holds a connection until it is closed. */
    private static void discard(Object body) throws IOException {
        if (body instanceof java.io.Closeable stream) {
            stream.close();
        }
    }
}
