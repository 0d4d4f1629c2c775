package io.dualkey.secrets.jwt;

import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.JWKSelector;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.source.JWKSource;
import com.nimbusds.jose.proc.SecurityContext;
import io.dualkey.secrets.Rotating;
import io.dualkey.secrets.SecretUnavailableException;
import io.dualkey.secrets.SecretValue;
import io.dualkey.secrets.Version;
import io.dualkey.secrets.Versions;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The keys of a secret that rotates for code that verifies with Nimbus JOSE+JWT: the current key, the previous ones within
 * their grace period and the upcoming one, as they stand whenever Nimbus asks.
 *
 * <pre>{@code
 * var processor = new DefaultJWTProcessor<SecurityContext>();
 * processor.setJWSKeySelector(new JWSVerificationKeySelector<>(
 *         JWSAlgorithm.RS256, NimbusJwkSource.of(secrets.secret("jwt-key"), KeyFormat.PEM, JwsAlgorithm.RS256)));
 * }</pre>
 *
 * <p>Each key carries the {@code kid} that {@link JwtSigner} gives to its tokens, {@code use} and its one {@code alg}. A
 * {@code kid} that no key has selects the keys whose own {@code kid} was derived, as with {@link JwtVerifier}. What Nimbus
 * verified is not told here, so uses of keys are not counted, and no refresh is asked for.
 *
 * <p>Safe for use by several threads.
 */
public final class NimbusJwkSource implements JWKSource<SecurityContext> {

    private final Rotating<List<KeyReader.NamedKey>> keys;
    private final Clock clock;

    private NimbusJwkSource(Rotating<List<KeyReader.NamedKey>> keys, Clock clock) {
        this.keys = keys;
        this.clock = clock;
    }

    /**
     * {@return a source of the keys of a secret} Build it before the secret's source is started, so that starting checks
     * the keys.
     *
     * @param secret the key or keys
     * @param format how the secret's value spells them
     * @param algorithms what they may be used with, as in {@link JwtVerifier#builder}
     * @throws IllegalArgumentException if these do not go together
     */
    public static NimbusJwkSource of(Rotating<SecretValue> secret, KeyFormat format, JwsAlgorithm... algorithms) {
        return of(secret, format, Clock.systemUTC(), algorithms);
    }

    static NimbusJwkSource of(Rotating<SecretValue> secret, KeyFormat format, Clock clock, JwsAlgorithm... algorithms) {
        Objects.requireNonNull(format, "format");
        List<JwsAlgorithm> told = List.of(algorithms);
        KeyReader.requireMatch(format, told);
        return new NimbusJwkSource(secret.map(new KeyReader(secret.name(), format, told)::namedKeys), clock);
    }

    /**
     * {@return the keys that the selector matches, the current ones first}
     *
     * @throws SecretUnavailableException if there is no key
     */
    @Override
    public List<JWK> get(JWKSelector selector, @Nullable SecurityContext context) {
        keys.current(); // throws, and says why there is no key
        Versions<List<KeyReader.NamedKey>> versions = keys.versions();
        long now = clock.millis();
        List<KeyReader.NamedKey> all = Stream.concat(versions.accepted().stream(), versions.upcoming().stream())
                .filter(version -> version.isAcceptedAt(now))
                .map(Version::value)
                .flatMap(List::stream)
                .toList();
        List<JWK> selected = selector.select(
                new JWKSet(all.stream().map(KeyReader.NamedKey::jwk).toList()));
        Set<String> wanted = selector.getMatcher().getKeyIDs();
        return selected.isEmpty() && wanted != null ? nameless(all, wanted, selector) : selected;
    }

    /** The keys whose kid was derived, by the name that the selector looks for. */
    private static List<JWK> nameless(List<KeyReader.NamedKey> all, Set<String> wanted, JWKSelector selector) {
        List<JWK> renamed = new ArrayList<>();
        for (String keyId : wanted) {
            all.stream()
                    .filter(key -> !key.id().told())
                    .map(key -> SigningKey.labelled(key.jwk(), key.algorithm(), keyId))
                    .forEach(renamed::add);
        }
        return selector.select(new JWKSet(renamed));
    }

    /** The name of the secret. */
    @Override
    public String toString() {
        return "NimbusJwkSource[" + keys.name() + "]";
    }
}
