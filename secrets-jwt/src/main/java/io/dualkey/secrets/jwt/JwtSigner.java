package io.dualkey.secrets.jwt;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSObject;
import com.nimbusds.jose.Payload;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.JWKSet;
import io.dualkey.secrets.Rotating;
import io.dualkey.secrets.SecretUnavailableException;
import io.dualkey.secrets.SecretValue;
import io.dualkey.secrets.Version;
import io.dualkey.secrets.Versions;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Signs JSON Web Tokens (RFC 7519) with a key that rotates, and names the key in the header ({@code kid}).
 *
 * <p>After a rotation it goes on signing with the key before, until every verifier has had the time to learn the new
 * one: {@link Builder#propagation}, counted from the new key's activation by the store's word. A key that is no longer
 * accepted, because it was disabled or removed, is not used from then on.
 *
 * <pre>{@code
 * var signer = JwtSigner.hs256(secrets.secret("jwt-secret"), KeyFormat.BASE64)
 *         .issuer("https://login.example.com")
 *         .ttl(Duration.ofMinutes(15))
 *         .build();
 * String token = signer.sign(Map.of("sub", "alice", "aud", "web"));
 * }</pre>
 *
 * <p>Safe for use by several threads.
 */
public final class JwtSigner {

    private static final Set<String> OURS = Set.of("iss", "iat", "exp");

    private final Rotating<SigningKey> keys;
    private final JWSAlgorithm algorithm;
    private final @Nullable String issuer;
    private final Duration ttl;
    private final Duration propagation;
    private final Clock clock;

    private JwtSigner(Builder builder, Duration propagation) {
        KeyReader reader = new KeyReader(builder.secret.name(), builder.format, List.of(builder.algorithm));
        this.keys = builder.secret.map(reader::signingKey);
        this.algorithm = new JWSAlgorithm(builder.algorithm.headerName());
        this.issuer = builder.issuer;
        this.ttl = builder.ttl;
        this.propagation = propagation;
        this.clock = builder.clock;
    }

    /**
     * {@return a builder of signers by HMAC with SHA-256 (RFC 7518 section 3.2)} Keys under 256 bits are unusable.
     *
     * @param secret the key
     * @param format how the secret's value spells the key
     */
    public static Builder hs256(Rotating<SecretValue> secret, KeyFormat format) {
        return builder(secret, format, JwsAlgorithm.HS256);
    }

    /**
     * {@return a builder of signers by RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 section 3.3)} Keys under 2048 bits are
     * unusable.
     *
     * @param secret the private key: PEM with the heading PRIVATE KEY (PKCS#8) or RSA PRIVATE KEY (PKCS#1), or a JWK (RFC
     *     7517)
     */
    public static Builder rs256(Rotating<SecretValue> secret) {
        return new Builder(secret, null, JwsAlgorithm.RS256);
    }

    /**
     * {@return a builder of signers by any algorithm} Keys that do not fit it are unusable.
     *
     * @param secret the key, the private one where there are two
     * @param format how the secret's value spells the key; not a set, which does not say which key is to sign
     * @param algorithm what tokens are signed by
     * @throws IllegalArgumentException if format and algorithm do not go together
     */
    public static Builder builder(Rotating<SecretValue> secret, KeyFormat format, JwsAlgorithm algorithm) {
        if (format == KeyFormat.JWK_SET) {
            throw new IllegalArgumentException("a JWK Set does not say which of its keys is to sign; give one JWK");
        }
        KeyReader.requireMatch(format, List.of(algorithm));
        return new Builder(secret, format, algorithm);
    }

    /**
     * Signs a token with these claims and with {@code iss}, {@code iat} and {@code exp}, which are the signer's to set.
     *
     * @param claims texts, finite numbers, booleans, {@link Instant}s (which become whole seconds since 1970), and maps
     *     and collections of these; a claim that is null is left out
     * @return the token in compact form
     * @throws IllegalArgumentException if a claim is of another type, or is one that the signer sets
     * @throws SecretUnavailableException if there is no key
     */
    public String sign(Map<String, ?> claims) {
        Instant now = clock.instant();
        Map<String, @Nullable Object> all = new LinkedHashMap<>();
        if (issuer != null) {
            all.put("iss", issuer);
        }
        claims.forEach((name, value) -> {
            if (OURS.contains(name)) {
                throw new IllegalArgumentException("the claim '" + name + "' is set by the signer");
            }
            if (value != null) {
                all.put(name, json(name, value));
            }
        });
        all.put("iat", now.getEpochSecond());
        all.put("exp", now.plus(ttl).getEpochSecond());

        SigningKey key = keyAt(now);
        JWSHeader header = new JWSHeader.Builder(algorithm)
                .type(JOSEObjectType.JWT)
                .keyID(key.id().value())
                .build();
        JWSObject token = new JWSObject(header, new Payload(all));
        try {
            token.sign(key.signer());
        } catch (JOSEException mayQuoteTheKey) {
            throw new IllegalStateException("signing with the current key of secret '" + keys.name()
                    + "' failed; is it a key for " + algorithm + "?");
        }
        return token.serialize();
    }

    /**
     * {@return the public keys that verifiers need, as a JWK Set (RFC 7517 section 5): the accepted ones and the
     * upcoming one} Let clients cache it no longer than {@link #publicKeysMaxAge}. With HMAC it is empty, because
     * those keys are secret.
     *
     * @throws SecretUnavailableException if there is no key
     */
    public String publicKeys() {
        keys.current();
        Versions<SigningKey> versions = keys.versions();
        List<JWK> published = Stream.concat(versions.accepted().stream(), versions.upcoming().stream())
                .flatMap(version -> Stream.ofNullable(version.value().publicKey()))
                .toList();
        return new JWKSet(published).toString();
    }

    /**
     * {@return how long clients may cache {@link #publicKeys} at most, so that they have a new key before tokens are signed
     * with it} That is {@link Builder#propagation} less the time in which each replica learns of the key; zero where nothing is
     * left.
     */
    public Duration publicKeysMaxAge() {
        Duration interval = keys.policy().refreshInterval();
        Duration rest =
                propagation.minus(interval).minus(interval.dividedBy(10)); // the interval is a tenth more at times
        return rest.isNegative() ? Duration.ZERO : rest;
    }

    /** The newest key that every verifier knows by now; among keys that are all too new, the one known the longest. */
    private SigningKey keyAt(Instant now) {
        List<Version<SigningKey>> accepted = keys.versions().accepted();
        if (accepted.isEmpty()) {
            return keys.current(); // throws, and says why there is no key
        }
        long expiry = now.plus(ttl).toEpochMilli();
        Version<SigningKey> chosen = accepted.get(0);
        for (Version<SigningKey> version : accepted) {
            // What it signs now must still be accepted at its end.
            if (version == chosen || version.isAcceptedAt(expiry)) {
                chosen = version;
                if (hasPropagated(version, now)) {
                    break;
                }
            }
        }
        return chosen.value();
    }

    private boolean hasPropagated(Version<SigningKey> version, Instant now) {
        return version.activatedAt()
                .map(activated -> !now.isBefore(activated.plus(propagation)))
                .orElse(true);
    }

    private static @Nullable Object json(String name, @Nullable Object value) {
        if (value == null || value instanceof String || value instanceof Boolean) {
            return value;
        }
        if (value instanceof Number number && Double.isFinite(number.doubleValue())) {
            return number;
        }
        if (value instanceof Instant time) {
            return time.getEpochSecond();
        }
        if (value instanceof Collection<?> collection) {
            List<@Nullable Object> list = new ArrayList<>();
            for (Object element : collection) {
                list.add(json(name, element));
            }
            return list;
        }
        if (value instanceof Map<?, ?> map) {
            Map<String, @Nullable Object> object = new LinkedHashMap<>();
            map.forEach((key, member) -> object.put(String.valueOf(key), json(name, member)));
            return object;
        }
        throw new IllegalArgumentException(
                "the claim '" + name + "' contains a " + value.getClass().getName() + " that has no form in JSON");
    }

    /** The algorithm and the name of the secret. */
    @Override
    public String toString() {
        return "JwtSigner[" + algorithm + ", " + keys.name() + "]";
    }

    /** Collects what a signer puts into tokens. Not safe for use by several threads. */
    public static final class Builder {

        private static final Duration LONGEST = Duration.ofDays(3650);

        private final Rotating<SecretValue> secret;
        private final @Nullable KeyFormat format;
        private final JwsAlgorithm algorithm;
        private @Nullable String issuer;
        private Duration ttl = Duration.ofMinutes(15);
        private Duration clockSkew = Duration.ofSeconds(60);
        private @Nullable Duration propagation;
        private Clock clock = Clock.systemUTC();

        private Builder(Rotating<SecretValue> secret, @Nullable KeyFormat format, JwsAlgorithm algorithm) {
            this.secret = Objects.requireNonNull(secret, "secret");
            this.format = format;
            this.algorithm = algorithm;
        }

        /**
         * Sets {@code iss}. Without this call tokens have none.
         *
         * @param name the issuer
         * @return this builder
         * @throws IllegalArgumentException if it is blank
         */
        public Builder issuer(String name) {
            if (name.isBlank()) {
                throw new IllegalArgumentException("issuer must not be blank");
            }
            this.issuer = name;
            return this;
        }

        /**
         * Sets how long tokens are valid. Default 15 minutes.
         *
         * @param validity from one second to ten years, counted in whole seconds
         * @return this builder
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder ttl(Duration validity) {
            this.ttl = Durations.inRange("ttl", validity, Duration.ofSeconds(1), LONGEST);
            return this;
        }

        /**
         * Sets for how long after a new key's activation the key before is used. In this time every verifier must have
         * learnt the new key. Default: twice the secret's refresh interval and the clock skew; set it longer where
         * secrets reach verifiers by a longer way, such as mounted files or a JWK Set in a cache.
         *
         * @param time from zero to ten years
         * @return this builder
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder propagation(Duration time) {
            this.propagation = Durations.inRange("propagation", time, Duration.ZERO, LONGEST);
            return this;
        }

        /**
         * Sets how far the clocks of verifiers may be off. Default 60 seconds.
         *
         * @param skew from zero to one hour
         * @return this builder
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder clockSkew(Duration skew) {
            this.clockSkew = Durations.inRange("clockSkew", skew, Duration.ZERO, Duration.ofHours(1));
            return this;
        }

        /**
         * Sets the clock that tokens are dated by. Default: the system's.
         *
         * @param wallClock a clock
         * @return this builder
         */
        public Builder clock(Clock wallClock) {
            this.clock = Objects.requireNonNull(wallClock, "clock");
            return this;
        }

        /**
         * {@return the signer} Build it before the secret's source is started, so that starting checks the key.
         *
         * @throws IllegalArgumentException if tokens would outlive their key: {@code ttl + propagation + clockSkew} must
         *     not be longer than the secret's grace period
         */
        public JwtSigner build() {
            Duration delay = propagation == null
                    ? secret.policy().refreshInterval().multipliedBy(2).plus(clockSkew)
                    : propagation;
            Duration needed = ttl.plus(delay).plus(clockSkew);
            Duration grace = secret.policy().grace();
            if (needed.compareTo(grace) > 0) {
                throw new IllegalArgumentException("tokens signed just before a change of keys would outlive their key:"
                        + " ttl " + ttl + " + propagation " + delay + " + clockSkew " + clockSkew + " = " + needed
                        + " is longer than the grace period " + grace + " of secret '" + secret.name()
                        + "'; shorten one of them or lengthen the grace period");
            }
            return new JwtSigner(this, delay);
        }
    }
}
