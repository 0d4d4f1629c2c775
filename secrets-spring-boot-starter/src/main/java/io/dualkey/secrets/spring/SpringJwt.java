package io.dualkey.secrets.spring;

import io.dualkey.secrets.SecretUnavailableException;
import io.dualkey.secrets.jwt.JwtResult;
import io.dualkey.secrets.jwt.VerifiedJwt;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.springframework.core.convert.converter.Converter;
import org.springframework.security.oauth2.core.DelegatingOAuth2TokenValidator;
import org.springframework.security.oauth2.core.OAuth2Error;
import org.springframework.security.oauth2.core.OAuth2TokenValidator;
import org.springframework.security.oauth2.core.OAuth2TokenValidatorResult;
import org.springframework.security.oauth2.jwt.BadJwtException;
import org.springframework.security.oauth2.jwt.Jwt;
import org.springframework.security.oauth2.jwt.JwtClaimNames;
import org.springframework.security.oauth2.jwt.JwtException;
import org.springframework.security.oauth2.jwt.JwtValidationException;
import org.springframework.security.oauth2.jwt.MappedJwtClaimSetConverter;

/** Turns what a verifier found into what Spring Security expects of a decoder. Immutable. */
final class SpringJwt {

    /** Claims of the types that Spring's own decoders give them. */
    private static final Converter<Map<String, Object>, Map<String, Object>> CLAIMS =
            MappedJwtClaimSetConverter.withDefaults(Map.of());

    private final OAuth2TokenValidator<Jwt> validators;

    SpringJwt(List<OAuth2TokenValidator<Jwt>> validators) {
        this.validators = new DelegatingOAuth2TokenValidator<>(validators);
    }

    /**
     * Makes a token of a result.
     *
     * @throws BadJwtException if it was rejected; its message is a fixed text, since it goes into an answer's header
     */
    Jwt of(String token, JwtResult result) {
        if (result instanceof JwtResult.Rejected rejected) {
            throw new BadJwtException(
                    "The token was refused: " + rejected.reason().description());
        }
        Jwt jwt = jwt(token, (VerifiedJwt) result);
        OAuth2TokenValidatorResult validated = validators.validate(jwt);
        if (validated.hasErrors()) {
            throw invalid(validated.getErrors());
        }
        return jwt;
    }

    private static Jwt jwt(String token, VerifiedJwt verified) {
        try {
            Map<String, Object> claims = CLAIMS.convert(verified.claims());
            return new Jwt(
                    token,
                    (Instant) claims.get(JwtClaimNames.IAT),
                    (Instant) claims.get(JwtClaimNames.EXP),
                    verified.header(),
                    claims);
        } catch (IllegalArgumentException
                | IllegalStateException odd) { // iat not before exp, say; it may quote a claim
            throw new BadJwtException("The token was refused: it has claims that make no sense");
        }
    }

    private static JwtValidationException invalid(Collection<OAuth2Error> errors) {
        String first = errors.stream()
                .map(OAuth2Error::getDescription)
                .filter(text -> text != null && !text.isEmpty())
                .findFirst()
                .orElse("Unable to validate Jwt");
        return new JwtValidationException(first, errors);
    }

    /** That no key is there to judge a token with: an error of this service, and no word about the token. */
    static JwtException unavailable(SecretUnavailableException cause) {
        return new JwtException("There is no key to judge tokens with", cause);
    }
}
