package io.dualkey.benchmarks;

import static io.dualkey.benchmarks.JwtIssuer.quoted;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** All libraries do the work that is measured; where one accepts what it should not, it is said here. */
class JwtLibraryTest {

    /** What may be wrong with a token. */
    private enum Flaw {
        BAD_SIGNATURE,
        TAMPERED_CLAIMS,
        ALGORITHM_NONE,
        UNKNOWN_KEY,
        EXPIRED,
        NOT_YET_VALID,
        WRONG_ISSUER,
        WRONG_AUDIENCE,
        MISSING_EXPIRATION,
        UNKNOWN_CRITICAL_HEADER,
        DUPLICATE_CLAIM,
        BYTES_AFTER_CLAIMS,
        PADDED_BASE64,
        LOOSE_BITS_IN_BASE64
    }

    private static final Map<JwtAlgorithm, JwtIssuer> ISSUERS = new EnumMap<>(JwtAlgorithm.class);
    private static final Map<JwtAlgorithm, JwtKey> STRANGERS = new EnumMap<>(JwtAlgorithm.class);

    @BeforeAll
    static void makeKeys() throws Exception {
        for (JwtAlgorithm algorithm : JwtAlgorithm.values()) {
            ISSUERS.put(algorithm, JwtIssuer.of(algorithm));
            STRANGERS.put(algorithm, JwtKey.random(algorithm));
        }
    }

    private static Set<Flaw> acceptedBy(JwtLibrary library) {
        return switch (library) {
            case RAW ->
                EnumSet.complementOf(
                        EnumSet.of(Flaw.BAD_SIGNATURE, Flaw.TAMPERED_CLAIMS, Flaw.ALGORITHM_NONE, Flaw.UNKNOWN_KEY));
            case DUALKEY -> EnumSet.noneOf(Flaw.class);
            case NIMBUS -> EnumSet.of(Flaw.PADDED_BASE64, Flaw.LOOSE_BITS_IN_BASE64);
            case AUTH0, FUSIONAUTH ->
                EnumSet.of(
                        Flaw.MISSING_EXPIRATION,
                        Flaw.UNKNOWN_CRITICAL_HEADER,
                        Flaw.DUPLICATE_CLAIM,
                        Flaw.BYTES_AFTER_CLAIMS,
                        Flaw.PADDED_BASE64,
                        Flaw.LOOSE_BITS_IN_BASE64);
            case JJWT ->
                EnumSet.of(
                        Flaw.MISSING_EXPIRATION,
                        Flaw.BYTES_AFTER_CLAIMS,
                        Flaw.PADDED_BASE64,
                        Flaw.LOOSE_BITS_IN_BASE64);
            case SPRING -> EnumSet.of(Flaw.MISSING_EXPIRATION, Flaw.PADDED_BASE64, Flaw.LOOSE_BITS_IN_BASE64);
        };
    }

