package io.dualkey.benchmarks;

import com.auth0.jwt.JWT;
import com.auth0.jwt.algorithms.Algorithm;
import com.auth0.jwt.exceptions.JWTVerificationException;
import com.auth0.jwt.interfaces.DecodedJWT;
import com.auth0.jwt.interfaces.JWTVerifier;
import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.OctetSequenceKey;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.jwk.source.ImmutableJWKSet;
import com.nimbusds.jose.proc.BadJOSEException;
import com.nimbusds.jose.proc.JWSVerificationKeySelector;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.proc.DefaultJWTClaimsVerifier;
import com.nimbusds.jwt.proc.DefaultJWTProcessor;
import io.fusionauth.jwt.JWTDecoder;
import io.fusionauth.jwt.JWTException;
import io.fusionauth.jwt.Verifier;
import io.fusionauth.jwt.ec.ECVerifier;
import io.fusionauth.jwt.hmac.HMACVerifier;
import io.fusionauth.jwt.rsa.RSAVerifier;
import io.jsonwebtoken.JwtParser;
import io.jsonwebtoken.Jwts;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.PublicKey;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.text.ParseException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.springframework.security.oauth2.core.DelegatingOAuth2TokenValidator;
import org.springframework.security.oauth2.jwt.JwtAudienceValidator;
import org.springframework.security.oauth2.jwt.JwtException;
import org.springframework.security.oauth2.jwt.JwtIssuerValidator;
import org.springframework.security.oauth2.jwt.JwtTimestampValidator;
import org.springframework.security.oauth2.jwt.NimbusJwtDecoder;

/** Libraries that verify tokens, each set up as its documentation says, with two keys told apart by {@code kid}. */
public enum JwtLibrary {
    /** The floor: the JDK verifies the signature over bytes that are ready, and no claim is looked at. */
    RAW,
    /** Ours. */
    DUALKEY,
    /** DefaultJWTProcessor of nimbus-jose-jwt. */
    NIMBUS,
    /** java-jwt of auth0; its documentation has no way to choose among HMAC keys, so the header is read before. */
    AUTH0,
    /** fusionauth-jwt, which leaves {@code iss} and {@code aud} to its caller. */
    FUSIONAUTH,
    /** jjwt. */
    JJWT,
    /** NimbusJwtDecoder of Spring Security. */
    SPRING;

    private static final int SKEW_SECONDS = 60;

    /** Whether it verifies an algorithm; what does not is left out of its tables. */
    boolean supports(JwtAlgorithm algorithm) {
        return switch (this) {
            case RAW, DUALKEY, JJWT -> true;
            case NIMBUS, AUTH0, FUSIONAUTH, SPRING -> algorithm != JwtAlgorithm.EDDSA;
        };
    }

    /**
     * Prints the libraries that support an algorithm, as {@code -p library=} takes them.
     *
     * @param arguments the algorithm
     */
    public static void main(String[] arguments) {
        JwtAlgorithm algorithm = JwtAlgorithm.valueOf(arguments[0]);
        System.out.println(Stream.of(values())
                .filter(library -> library.supports(algorithm))
                .map(Enum::name)
                .collect(Collectors.joining(",")));
    }

    /** Whether several threads may share a verifier. */
    boolean shareable() {
        return this != RAW;
    }

    TokenVerifier verifier(JwtIssuer issuer) throws GeneralSecurityException {
        return switch (this) {
            case RAW -> raw(issuer);
            case DUALKEY -> new DualkeyVerifier(issuer, builder -> builder);
            case NIMBUS -> nimbus(issuer);
            case AUTH0 -> auth0(issuer);
            case FUSIONAUTH -> fusionAuth(issuer);
            case JJWT -> jjwt(issuer);
            case SPRING -> spring(issuer);
        };
    }

    private static TokenVerifier raw(JwtIssuer issuer) throws GeneralSecurityException {
        var current = issuer.algorithm.verification(issuer.current.verification());
        var previous = issuer.algorithm.verification(issuer.previous.verification());
        return sample -> {
            try {
                var chosen = sample.key == issuer.current ? current : previous;
                return chosen.isGood(sample.signingInput, sample.signature) ? "" : null;
            } catch (GeneralSecurityException refused) {
                return null;
            }
        };
    }

    private static DefaultJWTProcessor<SecurityContext> nimbusProcessor(JwtIssuer issuer) {
        DefaultJWTProcessor<SecurityContext> processor = new DefaultJWTProcessor<>();
        processor.setJWSKeySelector(new JWSVerificationKeySelector<>(
                JWSAlgorithm.parse(issuer.algorithm.headerName()),
                new ImmutableJWKSet<>(new JWKSet(List.of(jwk(issuer.current), jwk(issuer.previous))))));
        return processor;
    }

    private static JWK jwk(JwtKey key) {
        return switch (key.algorithm) {
            case HS256 ->
                new OctetSequenceKey.Builder(key.verification().getEncoded())
                        .keyID(key.id)
                        .build();
            case RS256 ->
                new RSAKey.Builder((RSAPublicKey) key.verification())
                        .keyID(key.id)
                        .build();
            case ES256 ->
                new ECKey.Builder(Curve.P_256, (ECPublicKey) key.verification())
                        .keyID(key.id)
                        .build();
            case EDDSA -> throw new IllegalArgumentException("the processor leaves keys of Ed25519 out");
        };
    }

