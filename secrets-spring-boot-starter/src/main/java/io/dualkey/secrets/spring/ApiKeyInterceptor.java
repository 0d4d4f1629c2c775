package io.dualkey.secrets.spring;

import io.dualkey.secrets.RefreshCause;
import io.dualkey.secrets.Rotating;
import io.dualkey.secrets.SecretValue;
import io.dualkey.secrets.Version;
import java.io.IOException;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpRequest;
import org.springframework.http.HttpStatus;
import org.springframework.http.client.ClientHttpRequestExecution;
import org.springframework.http.client.ClientHttpRequestInterceptor;
import org.springframework.http.client.ClientHttpResponse;

/**
 * Sends an API key that rotates with each request of a {@code RestClient} or {@code RestTemplate}.
 *
 * <pre>{@code
 * RestClient client = builder.requestInterceptor(ApiKeyInterceptor.bearer(apiKey)).build();
 * }</pre>
 *
 * <p>Where the other side answers 401, the key may have been replaced since the last check: the secret's store is asked, within
 * the budget for failed logins, and if that brings another key within two seconds, the request is sent once more with it. No
 * request is sent more than twice, and none again with the key that was refused. The header replaces one of the same name.
 *
 * <p>Immutable and safe for use by several threads. The thread of a request that was refused waits; others do not.
 */
public final class ApiKeyInterceptor implements ClientHttpRequestInterceptor {

    private static final Duration LONGEST_WAIT = Duration.ofSeconds(2);

    private final Rotating<SecretValue> key;
    private final String header;
    private final String scheme;

    private ApiKeyInterceptor(Rotating<SecretValue> key, String header, String scheme) {
        this.key = Objects.requireNonNull(key, "key");
        this.header = Objects.requireNonNull(header, "header");
        this.scheme = scheme;
    }

    /**
     * {@return an interceptor that sends {@code Authorization: Bearer} and the key}
     *
     * @param key the key
     */
    public static ApiKeyInterceptor bearer(Rotating<SecretValue> key) {
        return new ApiKeyInterceptor(key, HttpHeaders.AUTHORIZATION, "Bearer ");
    }

    /**
     * {@return an interceptor that sends the key as the value of a header}
     *
     * @param name the header's name, such as {@code X-Api-Key}
     * @param key the key
     */
    public static ApiKeyInterceptor header(String name, Rotating<SecretValue> key) {
        return new ApiKeyInterceptor(key, name, "");
    }

    @Override
    public ClientHttpResponse intercept(HttpRequest request, byte[] body, ClientHttpRequestExecution execution)
            throws IOException {
        Version<SecretValue> sent = current();
        ClientHttpResponse response = send(request, body, execution, sent);
        if (response.getStatusCode().value() != HttpStatus.UNAUTHORIZED.value()) {
            key.recordUse(sent, System.currentTimeMillis());
            return response;
        }
        Version<SecretValue> newer = newerThan(sent);
        if (newer == null) {
            return response;
        }
        response.close();
        ClientHttpResponse second = send(request, body, execution, newer);
        if (second.getStatusCode().value() != HttpStatus.UNAUTHORIZED.value()) {
            key.recordUse(newer, System.currentTimeMillis());
        }
        return second;
    }

    private Version<SecretValue> current() {
        while (true) {
            Optional<Version<SecretValue>> current = key.versions().current();
            if (current.isPresent()) {
                return current.get();
            }
            key.current(); // throws, and says what to do; unless there is one just now
        }
    }

    private ClientHttpResponse send(
            HttpRequest request, byte[] body, ClientHttpRequestExecution execution, Version<SecretValue> version)
            throws IOException {
        String value = version.value().revealText();
        for (int i = 0; i < value.length(); i++) {
            if (value.charAt(i) < ' ' || value.charAt(i) > '~') { // HTTP clients quote what they refuse
                throw new IllegalStateException("The API key in secret '" + key.name()
                        + "' has a character that cannot stand in a header, such as a line break: correct its value.");
            }
        }
        request.getHeaders().set(header, scheme + value);
        return execution.execute(request, body);
    }

    /** Another version than this one, if the store has one or tells of one soon. */
    private @Nullable Version<SecretValue> newerThan(Version<SecretValue> refused) {
        Version<SecretValue> now = otherThan(refused);
        if (now != null) {
            return now;
        }
        try {
            var unused = key.refresh(RefreshCause.LOGIN_FAILED).get(LONGEST_WAIT.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        } catch (TimeoutException | ExecutionException unanswered) {
            return null; // the answer 401 stands, and the store's trouble is in the state of the secret
        }
        return otherThan(refused);
    }

    private @Nullable Version<SecretValue> otherThan(Version<SecretValue> refused) {
        return key.versions()
                .current()
                .filter(version -> version.generation() != refused.generation())
                .orElse(null);
    }

    /** The secret's name and the header's; never the key. */
    @Override
    public String toString() {
        return "ApiKeyInterceptor[" + key.name() + ", " + header + "]";
    }
}
