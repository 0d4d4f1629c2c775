package io.dualkey.benchmarks;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import com.nimbusds.jwt.SignedJWT;
import io.dualkey.secrets.InMemoryStore;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.jwt.JwtSigner;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.text.ParseException;
import java.time.Duration;
import java.util.Base64;
import java.util.Map;

/** One of the keys of an issuer. */
final class JwtKey {

    private static final Base64.Encoder URL = Base64.getUrlEncoder().withoutPadding();

    final JwtAlgorithm algorithm;
    final String id;
    private final JwtAlgorithm.Keys keys;

    private JwtKey(JwtAlgorithm algorithm, JwtAlgorithm.Keys keys, String id) {
        this.algorithm = algorithm;
        this.keys = keys;
        this.id = id;
    }

    /** Makes a new key, with the {@code kid} that our signer gives it. */
    static JwtKey random(JwtAlgorithm algorithm) throws GeneralSecurityException, ParseException {
        JwtAlgorithm.Keys keys = algorithm.newKeys();
        InMemoryStore store = new InMemoryStore();
        store.put("key", keys.secret());
        try (SecretSource source = SecretSource.from(store)) {
            JwtSigner signer = algorithm.signer(source.secret("key")).build();
            source.start(Duration.ofSeconds(10));
            String id = SignedJWT.parse(signer.sign(Map.of())).getHeader().getKeyID();
            return new JwtKey(algorithm, keys, id);
        }
    }

    /** The text in the vault. */
    String secret() {
        return keys.secret();
    }

    /** What a peer verifies with. */
    Key verification() {
        return keys.verification();
    }

    /** The header of this key's tokens. */
    String header() {
        return "{\"kid\":\"" + id + "\",\"typ\":\"JWT\",\"alg\":\"" + algorithm.headerName() + "\"}";
    }

    /** A token of any header and claims, well-formed or not. */
    String sign(String header, String claims) throws GeneralSecurityException {
        String text = URL.encodeToString(header.getBytes(UTF_8)) + "." + URL.encodeToString(claims.getBytes(UTF_8));
        return text + "." + URL.encodeToString(algorithm.sign(keys.signing(), text.getBytes(US_ASCII)));
    }
}
