package io.dualkey.secrets.jwt;

import com.nimbusds.jose.JWSSigner;
import com.nimbusds.jose.jwk.JWK;
import org.jspecify.annotations.Nullable;

/** One key that tokens are signed with. {@code toString} shows nothing of it. */
final class SigningKey {

    private final KeyId id;
    private final JWSSigner signer;
    private final @Nullable JWK publicKey;

    SigningKey(KeyId id, JWSSigner signer, @Nullable JWK publicKey) {
        this.id = id;
        this.signer = signer;
        this.publicKey = publicKey;
    }

    KeyId id() {
        return id;
    }

    JWSSigner signer() {
        return signer;
    }

    /** What may be published; null for a symmetric key. */
    @Nullable
    JWK publicKey() {
        return publicKey;
    }
}
