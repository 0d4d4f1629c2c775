package io.dualkey.secrets.jwt;

import io.dualkey.secrets.Role;
import io.dualkey.secrets.Version;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The claims of a token that a {@link JwtVerifier} accepted (RFC 7519 section 4). What is not asked for often is read
 * from the token when it is first asked for. Immutable and safe for use by several threads.
 *
 * <pre>{@code
 * VerifiedJwt jwt = verifier.verify(token);
 * String user = jwt.subject().orElseThrow();
 * boolean mayWrite = jwt.scopes().contains("orders:write");
 * }</pre>
 */
public final class VerifiedJwt implements JwtResult {

    private final String token;
    private final Version<List<VerificationKey>> key;
    private final @Nullable String subject;
    private final long expiresAt;
    private final long notBefore;
    private final long issuedAt;
    private volatile @Nullable Map<String, Object> claims; // read when first needed; reading twice does no harm
    private volatile @Nullable Map<String, Object> header; // likewise

    VerifiedJwt(String token, Version<List<VerificationKey>> key, ClaimScan scan) {
        this.token = token;
        this.key = key;
        this.subject = scan.subject;
        this.expiresAt = scan.expiresAt;
        this.notBefore = scan.notBefore;
        this.issuedAt = scan.issuedAt;
    }

    /** As it was when the cache took it in, with the key as it stands now. */
    VerifiedJwt(TokenCache.Entry entry, Version<List<VerificationKey>> key) {
        this.token = entry.token;
        this.key = key;
        this.subject = entry.subject;
        this.expiresAt = entry.expiresAt;
        this.notBefore = entry.notBefore;
        this.issuedAt = entry.issuedAt;
    }

    /** {@return the subject, {@code sub}} */
    public Optional<String> subject() {
        return Optional.ofNullable(subject);
    }

    /** {@return the issuer, {@code iss}} */
    public Optional<String> issuer() {
        return text("iss");
    }

    /** {@return the audience, {@code aud}, as a list also where the token has one text; empty if there is none} */
    public List<String> audience() {
        return texts(claims().get("aud"));
    }

    /** {@return the token's own id, {@code jti}} */
    public Optional<String> id() {
        return text("jti");
    }

    /** {@return when the token expires, {@code exp}; empty only if the verifier allows that} */
    public Optional<Instant> expiresAt() {
        return time(expiresAt);
    }

    /** {@return the time before which the token is not valid, {@code nbf}} */
    public Optional<Instant> notBefore() {
        return time(notBefore);
    }

    /** {@return when the token was issued, {@code iat}} */
    public Optional<Instant> issuedAt() {
        return time(issuedAt);
    }

    /**
     * {@return the scopes granted} From {@code scope}, separated by spaces (RFC 8693 section 4.2), or else from {@code
     * scp}, a text of the same form or an array of texts, as some issuers have it.
     */
    public List<String> scopes() {
        Object scope = claims().get("scope");
        Object value = scope == null ? claims().get("scp") : scope;
        if (value instanceof String text) {
            return text.isBlank() ? List.of() : List.of(text.strip().split(" +"));
        }
        return texts(value);
    }

    /**
     * {@return one claim by its name, as in {@link #claims}; empty if it is absent or null}
     *
     * @param name the claim's name
     */
    public Optional<Object> claim(String name) {
        return Optional.ofNullable(claims().get(name));
    }

    /**
     * {@return all claims, in the token's order; nulls are left out at every depth} Values are {@code String}, {@code
     * Boolean}, {@code Long} for integers ({@code BigInteger} for those of more than 18 characters), {@code Double} for
     * other numbers, {@code List} and {@code Map}; all unmodifiable.
     */
    public Map<String, Object> claims() {
        Map<String, Object> known = claims;
        if (known == null) {
            int from = token.indexOf('.') + 1;
            known = read(token.substring(from, token.indexOf('.', from)));
            claims = known;
        }
        return known;
    }

    /**
     * {@return the header's members (RFC 7515 section 4), such as {@code kid} and {@code typ}} In the form of {@link
     * #claims}. They are signed like claims, but what they say of keys, {@code jwk} or {@code jku} say, was not looked at.
     */
    public Map<String, Object> header() {
        Map<String, Object> known = header;
        if (known == null) {
            known = read(token.substring(0, token.indexOf('.')));
            header = known;
        }
        return known;
    }

    private static Map<String, Object> read(String part) {
        Map<String, Object> members =
                JsonCursor.readObject(Base64.getUrlDecoder().decode(part));
        if (members == null) {
            throw new IllegalStateException("what was accepted cannot be read again");
        }
        return members;
    }

    Version<List<VerificationKey>> key() {
        return key;
    }

    String token() {
        return token;
    }

    @Nullable
    String subjectOrNull() {
        return subject;
    }

    long expiresAtMillis() {
        return expiresAt;
    }

    long notBeforeMillis() {
        return notBefore;
    }

    long issuedAtMillis() {
        return issuedAt;
    }

    /** {@return the role of the key that verified the token, at that time} */
    public Role keyRole() {
        return key.role();
    }

    /** {@return the id of the secret's version that verified the token, as its store names it; see {@link Version#id}} */
    public String keyVersion() {
        return key.id();
    }

    private Optional<String> text(String name) {
        return claims().get(name) instanceof String text ? Optional.of(text) : Optional.empty();
    }

    private static List<String> texts(@Nullable Object value) {
        if (value instanceof String text) {
            return List.of(text);
        }
        return value instanceof List<?> list
                ? list.stream()
                        .filter(String.class::isInstance)
                        .map(String.class::cast)
                        .toList()
                : List.of();
    }

    private static Optional<Instant> time(long millis) {
        return millis == JsonCursor.NO_DATE ? Optional.empty() : Optional.of(Instant.ofEpochMilli(millis));
    }

    /** The role of the key and the end of validity; neither the token nor claims, which may be personal. */
    @Override
    public String toString() {
        return "VerifiedJwt[verified by the " + key.role() + " key"
                + time(expiresAt).map(end -> ", expires at " + end).orElse("") + "]";
    }
}
