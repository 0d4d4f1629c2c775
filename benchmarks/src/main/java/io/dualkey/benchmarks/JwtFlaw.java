package io.dualkey.benchmarks;

import static io.dualkey.benchmarks.JwtIssuer.quoted;

import java.security.GeneralSecurityException;
import java.text.ParseException;
import java.time.Instant;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;

/** What may be wrong with a token. */
enum JwtFlaw {
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
    LOOSE_BITS_IN_BASE64;

    /** What whoever looks at the signature alone refuses. */
    static final Set<JwtFlaw> OF_SIGNATURES = EnumSet.of(BAD_SIGNATURE, TAMPERED_CLAIMS, ALGORITHM_NONE);
    /** What every library must refuse, or it is not measured. */
    static final Set<JwtFlaw> DECISIVE =
            EnumSet.of(BAD_SIGNATURE, TAMPERED_CLAIMS, ALGORITHM_NONE, EXPIRED, WRONG_AUDIENCE);

    /** Returns a token of this issuer that has the flaw. */
    String in(JwtIssuer issuer) throws GeneralSecurityException, ParseException {
        Instant now = Instant.now();
        JwtKey key = issuer.current;
        Map<String, String> claims = JwtIssuer.claims(7, now);
        String good = key.sign(key.header(), JwtIssuer.json(claims));
        return switch (this) {
            case BAD_SIGNATURE -> JwtVerificationBenchmark.spoilt(good);
            case TAMPERED_CLAIMS -> {
                String other = key.sign(key.header(), JwtIssuer.json(JwtIssuer.claims(8, now)));
                yield other.substring(0, other.lastIndexOf('.')) + good.substring(good.lastIndexOf('.'));
            }
            case ALGORITHM_NONE -> {
                String token =
                        key.sign(key.header().replace(key.algorithm.headerName(), "none"), JwtIssuer.json(claims));
                yield token.substring(0, token.lastIndexOf('.') + 1);
            }
            case UNKNOWN_KEY -> {
                JwtKey stranger = JwtKey.random(key.algorithm);
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

    private static String with(JwtKey key, Map<String, String> claims, String name, String value)
            throws GeneralSecurityException {
        claims.put(name, value);
        return key.sign(key.header(), JwtIssuer.json(claims));
    }
}
