package io.dualkey.secrets.spring;

import io.dualkey.secrets.SecretUnavailableException;
import io.dualkey.secrets.jwt.JwtResult;
import io.dualkey.secrets.jwt.JwtVerifier;
import io.dualkey.secrets.jwt.VerifiedJwt;
import jakarta.servlet.Filter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletRequestWrapper;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.security.Principal;
import java.util.Enumeration;
import org.jspecify.annotations.Nullable;

/**
 * Lets only requests with a good bearer token pass (RFC 6750). Tokens are taken from the {@code Authorization} header alone,
 * never from a query or a form (section 2.3 explains why). What a refusal says is fixed text.
 */
final class JwtFilter implements Filter {

    private static final String SCHEME = "Bearer";

    private final JwtVerifier verifier;
    private final String challenge;

    /**
     * Makes a filter.
     *
     * @param verifier judges tokens
     * @param realm is named by refusals
     */
    JwtFilter(JwtVerifier verifier, String realm) {
        this.verifier = verifier;
        this.challenge = SCHEME + " realm=\"" + realm.replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
    }

    @Override
    public void doFilter(ServletRequest request, ServletResponse response, FilterChain chain)
            throws IOException, ServletException {
        HttpServletRequest http = (HttpServletRequest) request;
        // An asynchronous dispatch comes with the container's own request, which has lost the principal.
        VerifiedJwt token = (VerifiedJwt) http.getAttribute(JwtPrincipal.TOKEN_ATTRIBUTE);
        if (token == null) {
            token = verify(http, (HttpServletResponse) response);
        }
        if (token != null) {
            http.setAttribute(JwtPrincipal.TOKEN_ATTRIBUTE, token);
            chain.doFilter(new Authenticated(http, new JwtPrincipal(token)), response);
        }
    }

    /** The token, or null when the request has been answered with a refusal. */
    private @Nullable VerifiedJwt verify(HttpServletRequest request, HttpServletResponse response) {
        Enumeration<String> headers = request.getHeaders("Authorization");
        String header = headers.hasMoreElements() ? headers.nextElement() : null;
        if (header == null) {
            refuse(response, HttpServletResponse.SC_UNAUTHORIZED, null, null);
            return null;
        }
        if (headers.hasMoreElements()) {
            refuse(
                    response,
                    HttpServletResponse.SC_BAD_REQUEST,
                    "invalid_request",
                    "more than one Authorization header");
            return null;
        }
        if (!isBearer(header)) {
            refuse(response, HttpServletResponse.SC_UNAUTHORIZED, null, null);
            return null;
        }
        String token = header.substring(SCHEME.length()).strip();
        if (token.isEmpty() || hasSeparator(token)) {
            refuse(
                    response,
                    HttpServletResponse.SC_BAD_REQUEST,
                    "invalid_request",
                    "the Authorization header must be Bearer and one token");
            return null;
        }
        try {
            JwtResult result = verifier.check(token);
            if (result instanceof VerifiedJwt verified) {
                return verified;
            }
            String why = ((JwtResult.Rejected) result).reason().description();
            refuse(response, HttpServletResponse.SC_UNAUTHORIZED, "invalid_token", "the token is refused: " + why);
        } catch (
                SecretUnavailableException noKey) { // nobody's token can be judged: that is our fault, not the caller's
            response.setHeader("Cache-Control", "no-store");
            response.setStatus(HttpServletResponse.SC_SERVICE_UNAVAILABLE);
        }
        return null;
    }

    /** Whether the scheme, in any case, is ours. */
    private static boolean isBearer(String header) {
        int length = SCHEME.length();
        return header.regionMatches(true, 0, SCHEME, 0, length)
                && (header.length() == length || isSpace(header.charAt(length)));
    }

    private static boolean hasSeparator(String token) {
        for (int i = 0; i < token.length(); i++) {
            char character = token.charAt(i);
            if (character == ',' || isSpace(character)) {
                return true;
            }
        }
        return false;
    }

    private static boolean isSpace(char character) {
        return character == ' ' || character == '\t';
    }

    /** Without error for a request that does not authenticate at all (RFC 6750 section 3.1). */
    private void refuse(
            HttpServletResponse response, int status, @Nullable String error, @Nullable String description) {
        response.setHeader("Cache-Control", "no-store");
        response.setHeader(
                "WWW-Authenticate",
                error == null
                        ? challenge
                        : challenge + ", error=\"" + error + "\", error_description=\"" + description + "\"");
        response.setStatus(status);
    }

    /** A request that knows who it comes from. */
    private static final class Authenticated extends HttpServletRequestWrapper {

        private final JwtPrincipal principal;

        Authenticated(HttpServletRequest request, JwtPrincipal principal) {
            super(request);
            this.principal = principal;
        }

        @Override
        public Principal getUserPrincipal() {
            return principal;
        }

        @Override
        public String getRemoteUser() {
            return principal.getName();
        }

        @Override
        public String getAuthType() {
            return SCHEME;
        }
    }
}
