package io.dualkey.secrets.jwt;

import static io.dualkey.secrets.jwt.Tokens.base64;
import static io.dualkey.secrets.jwt.Tokens.hmacKey;
import static io.dualkey.secrets.jwt.Tokens.pem;
import static io.dualkey.secrets.jwt.Tokens.rsaKeys;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.RSAKey;
import io.dualkey.secrets.Role;
import io.dualkey.secrets.SecretUnavailableException;
import io.dualkey.secrets.SecretValue;
import io.dualkey.secrets.StoredVersion;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.security.interfaces.RSAPublicKey;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class JwtSignerTest {

    private static final byte[] FIRST = hmacKey(1);
    private static final byte[] SECOND = hmacKey(2);
    private static final byte[] THIRD = hmacKey(3);
    private static final Duration PROPAGATION = Duration.ofMinutes(10);

    private final Rig rig = new Rig();
    private final JwtVerifier verifier = rig.hs256().anyAudience().build();
    private final JwtSigner signer = signer().build();

    @AfterEach
    void close() {
        rig.close();
    }

    private JwtSigner.Builder signer() {
        return JwtSigner.hs256(rig.secret, KeyFormat.BASE64)
                .issuer("https://a")
                .ttl(Duration.ofMinutes(5))
                .propagation(PROPAGATION)
                .clock(rig.clock);
    }

    private String start(byte[] key) {
        String version = rig.put(key);
        rig.start();
        return version;
    }

    private String rotate(byte[] key) {
        String version = rig.put(key);
        rig.refresh();
        return version;
    }

    /** The version whose key signs now. */
    private String signing() {
        return verifier.verify(signer.sign(Map.of())).keyVersion();
    }

    @Test
    void setsIssuerTimesAndKid() {
        start(FIRST);

        String token = signer.sign(Map.of("sub", "alice", "aud", List.of("web", "app")));

        VerifiedJwt jwt = verifier.verify(token);
        assertThat(jwt.issuer()).contains("https://a");
        assertThat(jwt.subject()).contains("alice");
        assertThat(jwt.audience()).containsExactly("web", "app");
        assertThat(jwt.issuedAt()).contains(Rig.START);
        assertThat(jwt.expiresAt()).contains(Rig.START.plus(Duration.ofMinutes(5)));
        String header = new String(
                Base64.getUrlDecoder().decode(token.substring(0, token.indexOf('.'))), StandardCharsets.UTF_8);
        assertThat(header)
                .contains("\"alg\":\"HS256\"")
                .contains("\"typ\":\"JWT\"")
                .contains("\"kid\":\""
                        + HmacKey.parse(SecretValue.of(FIRST), KeyFormat.TEXT)
                                .id()
                                .value()
                        + "\"");
    }

    /** A verifier takes a registered claim that is null for a malformed one. */
    @Test
    void leavesOutClaimsThatAreNull() {
        start(FIRST);
        Map<String, Object> claims = new HashMap<>();
        claims.put("sub", null);
        claims.put("nickname", null);

        assertThat(verifier.verify(signer.sign(claims)).claims()).containsOnlyKeys("iss", "iat", "exp");
    }

    @Test
    void writesClaimsOfAllTypes() {
        start(FIRST);

        VerifiedJwt jwt = verifier.verify(signer.sign(Map.of(
                "n",
                7,
                "d",
                0.5,
                "b",
                true,
                "t",
                Instant.ofEpochSecond(99),
                "list",
                List.of(1, "x"),
                "map",
                Map.of("deep", Map.of("er", "\"quoted\" \u00e4")))));

        assertThat(jwt.claims())
                .containsEntry("n", 7L)
                .containsEntry("d", 0.5)
                .containsEntry("b", true)
                .containsEntry("t", 99L)
                .containsEntry("list", List.of(1L, "x"))
                .containsEntry("map", Map.of("deep", Map.of("er", "\"quoted\" \u00e4")));
    }

    @Test
    void refusesClaimsThatItSetsOrCannotWrite() {
        start(FIRST);

        for (String name : new String[] {"iss", "iat", "exp"}) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> signer.sign(Map.of(name, 1)))
                    .withMessageContaining(name);
        }
        assertThatIllegalArgumentException()
                .isThrownBy(() -> signer.sign(Map.of("x", List.of(new Object()))))
                .withMessageContaining("'x'");
        assertThatIllegalArgumentException().isThrownBy(() -> signer.sign(Map.of("x", Double.NaN)));
    }

    @Test
    void signsWithTheKeyBeforeUntilTheNewOneHasPropagated() {
        String first = start(FIRST);
        assertThat(signing()).isEqualTo(first);
        rig.clock.advance(Duration.ofHours(1));
        String second = rotate(SECOND);

        assertThat(signing()).isEqualTo(first);
        rig.clock.advance(PROPAGATION.minusMillis(1));
        assertThat(signing()).isEqualTo(first);
        rig.clock.advance(Duration.ofMillis(1));
        assertThat(signing()).isEqualTo(second);
    }

    @Test
    void signsWithTheCurrentKeyAtOnceWhenTheOneBeforeIsRevoked() {
        String first = start(FIRST);
        rig.clock.advance(Duration.ofHours(1));
        String second = rotate(SECOND);
        assertThat(signing()).isEqualTo(first);

        rig.store.disable(Rig.NAME, first);
        rig.refresh();

        assertThat(signing()).isEqualTo(second);
    }

    @Test
    void signsWithTheOnlyKeyHoweverNewItIs() {
        String first = start(FIRST);

        assertThat(signing()).isEqualTo(first);
    }

    @Test
    void signsWithTheKeyKnownTheLongestWhileSeveralAreTooNew() {
        String first = start(FIRST);
        rig.clock.advance(Duration.ofHours(1));
        String second = rotate(SECOND);
        rig.clock.advance(Duration.ofMinutes(4));
        rotate(THIRD);

        assertThat(signing()).isEqualTo(first);
        rig.clock.advance(Duration.ofMinutes(6));
        assertThat(signing()).isEqualTo(second);
    }

    @Test
    void doesNotSignWithAKeyThatEndsBeforeTheToken() {
        rig.store.add(
                Rig.NAME,
                StoredVersion.of("first", SecretValue.ofText(base64(FIRST)))
                        .withActivatedAt(Rig.START.minusSeconds(3600))
                        .withExpires(Rig.START.plusSeconds(200)));
        String second = start(SECOND);

        assertThat(rig.secret.versions().previous()).hasSize(1);
        assertThat(signing()).isEqualTo(second);
    }

    @Test
    void everyTokenOfARotationIsAcceptedByAVerifierThatIsBehind() {
        start(FIRST);
        rig.clock.advance(Duration.ofHours(1));
        rig.put(SECOND);
        // The signer's process has seen the new key, the verifier's has not.
        try (Rig behind = new Rig()) {
            behind.put(FIRST);
            JwtVerifier late = JwtVerifier.hs256(behind.secret, KeyFormat.BASE64)
                    .clock(rig.clock)
                    .build();
            behind.start();
            rig.refresh();

            assertThat(late.verify(signer.sign(Map.of())).keyRole()).isEqualTo(Role.CURRENT);
        }
    }

    @Test
    void propagationDefaultsToTwoRefreshIntervalsAndTheSkew() {
        String first = rig.put(FIRST);
        JwtSigner byDefault =
                JwtSigner.hs256(rig.secret, KeyFormat.BASE64).clock(rig.clock).build();
        rig.start();
        rig.clock.advance(Duration.ofHours(5));
        String second = rotate(SECOND);

        rig.clock.advance(Duration.ofHours(2).plusSeconds(59));
        assertThat(verifier.verify(byDefault.sign(Map.of())).keyVersion()).isEqualTo(first);
        rig.clock.advance(Duration.ofSeconds(1));
        assertThat(verifier.verify(byDefault.sign(Map.of())).keyVersion()).isEqualTo(second);
    }

    @Test
    void refusesTokensThatWouldOutliveTheirKey() {
        Duration room = Rig.GRACE.minus(PROPAGATION).minusSeconds(60);

        assertThat(signer().ttl(room).build()).isNotNull();
        assertThatIllegalArgumentException()
                .isThrownBy(() -> signer().ttl(room.plusSeconds(1)).build())
                .withMessageContaining("ttl")
                .withMessageContaining("grace period PT24H")
                .withMessageContaining(Rig.NAME);
    }

    @Test
    void saysThatNoKeyIsAvailable() {
        assertThatThrownBy(() -> signer.sign(Map.of())).isInstanceOf(SecretUnavailableException.class);
        assertThatThrownBy(signer::publicKeys).isInstanceOf(SecretUnavailableException.class);
    }

    @Test
    void publishesNoHmacKeys() {
        start(FIRST);

        assertThat(signer.publicKeys()).isEqualTo("{\"keys\":[]}");
    }

    @Test
    void cachesOfPublicKeysEndBeforeANewKeySigns() {
        Duration interval = rig.secret.policy().refreshInterval();
        Duration late = interval.plus(interval.dividedBy(10));

        assertThat(signer().propagation(late.plusSeconds(30)).build().publicKeysMaxAge())
                .isEqualTo(Duration.ofSeconds(30));
        assertThat(signer().propagation(interval).build().publicKeysMaxAge()).isZero();
    }

    @Test
    void publishesTheAcceptedAndTheUpcomingPublicKeys() throws Exception {
        List<KeyPair> pairs = List.of(rsaKeys(2048), rsaKeys(2048), rsaKeys(2048));
        try (Rig rsa = new Rig()) {
            JwtSigner rs256 = JwtSigner.rs256(rsa.secret).clock(rsa.clock).build();
            rsa.store.put(Rig.NAME, pem(pairs.get(0).getPrivate()));
            rsa.clock.advance(Duration.ofHours(1));
            rsa.store.put(Rig.NAME, pem(pairs.get(1).getPrivate()));
            rsa.store.add(
                    Rig.NAME,
                    StoredVersion.of("next", SecretValue.ofText(pem(pairs.get(2).getPrivate())))
                            .withNotBefore(rsa.clock.instant().plusSeconds(3600)));
            rsa.start();

            JWKSet published = JWKSet.parse(rs256.publicKeys());

            assertThat(published.getKeys()).hasSize(3).noneMatch(JWK::isPrivate);
            for (KeyPair pair : pairs) {
                String thumbprint = new RSAKey.Builder((RSAPublicKey) pair.getPublic())
                        .build()
                        .computeThumbprint()
                        .toString();
                assertThat(published.getKeyByKeyId(thumbprint).toRSAKey().toRSAPublicKey())
                        .isEqualTo(pair.getPublic());
            }
        }
    }
}
