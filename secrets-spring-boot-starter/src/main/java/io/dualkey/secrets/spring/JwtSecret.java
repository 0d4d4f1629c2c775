package io.dualkey.secrets.spring;

import io.dualkey.secrets.RotatingSecret;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.jwt.JwtVerifier;
import io.dualkey.secrets.jwt.KeyFormat;
import org.jspecify.annotations.Nullable;

/** The handle on the key of tokens, and the verifier made from it. */
final class JwtSecret implements SecretHandles {

    private final DualkeyJwtProperties properties;
    private @Nullable JwtVerifier verifier;

    JwtSecret(DualkeyJwtProperties properties) {
        this.properties = properties;
    }

    @Override
    public void makeFrom(SecretSource source) {
        var unused = verifier(source);
    }

    synchronized JwtVerifier verifier(SecretSource source) {
        JwtVerifier known = verifier;
        if (known == null) {
            known = make(source);
            verifier = known;
        }
        return known;
    }

    private JwtVerifier make(SecretSource source) {
        if (properties.algorithms().size() != 1) {
            throw new MisconfigurationException(
                    "dualkey.jwt.algorithms must name exactly one algorithm, but names "
                            + properties.algorithms().size() + ".",
                    "Set it to the algorithm that your tokens are signed with: HS256 or RS256.");
        }
        try {
            JwtVerifier.Builder builder = builder(NamedSecret.of(source, "dualkey.jwt.secret", properties.secret()));
            builder.clockSkew(properties.clockSkew());
            if (properties.issuer() != null) {
                builder.issuer(properties.issuer());
            }
            if (!properties.audiences().isEmpty()) {
                builder.audience(properties.audiences().toArray(String[]::new));
            }
            return builder.build();
        } catch (IllegalArgumentException outOfRange) {
            throw new MisconfigurationException(
                    "A property under dualkey.jwt cannot be used: " + outOfRange.getMessage() + ".",
                    "Correct dualkey.jwt.issuer, dualkey.jwt.audiences or dualkey.jwt.clock-skew.");
        }
    }

    private JwtVerifier.Builder builder(RotatingSecret secret) {
        DualkeyJwtProperties.Algorithm algorithm = properties.algorithms().get(0);
        KeyFormat format = properties.keyFormat();
        return switch (algorithm) {
            case HS256 -> {
                if (format == null) {
                    throw new MisconfigurationException(
                            "dualkey.jwt.key-format is missing: it says how the HMAC key is written in the secret '"
                                    + secret.name() + "', since one text can be read in several ways.",
                            "Set it to text, base64, base64url or hex, as the issuer of the tokens reads the key."
                                    + " (The output of \"openssl rand -base64 32\" is base64 to some programs and text"
                                    + " to others.)");
                }
                yield JwtVerifier.hs256(secret, format);
            }
            case RS256 -> {
                if (format != null) {
                    throw new MisconfigurationException(
                            "dualkey.jwt.key-format is set, but it is for HMAC keys only, and"
                                    + " dualkey.jwt.algorithms is RS256.",
                            "Remove dualkey.jwt.key-format: an RSA key is PEM or a JWK.");
                }
                yield JwtVerifier.rs256(secret);
            }
        };
    }
}