    private static TokenVerifier nimbus(JwtIssuer issuer) {
        DefaultJWTProcessor<SecurityContext> processor = nimbusProcessor(issuer);
        processor.setJWTClaimsSetVerifier(new DefaultJWTClaimsVerifier<>(
                JwtIssuer.AUDIENCE,
                new JWTClaimsSet.Builder().issuer(JwtIssuer.ISSUER).build(),
                Set.of("exp")));
        return sample -> {
            try {
                return processor.process(sample.token, null).getSubject();
            } catch (ParseException | BadJOSEException | JOSEException refused) {
                return null;
            }
        };
    }

    private static TokenVerifier auth0(JwtIssuer issuer) {
        Map<String, JWTVerifier> verifiers = Map.of(
                issuer.current.id, auth0Verifier(issuer.current), issuer.previous.id, auth0Verifier(issuer.previous));
        return sample -> {
            try {
                DecodedJWT decoded = JWT.decode(sample.token);
                String id = decoded.getKeyId();
                JWTVerifier verifier = id == null ? null : verifiers.get(id);
                return verifier == null ? null : verifier.verify(decoded).getSubject();
            } catch (JWTVerificationException refused) {
                return null;
            }
        };
    }

    private static JWTVerifier auth0Verifier(JwtKey key) {
        Algorithm algorithm = switch (key.algorithm) {
            case HS256 -> Algorithm.HMAC256(key.verification().getEncoded());
            case RS256 -> Algorithm.RSA256((RSAPublicKey) key.verification(), null);
            case ES256 -> Algorithm.ECDSA256((ECPublicKey) key.verification(), null);
            case EDDSA -> throw new IllegalArgumentException("java-jwt has no EdDSA");
        };
        return JWT.require(algorithm)
                .withIssuer(JwtIssuer.ISSUER)
                .withAudience(JwtIssuer.AUDIENCE)
                .acceptLeeway(SKEW_SECONDS)
                .build();
    }

    private static TokenVerifier fusionAuth(JwtIssuer issuer) {
        Map<String, Verifier> verifiers = Map.of(
                issuer.current.id,
                fusionAuthVerifier(issuer.current),
                issuer.previous.id,
                fusionAuthVerifier(issuer.previous));
        JWTDecoder decoder = new JWTDecoder().withClockSkew(SKEW_SECONDS);
        return sample -> {
            try {
                io.fusionauth.jwt.domain.JWT jwt = decoder.decode(sample.token, verifiers);
                boolean audienceGood = jwt.audience instanceof List<?> several
                        ? several.contains(JwtIssuer.AUDIENCE)
                        : JwtIssuer.AUDIENCE.equals(jwt.audience);
                return JwtIssuer.ISSUER.equals(jwt.issuer) && audienceGood ? jwt.subject : null;
            } catch (JWTException refused) {
                return null;
            }
        };
    }

    private static Verifier fusionAuthVerifier(JwtKey key) {
        return switch (key.algorithm) {
            case HS256 -> HMACVerifier.newVerifier(key.verification().getEncoded());
            case RS256 -> RSAVerifier.newVerifier((PublicKey) key.verification());
            case ES256 -> ECVerifier.newVerifier((PublicKey) key.verification());
            case EDDSA -> throw new IllegalArgumentException("fusionauth-jwt takes alg Ed25519, and not EdDSA");
        };
    }

    private static TokenVerifier jjwt(JwtIssuer issuer) {
        Map<String, Key> keys = Map.of(
                issuer.current.id, issuer.current.verification(), issuer.previous.id, issuer.previous.verification());
        JwtParser parser = Jwts.parser()
                .keyLocator(header -> keys.get(String.valueOf(header.get("kid"))))
                .requireIssuer(JwtIssuer.ISSUER)
                .requireAudience(JwtIssuer.AUDIENCE)
                .clockSkewSeconds(SKEW_SECONDS)
                .build();
        return sample -> {
            try {
                return parser.parseSignedClaims(sample.token).getPayload().getSubject();
            } catch (io.jsonwebtoken.JwtException | IllegalArgumentException refused) {
                return null;
            }
        };
    }

    private static TokenVerifier spring(JwtIssuer issuer) {
        DefaultJWTProcessor<SecurityContext> processor = nimbusProcessor(issuer);
        processor.setJWTClaimsSetVerifier((claims, context) -> {}); // as Spring's own builders have it
        NimbusJwtDecoder decoder = new NimbusJwtDecoder(processor);
        decoder.setJwtValidator(new DelegatingOAuth2TokenValidator<>(
                new JwtTimestampValidator(Duration.ofSeconds(SKEW_SECONDS)),
                new JwtIssuerValidator(JwtIssuer.ISSUER),
                new JwtAudienceValidator(JwtIssuer.AUDIENCE)));
        return sample -> {
            try {
                return decoder.decode(sample.token).getSubject();
            } catch (JwtException refused) {
                return null;
            }
        };
    }
}
