package io.dualkey.secrets.spring;

import io.dualkey.secrets.jwt.JwtSigner;
import java.nio.charset.StandardCharsets;
import org.springframework.http.CacheControl;
import org.springframework.http.MediaType;

/** The public keys of a signer as they are served, and where. Immutable. */
final class JwkSet {

    static final String PROPERTY = "dualkey.jwt.signer.jwk-set-path";

    /** RFC 7517 section 8.5.2. */
    static final MediaType TYPE = MediaType.parseMediaType("application/jwk-set+json");

    private final String path;
    private final JwtSigner signer;

    JwkSet(String path, JwtSigner signer) {
        if (!path.matches("/[A-Za-z0-9._~/-]+")) { // a pattern would serve it where nobody expects it
            throw new MisconfigurationException(
                    PROPERTY + " is not a path: it begins with / and has no wildcards.",
                    "Set it to one such as /.well-known/jwks.json, or remove it.");
        }
        this.path = path;
        this.signer = signer;
    }

    String path() {
        return path;
    }

    /**
     * {@return the document, which has no private and no symmetric key}
     *
     * @throws io.dualkey.secrets.SecretUnavailableException if there is no key
     */
    byte[] document() {
        return signer.publicKeys().getBytes(StandardCharsets.UTF_8);
    }

    CacheControl cacheControl() {
        return CacheControl.maxAge(signer.publicKeysMaxAge()).cachePublic();
    }
}