    private static String flawed(Flaw flaw, JwtIssuer issuer) throws Exception {
        Instant now = Instant.now();
        JwtKey key = issuer.current;
        Map<String, String> claims = JwtIssuer.claims(7, now);
        String good = key.sign(key.header(), JwtIssuer.json(claims));
        return switch (flaw) {
            case BAD_SIGNATURE -> JwtVerificationBenchmark.spoilt(good);
            case TAMPERED_CLAIMS -> {
                String other = key.sign(key.header(), JwtIssuer.json(JwtIssuer.claims(8, now)));
                yield other.substring(0, other.lastIndexOf('.')) + good.substring(good.lastIndexOf('.'));
            }
            case ALGORITHM_NONE -> {
                String token = key.sign(key.header().replace(key.algorithm.name(), "none"), JwtIssuer.json(claims));
                yield token.substring(0, token.lastIndexOf('.') + 1);
            }
            case UNKNOWN_KEY -> {
                JwtKey stranger = STRANGERS.get(key.algorithm);
                yield stranger.sign(stranger.header(), JwtIssuer.json(claims));
            }
            case EXPIRED -> with(key, claims, "exp", Long.toString(now.getEpochSecond() - 3600));
            case NOT_YET_VALID -> with(key, claims, "nbf", Long.toString(now.getEpochSecond() + 3600));
            case WRONG_ISSUER -> with(key, claims, "iss", quoted("https://other.example.com"));
            case WRONG_AUDIENCE -> with(key, claims, "aud", quoted("billing"));
            case MISSING_EXPIRATION -> {
                claims.remove("exp");
                yield key.sign(key.header(), JwtIssuer.json(claims));
            }
            case UNKNOWN_CRITICAL_HEADER -> {
                String header = key.header().replace("}", ",\"crit\":[\"urn:unknown\"],\"urn:unknown\":1}");
                yield key.sign(header, JwtIssuer.json(claims));
            }
            case DUPLICATE_CLAIM -> {
                String twice = JwtIssuer.json(claims).replace("}", ",\"sub\":" + quoted(JwtIssuer.subject(7)) + "}");
                yield key.sign(key.header(), twice);
            }
            case BYTES_AFTER_CLAIMS -> key.sign(key.header(), JwtIssuer.json(claims) + "{}");
            case PADDED_BASE64 -> good + "=".repeat(Math.floorMod(-(good.length() - good.lastIndexOf('.') - 1), 4));
            case LOOSE_BITS_IN_BASE64 -> {
                String alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
                int last = good.length() - 1;
                yield good.substring(0, last) + alphabet.charAt(alphabet.indexOf(good.charAt(last)) ^ 1);
            }
        };
    }

    private static String with(JwtKey key, Map<String, String> claims, String name, String value) throws Exception {
        claims.put(name, value);
        return key.sign(key.header(), JwtIssuer.json(claims));
    }

    @ParameterizedTest
    @EnumSource
    void goodTokensOfBothKeysAreAccepted(JwtLibrary library) throws Exception {
        for (JwtAlgorithm algorithm : JwtAlgorithm.values()) {
            JwtIssuer issuer = ISSUERS.get(algorithm);
            try (TokenVerifier verifier = library.verifier(issuer)) {
                for (JwtKey key : new JwtKey[] {issuer.current, issuer.previous}) {
                    String token = key.sign(key.header(), JwtIssuer.json(JwtIssuer.claims(7, Instant.now())));

                    assertThat(verifier.subject(new TokenSample(token, key)))
                            .as("%s by %s", algorithm, library)
                            .isEqualTo(library == JwtLibrary.RAW ? "" : JwtIssuer.subject(7));
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void flawedTokensAreRefusedByAllButThoseNamed(JwtLibrary library) throws Exception {
        for (JwtAlgorithm algorithm : JwtAlgorithm.values()) {
            JwtIssuer issuer = ISSUERS.get(algorithm);
            Set<Flaw> accepted = EnumSet.noneOf(Flaw.class);
            try (TokenVerifier verifier = library.verifier(issuer)) {
                for (Flaw flaw : Flaw.values()) {
                    if (verifier.subject(new TokenSample(flawed(flaw, issuer), issuer.current)) != null) {
                        accepted.add(flaw);
                    }
                }
            }
            assertThat(accepted).as("%s with %s", library, algorithm).isEqualTo(acceptedBy(library));
        }
    }

    /** The sizes that the figures are for. */
    @Test
    void tokensHaveTheSizeThatIsMeasured() throws Exception {
        JwtIssuer issuer = ISSUERS.get(JwtAlgorithm.HS256);
        Map<String, String> claims = JwtIssuer.claims(7, Instant.now());

        assertThat(claims).hasSize(10);
        assertThat(issuer.current.sign(issuer.current.header(), JwtIssuer.json(claims)))
                .hasSizeBetween(445, 455);
    }
}
