package io.dualkey.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Instant;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** All libraries do the work that is measured; where one accepts what it should not, it is said here. */
class JwtLibraryTest {

    private static final Map<JwtAlgorithm, JwtIssuer> ISSUERS = new EnumMap<>(JwtAlgorithm.class);

    @BeforeAll
    static void makeKeys() throws Exception {
        for (JwtAlgorithm algorithm : JwtAlgorithm.values()) {
            ISSUERS.put(algorithm, JwtIssuer.of(algorithm));
        }
    }

    private static List<JwtAlgorithm> algorithmsOf(JwtLibrary library) {
        return Stream.of(JwtAlgorithm.values()).filter(library::supports).toList();
    }

    /** Who is left out of a table cannot be measured at all. */
    @Test
    void onlyOursAndJjwtVerifyEdDsa() {
        for (JwtLibrary library : JwtLibrary.values()) {
            Set<JwtAlgorithm> unsupported = EnumSet.allOf(JwtAlgorithm.class);
            unsupported.removeAll(algorithmsOf(library));
            boolean with =
                    Set.of(JwtLibrary.RAW, JwtLibrary.DUALKEY, JwtLibrary.JJWT).contains(library);

            assertThat(unsupported).isEqualTo(with ? Set.of() : Set.of(JwtAlgorithm.EDDSA));
            for (JwtAlgorithm algorithm : unsupported) {
                assertThatIllegalArgumentException().isThrownBy(() -> library.verifier(ISSUERS.get(algorithm)));
            }
        }
    }

    private static Set<JwtFlaw> acceptedBy(JwtLibrary library) {
        return switch (library) {
            case RAW ->
                EnumSet.complementOf(EnumSet.of(
                        JwtFlaw.BAD_SIGNATURE, JwtFlaw.TAMPERED_CLAIMS, JwtFlaw.ALGORITHM_NONE, JwtFlaw.UNKNOWN_KEY));
            case DUALKEY -> EnumSet.noneOf(JwtFlaw.class);
            case NIMBUS -> EnumSet.of(JwtFlaw.PADDED_BASE64, JwtFlaw.LOOSE_BITS_IN_BASE64);
            case AUTH0, FUSIONAUTH ->
                EnumSet.of(
                        JwtFlaw.MISSING_EXPIRATION,
                        JwtFlaw.UNKNOWN_CRITICAL_HEADER,
                        JwtFlaw.DUPLICATE_CLAIM,
                        JwtFlaw.BYTES_AFTER_CLAIMS,
                        JwtFlaw.PADDED_BASE64,
                        JwtFlaw.LOOSE_BITS_IN_BASE64);
            case JJWT ->
                EnumSet.of(
                        JwtFlaw.MISSING_EXPIRATION,
                        JwtFlaw.BYTES_AFTER_CLAIMS,
                        JwtFlaw.PADDED_BASE64,
                        JwtFlaw.LOOSE_BITS_IN_BASE64);
            case SPRING -> EnumSet.of(JwtFlaw.MISSING_EXPIRATION, JwtFlaw.PADDED_BASE64, JwtFlaw.LOOSE_BITS_IN_BASE64);
        };
    }

    @ParameterizedTest
    @EnumSource
    void goodTokensOfBothKeysAreAccepted(JwtLibrary library) throws Exception {
        for (JwtAlgorithm algorithm : algorithmsOf(library)) {
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
        for (JwtAlgorithm algorithm : algorithmsOf(library)) {
            JwtIssuer issuer = ISSUERS.get(algorithm);
            Set<JwtFlaw> accepted = EnumSet.noneOf(JwtFlaw.class);
            try (TokenVerifier verifier = library.verifier(issuer)) {
                for (JwtFlaw flaw : JwtFlaw.values()) {
                    if (verifier.subject(new TokenSample(flaw.in(issuer), issuer.current)) != null) {
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
