package io.dualkey.secrets.jwt;

import static io.dualkey.secrets.jwt.Tokens.hmacKey;
import static io.dualkey.secrets.jwt.Tokens.pem;
import static io.dualkey.secrets.jwt.Tokens.rsaKeys;
import static org.assertj.core.api.Assertions.assertThat;

import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jose.crypto.MACVerifier;
import com.nimbusds.jose.crypto.RSASSASigner;
import com.nimbusds.jose.crypto.RSASSAVerifier;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import java.security.KeyPair;
import java.security.interfaces.RSAPublicKey;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Date;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Tokens made or judged by others. */
class InteropTest {

    private static final byte[] KEY = hmacKey(1);
    private static final KeyPair RSA = rsaKeys(2048);

    private final Rig rig = new Rig();

    @AfterEach
    void close() {
        rig.close();
    }

    private JWTClaimsSet claims() {
        return new JWTClaimsSet.Builder()
                .issuer("https://a")
                .subject("alice")
                .audience(List.of("web", "app"))
                .expirationTime(Date.from(rig.clock.instant().plusSeconds(60)))
                .claim("name", "J\u00fcrgen \"\ud83d\ude00\"")
                .build();
    }

    private void isAccepted(JwtVerifier.Builder builder, SignedJWT token) {
        VerifiedJwt jwt = builder.issuer("https://a")
                .audience("app")
                .clock(rig.clock)
                .build()
                .verify(token.serialize());
        assertThat(jwt.subject()).contains("alice");
        assertThat(jwt.claim("name")).contains("J\u00fcrgen \"\ud83d\ude00\"");
    }

    @Test
    void acceptsHs256TokensOfNimbus() throws Exception {
        rig.put(KEY);
        rig.start();
        SignedJWT token = new SignedJWT(new JWSHeader(JWSAlgorithm.HS256), claims());
        token.sign(new MACSigner(KEY));

        isAccepted(rig.hs256(), token);
    }

    @Test
    void acceptsRs256TokensOfNimbus() throws Exception {
        rig.store.put(Rig.NAME, pem(RSA.getPublic()));
        rig.start();
        SignedJWT token = new SignedJWT(new JWSHeader(JWSAlgorithm.RS256), claims());
        token.sign(new RSASSASigner(RSA.getPrivate()));

        isAccepted(JwtVerifier.rs256(rig.secret), token);
    }

    @Test
    void nimbusAcceptsOurHs256Tokens() throws Exception {
        rig.put(KEY);
        JwtSigner signer = JwtSigner.hs256(rig.secret, KeyFormat.BASE64)
                .issuer("https://a")
                .clock(rig.clock)
                .build();
        rig.start();

        SignedJWT token = SignedJWT.parse(signer.sign(Map.of("sub", "alice")));

        assertThat(token.verify(new MACVerifier(KEY))).isTrue();
        assertThat(token.getJWTClaimsSet().getSubject()).isEqualTo("alice");
        assertThat(token.getJWTClaimsSet().getIssuer()).isEqualTo("https://a");
        assertThat(token.getJWTClaimsSet().getExpirationTime())
                .isEqualTo(Date.from(rig.clock.instant().plusSeconds(15 * 60)));
    }

    @Test
    void nimbusAcceptsOurRs256Tokens() throws Exception {
        rig.store.put(Rig.NAME, pem(RSA.getPrivate()));
        JwtSigner signer = JwtSigner.rs256(rig.secret).clock(rig.clock).build();
        JwtVerifier verifier = JwtVerifier.rs256(rig.secret).clock(rig.clock).build();
        rig.start();

        String token = signer.sign(Map.of("sub", "alice"));

        assertThat(SignedJWT.parse(token).verify(new RSASSAVerifier((RSAPublicKey) RSA.getPublic())))
                .isTrue();
        assertThat(verifier.verify(token).subject()).contains("alice");
    }

    private static final Clock RFC_TIME = Clock.fixed(Instant.ofEpochSecond(1300819379), ZoneOffset.UTC);
    private static final String RFC_CLAIMS =
            "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

    @Test
    void acceptsTheExampleOfRfc7515AppendixA1() {
        rig.store.put(
                Rig.NAME, "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow");
        JwtVerifier verifier = JwtVerifier.hs256(rig.secret, KeyFormat.BASE64URL)
                .issuer("joe")
                .clock(RFC_TIME)
                .build();
        rig.start();

        VerifiedJwt jwt = verifier.verify("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." + RFC_CLAIMS
                + ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");

        assertThat(jwt.claims())
                .isEqualTo(Map.of("iss", "joe", "exp", 1300819380L, "http://example.com/is_root", true));
    }

    @Test
    void acceptsTheExampleOfRfc7515AppendixA2() {
        rig.store.put(
                Rig.NAME,
                "{\"kty\":\"RSA\",\"n\":\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS"
                        + "2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kp"
                        + "aSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5I"
                        + "hlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ\","
                        + "\"e\":\"AQAB\"}");
        JwtVerifier verifier =
                JwtVerifier.rs256(rig.secret).issuer("joe").clock(RFC_TIME).build();
        rig.start();

        VerifiedJwt jwt = verifier.verify("eyJhbGciOiJSUzI1NiJ9." + RFC_CLAIMS
                + ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujG"
                + "bds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K"
                + "0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6"
                + "LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw");

        assertThat(jwt.issuer()).contains("joe");
    }

    /** The four lines in the design. */
    @Test
    void readsAsTheDesignSays() {
        var secrets = rig.source;
        var issuer = "https://a";
        rig.store.put("child-jwt-secret", Tokens.base64(KEY));
        rig.put(KEY);
        var verifier = JwtVerifier.hs256(secrets.secret("child-jwt-secret"), KeyFormat.BASE64)
                .issuer(issuer)
                .audience("web")
                .build();
        secrets.start(Duration.ofSeconds(10));

        assertThat(verifier).hasToString("JwtVerifier[HS256, child-jwt-secret]");
    }
}
