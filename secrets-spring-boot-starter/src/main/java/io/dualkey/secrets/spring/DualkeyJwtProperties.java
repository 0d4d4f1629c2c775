package io.dualkey.secrets.spring;

import io.dualkey.secrets.jwt.KeyFormat;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * What is configured under {@code dualkey.jwt}. Safe for use by several threads.
 *
 * @param secret Name of the secret that holds the key that tokens are verified with.
 * @param algorithms The algorithm that tokens must be signed with. Exactly one.
 * @param keyFormat How an HMAC key is written in the secret. Needed for HS256, since one text can be read in several ways.
 * @param issuer The iss claim that tokens must have.
 * @param audiences The aud claims of which tokens must have one.
 * @param clockSkew How far the clocks of issuers may be off.
 * @param filter A servlet filter that lets only requests with a good bearer token pass.
 */
@ConfigurationProperties("dualkey.jwt")
public record DualkeyJwtProperties(
        @Nullable String secret,
        @DefaultValue List<Algorithm> algorithms,
        @Nullable KeyFormat keyFormat,
        @Nullable String issuer,
        @DefaultValue List<String> audiences,
        @DefaultValue("60s") Duration clockSkew,
        @DefaultValue Filter filter) {

    /** How tokens are signed. */
    public enum Algorithm {
        /** HMAC with SHA-256 and a key of at least 32 bytes. */
        HS256,
        /** RSASSA-PKCS1-v1_5 with SHA-256 and a key in PEM. */
        RS256
    }

    /**
     * A servlet filter that follows RFC 6750.
     *
     * @param enabled Whether requests without a good bearer token are refused.
     * @param urlPatterns Which requests the filter applies to, as servlet URL patterns. The default covers actuator endpoints
     *     on the same port too, so that probes need a token.
     * @param realm The realm that refusals name.
     */
    public record Filter(
            @DefaultValue("false") boolean enabled,
            @DefaultValue("/*") List<String> urlPatterns,
            @DefaultValue("api") String realm) {}
}
