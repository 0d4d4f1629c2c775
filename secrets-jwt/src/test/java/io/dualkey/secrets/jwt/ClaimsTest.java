package io.dualkey.secrets.jwt;

import static io.dualkey.secrets.jwt.Rig.rejected;
import static io.dualkey.secrets.jwt.Tokens.hmacKey;
import static io.dualkey.secrets.jwt.Tokens.hs256;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.dualkey.secrets.Role;
import java.math.BigInteger;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a verifier asks of claims, and how it hands them out. */
class ClaimsTest {

    private static final byte[] KEY = hmacKey(1);
    private static final long NOW = Rig.START.getEpochSecond();

    private final Rig rig = new Rig();

    @BeforeEach
    void start() {
        rig.put(KEY);
        rig.start();
    }

    @AfterEach
    void close() {
        rig.close();
    }

    private static String token(String... members) {
        return hs256(KEY, "{" + String.join(",", members) + "}");
    }

    private static String claim(String name, long value) {
        return "\"" + name + "\":" + value;
    }

    private static String claim(String name, String value) {
        return "\"" + name + "\":\"" + value + "\"";
    }

    private static final String EXP = claim("exp", NOW + 600);

    private void accepts(JwtVerifier.Builder verifier, String... members) {
        assertThat(verifier.build().check(token(members))).isInstanceOf(VerifiedJwt.class);
    }

    private void refuses(RejectionReason reason, JwtVerifier.Builder verifier, String... members) {
        assertThat(verifier.build().check(token(members))).isEqualTo(rejected(reason));
    }

    @Test
    void requiresAnExpirationUnlessToldOtherwise() {
        refuses(RejectionReason.MISSING_EXPIRATION, rig.hs256(), claim("sub", "alice"));
        accepts(rig.hs256().allowMissingExpiration(), claim("sub", "alice"));
        refuses(RejectionReason.EXPIRED, rig.hs256().allowMissingExpiration(), claim("exp", NOW - 61));
    }

    @Test
    void refusesFromTheMomentOfExpirationOnGiveOrTakeTheSkew() {
        accepts(rig.hs256(), claim("exp", NOW - 59));
        refuses(RejectionReason.EXPIRED, rig.hs256(), claim("exp", NOW - 60));
        accepts(rig.hs256().clockSkew(Duration.ZERO), claim("exp", NOW + 1));
        refuses(RejectionReason.EXPIRED, rig.hs256().clockSkew(Duration.ZERO), claim("exp", NOW));
    }

    @Test
    void countsFractionsOfSeconds() {
        accepts(rig.hs256().clockSkew(Duration.ZERO), "\"exp\":" + NOW + ".5");
        refuses(RejectionReason.EXPIRED, rig.hs256().clockSkew(Duration.ZERO), "\"exp\":" + (NOW - 1) + ".9");
        accepts(rig.hs256(), "\"exp\":1.9e9");
    }

    @Test
    void refusesBeforeTheTokenIsValidGiveOrTakeTheSkew() {
        accepts(rig.hs256(), EXP, claim("nbf", NOW + 60));
        refuses(RejectionReason.NOT_YET_VALID, rig.hs256(), EXP, claim("nbf", NOW + 61));
    }

    @Test
    void refusesTokensFromTheFutureGiveOrTakeTheSkew() {
        accepts(rig.hs256(), EXP, claim("iat", NOW + 60));
        refuses(RejectionReason.ISSUED_IN_FUTURE, rig.hs256(), EXP, claim("iat", NOW + 61));
    }

    @Test
    void requiresExactlyTheIssuer() {
        accepts(rig.hs256().issuer("https://a"), EXP, claim("iss", "https://a"));
        accepts(rig.hs256().issuer("https://a"), EXP, claim("iss", "https:\\/\\/\\u0061"));
        accepts(rig.hs256(), EXP, claim("iss", "https://b"));
        refuses(RejectionReason.WRONG_ISSUER, rig.hs256().issuer("https://a"), EXP);
        refuses(RejectionReason.WRONG_ISSUER, rig.hs256().issuer("https://a"), EXP, claim("iss", "https://a/"));
        refuses(RejectionReason.WRONG_ISSUER, rig.hs256().issuer("https://a"), EXP, claim("iss", "HTTPS://a"));
        refuses(RejectionReason.MALFORMED_CLAIMS, rig.hs256().issuer("https://a"), EXP, "\"iss\":[\"https://a\"]");
    }

