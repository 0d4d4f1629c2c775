package io.dualkey.examples.plain;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import io.dualkey.secrets.SecretUnavailableException;
import io.dualkey.secrets.jwt.JwtResult;
import io.dualkey.secrets.jwt.JwtVerifier;
import io.dualkey.secrets.jwt.VerifiedJwt;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Lets only requests with a good bearer token pass (RFC 6750). The handler is given the token as an argument: the attributes
 * of an {@link HttpExchange}, by which a filter of the JDK's would hand it on, are shared by all exchanges of a context.
 */
final class TokenFilter implements HttpHandler {

    /** Answers a request whose sender is known. */
    interface Handler {

        void handle(HttpExchange exchange, VerifiedJwt token) throws IOException;
    }

    private static final String SCHEME = "Bearer ";
    private static final String REALM = "Bearer realm=\"notes\"";

    private final JwtVerifier verifier;
    private final Handler next;

    TokenFilter(JwtVerifier verifier, Handler next) {
        this.verifier = verifier;
        this.next = next;
    }

    @Override
    public void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            VerifiedJwt token = verify(exchange);
            if (token != null) {
                next.handle(exchange, token);
            }
        }
    }

    /** The token, or null when the request has been answered with a refusal. */
    private @Nullable VerifiedJwt verify(HttpExchange exchange) throws IOException {
        List<String> headers = exchange.getRequestHeaders().getOrDefault("Authorization", List.of());
        if (headers.size() > 1) {
            return refuse(exchange, 400, REALM + ", error=\"invalid_request\"");
        }
        String header = headers.isEmpty() ? "" : headers.get(0);
        if (!header.regionMatches(true, 0, SCHEME, 0, SCHEME.length())) {
            return refuse(exchange, 401, REALM);
        }
        try {
            JwtResult result = verifier.check(header.substring(SCHEME.length()).strip());
            return result instanceof VerifiedJwt token
                    ? token
                    : refuse(exchange, 401, REALM + ", error=\"invalid_token\"");
        } catch (SecretUnavailableException noKey) { // our fault, and not the caller's
            return refuse(exchange, 503, null);
        }
    }

    private static @Nullable VerifiedJwt refuse(HttpExchange exchange, int status, @Nullable String challenge)
            throws IOException {
        if (challenge != null) {
            exchange.getResponseHeaders().set("WWW-Authenticate", challenge);
        }
        exchange.getResponseHeaders().set("Cache-Control", "no-store");
        exchange.sendResponseHeaders(status, -1);
        return null;
    }
}
