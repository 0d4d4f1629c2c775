package io.dualkey.secrets.spring;

import io.dualkey.secrets.RotatingSecret;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.jwt.JwsAlgorithm;
import io.dualkey.secrets.jwt.JwtVerifier;
import io.dualkey.secrets.jwt.KeyFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The handle on the key of tokens, and the verifier made from it. */
final class JwtSecret implements SecretHandles {

    private final DualkeyJwtProperties properties;
    private final @Nullable String reference;
    private @Nullable JwtVerifier verifier;

    /**
     * Makes one.
     *
     * @param reference where the secret of the properties is kept
     */
    JwtSecret(DualkeyJwtProperties properties, @Nullable String reference) {
        this.properties = properties;
        this.reference = reference;
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
        if (properties.algorithms().isEmpty()) {
            throw new MisconfigurationException(
                    "dualkey.jwt.algorithms is missing: tokens never choose how they are verified.",
                    "Set it to the algorithm that your tokens are signed with, such as HS256, RS256, ES256 or EdDSA.");
        }
        try {
            JwtVerifier.Builder builder = builder(NamedSecret.of(source, "dualkey.jwt.secret", reference));
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
                    "Correct dualkey.jwt.algorithms, key-format, issuer, audiences or clock-skew.");
        }
    }

    private JwtVerifier.Builder builder(RotatingSecret secret) {
        List<JwsAlgorithm> algorithms = properties.algorithms();
        KeyFormat format = properties.keyFormat();
        if (format != null) {
            return JwtVerifier.builder(secret, format, algorithms.toArray(JwsAlgorithm[]::new));
        }
        if (algorithms.equals(List.of(JwsAlgorithm.RS256))) {
            return JwtVerifier.rs256(secret);
        }
        throw new MisconfigurationException(
                "dualkey.jwt.key-format is missing: it says how the key is written in the secret '" + secret.name()
                        + "', since one text can be read in several ways.",
                "Set it to text, base64, base64url or hex for HMAC, as the issuer of the tokens reads the key, and to pem, jwk"
                        + " or jwk-set for a public key. (The output of \"openssl rand -base64 32\" is base64 to some programs"
                        + " and text to others.)");
    }
}