    @Test
    void requiresOneOfTheAudiences() {
        accepts(rig.hs256().audience("web"), EXP, claim("aud", "web"));
        accepts(rig.hs256().audience("app", "web"), EXP, "\"aud\":[\"other\",\"web\"]");
        refuses(RejectionReason.WRONG_AUDIENCE, rig.hs256().audience("web"), EXP);
        refuses(RejectionReason.WRONG_AUDIENCE, rig.hs256().audience("web"), EXP, claim("aud", "webb"));
        refuses(RejectionReason.WRONG_AUDIENCE, rig.hs256().audience("web"), EXP, "\"aud\":[]");
        refuses(RejectionReason.MALFORMED_CLAIMS, rig.hs256().audience("web"), EXP, "\"aud\":[\"web\",1]");
        refuses(RejectionReason.MALFORMED_CLAIMS, rig.hs256().audience("web"), EXP, "\"aud\":{\"web\":1}");
    }

    @Test
    void refusesTokensMeantForOthersWhereNoAudienceWasConfigured() {
        accepts(rig.hs256(), EXP);
        refuses(RejectionReason.WRONG_AUDIENCE, rig.hs256(), EXP, claim("aud", "web"));
        accepts(rig.hs256().anyAudience(), EXP, claim("aud", "web"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\"exp\":\"1900000000\"",
                "\"exp\":null",
                "\"exp\":true",
                "\"exp\":-1",
                "\"exp\":1e300",
                "\"exp\":1900000000000",
                "\"exp\":99999999999999999999999",
                "\"exp\":[1900000000]",
                "\"exp\":1900000000,\"nbf\":\"0\"",
                "\"exp\":1900000000,\"iat\":{}",
                "\"exp\":1900000000,\"sub\":1",
                "\"exp\":1900000000,\"iss\":null",
            })
    void refusesRegisteredClaimsOfTheWrongType(String members) {
        refuses(RejectionReason.MALFORMED_CLAIMS, rig.hs256(), members);
    }

    @Test
    void handsOutRegisteredClaims() {
        VerifiedJwt jwt = rig.hs256()
                .audience("web")
                .build()
                .verify(token(
                        EXP,
                        claim("nbf", NOW),
                        claim("iat", NOW - 1),
                        claim("iss", "https://a"),
                        claim("sub", "Zo\u00eb \\ud83d\\ude00\\n"),
                        claim("jti", "42"),
                        "\"aud\":[\"web\",\"app\"]"));

        assertThat(jwt.subject()).contains("Zo\u00eb \ud83d\ude00\n");
        assertThat(jwt.issuer()).contains("https://a");
        assertThat(jwt.id()).contains("42");
        assertThat(jwt.audience()).containsExactly("web", "app");
        assertThat(jwt.expiresAt()).contains(Rig.START.plusSeconds(600));
        assertThat(jwt.notBefore()).contains(Rig.START);
        assertThat(jwt.issuedAt()).contains(Rig.START.minusSeconds(1));
    }

    @Test
    void handsOutEmptinessForAbsentClaims() {
        VerifiedJwt jwt = rig.hs256().allowMissingExpiration().build().verify(hs256(KEY, "{}"));

        assertThat(jwt.subject()).isEmpty();
        assertThat(jwt.issuer()).isEmpty();
        assertThat(jwt.id()).isEmpty();
        assertThat(jwt.audience()).isEmpty();
        assertThat(jwt.scopes()).isEmpty();
        assertThat(jwt.expiresAt()).isEmpty();
        assertThat(jwt.notBefore()).isEmpty();
        assertThat(jwt.issuedAt()).isEmpty();
        assertThat(jwt.claims()).isEmpty();
        assertThat(jwt.claim("x")).isEmpty();
    }

    @Test
    void handsOutAnyClaim() {
        VerifiedJwt jwt = rig.hs256()
                .build()
                .verify(token(
                        EXP,
                        "\"n\":-12",
                        "\"big\":123456789012345678901234567890",
                        "\"d\":1.5e1",
                        "\"b\":false",
                        "\"none\":null",
                        "\"o\":{\"a\":[1,\"x\",{}],\"t\":true}"));

        assertThat(jwt.claims())
                .isEqualTo(Map.of(
                        "exp",
                        NOW + 600,
                        "n",
                        -12L,
                        "big",
                        new BigInteger("123456789012345678901234567890"),
                        "d",
                        15.0,
                        "b",
                        false,
                        "o",
                        Map.of("a", Arrays.asList(1L, "x", Map.of()), "t", true)));
        assertThat(jwt.claim("n")).contains(-12L);
        assertThat(jwt.claim("none")).isEmpty();
        assertThat(jwt.claims()).isUnmodifiable();
    }

    @Test
    void handsOutScopesInTheFormsThatIssuersUse() {
        JwtVerifier verifier = rig.hs256().build();

        assertThat(verifier.verify(token(EXP, claim("scope", "read  write"))).scopes())
                .containsExactly("read", "write");
        assertThat(verifier.verify(token(EXP, claim("scp", "read write"))).scopes())
                .containsExactly("read", "write");
        assertThat(verifier.verify(token(EXP, "\"scp\":[\"read\",\"write\"]")).scopes())
                .isEqualTo(List.of("read", "write"));
        assertThat(verifier.verify(token(EXP, claim("scope", ""))).scopes()).isEmpty();
    }

    @Test
    void asksTheServicesOwnConditionsLast() {
        List<String> asked = new ArrayList<>();
        JwtVerifier.Builder verifier = rig.hs256()
                .require(jwt -> asked.add(jwt.subject().orElse("")))
                .require(jwt -> jwt.claim("tenant").equals(Optional.of("a")))
                .require(jwt -> jwt.scopes().contains("read"));

        accepts(verifier, EXP, claim("sub", "alice"), claim("tenant", "a"), claim("scope", "read write"));
        refuses(RejectionReason.REQUIREMENT_NOT_MET, verifier, EXP, claim("sub", "bob"), claim("tenant", "b"));
        refuses(RejectionReason.REQUIREMENT_NOT_MET, verifier, EXP, claim("sub", "carol"), claim("tenant", "a"));
        refuses(RejectionReason.EXPIRED, verifier, claim("exp", 1), claim("sub", "dave"), claim("tenant", "a"));

        assertThat(asked).containsExactly("alice", "bob", "carol");
        assertThat(rig.secret.status().uses()).containsEntry(Role.CURRENT, 1L);
    }

    @Test
    void whatAConditionThrowsReachesTheCaller() {
        JwtVerifier verifier = rig.hs256()
                .require(jwt -> {
                    throw new IllegalStateException("the directory is down");
                })
                .build();

        assertThatIllegalStateException().isThrownBy(() -> verifier.check(token(EXP)));
    }

    @Test
    void handsOutTheHeader() {
        String header = "{\"alg\":\"HS256\",\"kid\":\"k\",\"typ\":\"at+jwt\",\"x\":[1,{\"y\":null}]}";

        VerifiedJwt jwt = rig.hs256().build().verify(hs256(KEY, header, "{" + EXP + "}"));

        assertThat(jwt.header())
                .isEqualTo(Map.of("alg", "HS256", "kid", "k", "typ", "at+jwt", "x", List.of(1L, Map.of())));
    }

    @Test
    void throwsWithTheReasonAndWithoutAStackTrace() {
        JwtVerifier verifier = rig.hs256().build();

        JwtRejectedException refusal =
                catchThrowableOfType(JwtRejectedException.class, () -> verifier.verify(token(claim("exp", 1))));

        assertThat(refusal.reason()).isEqualTo(RejectionReason.EXPIRED);
        assertThat(refusal).hasMessage("The token is refused: it has expired");
        assertThat(refusal.getStackTrace()).isEmpty();
    }

    @Test
    void refusesSettingsThatMakeNoSense() {
        JwtVerifier.Builder builder = rig.hs256();

        assertThatIllegalArgumentException()
                .isThrownBy(() -> builder.issuer(" "))
                .withMessageContaining("issuer");
        assertThatIllegalArgumentException().isThrownBy(builder::audience).withMessageContaining("audience");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> builder.clockSkew(Duration.ofSeconds(-1)))
                .withMessageContaining("clockSkew");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> builder.refreshWait(Duration.ofHours(1)))
                .withMessageContaining("refreshWait");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> builder.maxLength(0))
                .withMessageContaining("maxLength");
    }
}
