package io.dualkey.benchmarks;

import java.security.GeneralSecurityException;
import java.text.ParseException;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;

/** Who issues tokens: with a current key and the one before it. */
final class JwtIssuer {

    static final String ISSUER = "https://login.example.com";
    static final String AUDIENCE = "orders";

    final JwtAlgorithm algorithm;
    final JwtKey current;
    final JwtKey previous;

    private JwtIssuer(JwtAlgorithm algorithm, JwtKey current, JwtKey previous) {
        this.algorithm = algorithm;
        this.current = current;
        this.previous = previous;
    }

    static JwtIssuer of(JwtAlgorithm algorithm) throws GeneralSecurityException, ParseException {
        return new JwtIssuer(algorithm, JwtKey.random(algorithm), JwtKey.random(algorithm));
    }

    /** The subject of one of many tokens. */
    static String subject(int number) {
        return "user-%016d".formatted(number);
    }

    /** Ten claims, whose values are spelled in JSON. With HMAC and its header the token has about 450 characters. */
    static Map<String, String> claims(int number, Instant now) {
        Map<String, String> claims = new LinkedHashMap<>();
        claims.put("iss", quoted(ISSUER));
        claims.put("sub", quoted(subject(number)));
        claims.put("aud", quoted(AUDIENCE));
        claims.put("iat", Long.toString(now.getEpochSecond()));
        claims.put("nbf", Long.toString(now.getEpochSecond()));
        claims.put("exp", Long.toString(now.getEpochSecond() + 6 * 3600));
        claims.put("jti", quoted("%08x-%04x".formatted(number * 0x9E3779B1, number)));
        claims.put("scope", quoted("orders:read orders:write"));
        claims.put("roles", "[\"member\",\"editor\"]");
        claims.put("tenant", quoted("tenant-%03d.west1.example.com".formatted(number % 1000)));
        return claims;
    }

    static String quoted(String text) {
        return '"' + text + '"';
    }

    static String json(Map<String, String> members) {
        return members.entrySet().stream()
                .map(member -> quoted(member.getKey()) + ":" + member.getValue())
                .collect(Collectors.joining(",", "{", "}"));
    }
}
