package io.dualkey.secrets.spring;

import io.dualkey.secrets.RotatingSecret;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.jwt.JwsAlgorithm;
import io.dualkey.secrets.jwt.JwtSigner;
import io.dualkey.secrets.jwt.KeyFormat;
import org.jspecify.annotations.Nullable;

/** The handle on the key that tokens are signed with, and the signer made from it. */
final class JwtSignerSecret implements SecretHandles {

    static final String PROPERTY = "dualkey.jwt.signer.secret";

    private final DualkeyJwtProperties properties;
    private final @Nullable String reference;
    private @Nullable JwtSigner signer;

    /**
     * Makes one.
     *
     * @param reference where the secret of the properties is kept
     */
    JwtSignerSecret(DualkeyJwtProperties properties, @Nullable String reference) {
        this.properties = properties;
        this.reference = reference;
    }

    @Override
    public void makeFrom(SecretSource source) {
        var unused = signer(source);
    }

    synchronized JwtSigner signer(SecretSource source) {
        JwtSigner known = signer;
        if (known == null) {
            known = make(source);
            signer = known;
        }
        return known;
    }

    private JwtSigner make(SecretSource source) {
        if (properties.algorithms().isEmpty()) {
            throw new MisconfigurationException(
                    "dualkey.jwt.algorithms is missing: nothing says by which tokens are to be signed.",
                    "Set it to one such as HS256, RS256, ES256 or EdDSA. Of several, the first signs.");
        }
        JwsAlgorithm algorithm = properties.algorithms().get(0);
        if (properties.signer().jwkSetPath() != null && algorithm.name().startsWith("HS")) {
            throw new MisconfigurationException(
                    "dualkey.jwt.signer.jwk-set-path is set, but keys of " + algorithm.name()
                            + " are secret: there is no public key to serve.",
                    "Remove it, or put an algorithm with public keys, such as RS256 or ES256, first in"
                            + " dualkey.jwt.algorithms.");
        }
        try {
            JwtSigner.Builder builder = builder(NamedSecret.of(source, PROPERTY, reference), algorithm)
                    .ttl(properties.signer().ttl());
            builder.clockSkew(properties.clockSkew());
            if (properties.signer().propagation() != null) {
                builder.propagation(properties.signer().propagation());
            }
            if (properties.issuer() != null) {
                builder.issuer(properties.issuer());
            }
            return builder.build();
        } catch (IllegalArgumentException outOfRange) {
            throw new MisconfigurationException(
                    "A property under dualkey.jwt cannot be used to sign: " + outOfRange.getMessage() + ".",
                    "Correct dualkey.jwt.signer.ttl, signer.propagation, algorithms, key-format, issuer or clock-skew.");
        }
    }

    private JwtSigner.Builder builder(RotatingSecret secret, JwsAlgorithm algorithm) {
        KeyFormat format = properties.keyFormat();
        if (format != null) {
            return JwtSigner.builder(secret, format == KeyFormat.JWK_SET ? KeyFormat.JWK : format, algorithm);
        }
        if (algorithm == JwsAlgorithm.RS256) {
            return JwtSigner.rs256(secret);
        }
        throw new MisconfigurationException(
                "dualkey.jwt.key-format is missing: it says how the key is written in the secret '" + secret.name()
                        + "', since one text can be read in several ways.",
                "Set it to text, base64, base64url or hex for HMAC, as verifiers read the key, and to pem or jwk for a"
                        + " private key.");
    }
}
