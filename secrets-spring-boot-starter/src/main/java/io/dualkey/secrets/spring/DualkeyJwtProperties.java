package io.dualkey.secrets.spring;

import io.dualkey.secrets.jwt.JwsAlgorithm;
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
 * @param algorithms The algorithms of which tokens must be signed with one. Several only for keys in PEM, JWK or JWK Set.
 * @param keyFormat How the key is written in the secret, since one text can be read in several ways. RS256 alone does without:
 *     its key is PEM or a JWK.
 * @param issuer The iss claim that tokens must have.
 * @param audiences The aud claims of which tokens must have one.
 * @param clockSkew How far the clocks of issuers may be off.
 * @param filter A servlet filter that lets only requests with a good bearer token pass.
 * @param signer Signs tokens, with the first of the algorithms and as the issuer.
 */
@ConfigurationProperties("dualkey.jwt")
public record DualkeyJwtProperties(
        @Nullable String secret,
        @DefaultValue List<JwsAlgorithm> algorithms,
        @Nullable KeyFormat keyFormat,
        @Nullable String issuer,
        @DefaultValue List<String> audiences,
        @DefaultValue("60s") Duration clockSkew,
        @DefaultValue Filter filter,
        @DefaultValue Signer signer) {

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

    /**
     * A signer of tokens, for services that issue them. A key-format of jwk-set is that of the verifier; the signer's key is then
     * one JWK.
     *
     * @param secret Name of the secret that holds the key that tokens are signed with; with HMAC the same as that of the verifier.
     * @param ttl How long tokens are valid.
     * @param propagation For how long after a rotation tokens are still signed with the key before, so that all verifiers have
     *     learnt the new one. Without it twice the refresh interval and the clock skew.
     * @param jwkSetPath Where the public keys are served as a JWK Set. Without it they are not.
     */
    public record Signer(
            @Nullable String secret,
            @DefaultValue("15m") Duration ttl,
            @Nullable Duration propagation,
            @Nullable String jwkSetPath) {}
}
