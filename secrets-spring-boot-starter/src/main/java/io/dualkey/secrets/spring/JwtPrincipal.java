package io.dualkey.secrets.spring;

import io.dualkey.secrets.jwt.VerifiedJwt;
import java.security.Principal;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Who a request comes from, by its verified token. With {@code dualkey.jwt.filter.enabled} it is the request's {@link
 * jakarta.servlet.http.HttpServletRequest#getUserPrincipal user principal}, which a controller takes as a parameter:
 *
 * <pre>{@code
 * @GetMapping("/orders")
 * List<Order> orders(JwtPrincipal caller) {
 *     return ordersOf(caller.getName());
 * }
 * }</pre>
 *
 * <p>Immutable and safe for use by several threads.
 */
public final class JwtPrincipal implements Principal {

    /** The request attribute that holds the {@link VerifiedJwt} of a request that passed the filter. */
    public static final String TOKEN_ATTRIBUTE = "io.dualkey.secrets.jwt.VerifiedJwt";

    private final VerifiedJwt token;

    /**
     * Makes a principal of a token.
     *
     * @param token has been verified
     */
    public JwtPrincipal(VerifiedJwt token) {
        this.token = Objects.requireNonNull(token, "token");
    }

    /** {@return the verified token} */
    public VerifiedJwt token() {
        return token;
    }

    /** {@return the token's subject; empty if it has none} */
    @Override
    public String getName() {
        return token.subject().orElse("");
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof JwtPrincipal principal && principal.token.equals(token);
    }

    @Override
    public int hashCode() {
        return token.hashCode();
    }

    /** Neither the token nor its claims, which may be personal. */
    @Override
    public String toString() {
        return "JwtPrincipal[" + token + "]";
    }
}
