package io.dualkey.secrets.jwt;

import static io.dualkey.secrets.jwt.Tokens.base64Url;
import static io.dualkey.secrets.jwt.Tokens.hmacKey;
import static io.dualkey.secrets.jwt.Tokens.macced;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.proc.BadJOSEException;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jose.proc.SingleKeyJWSKeySelector;
import com.nimbusds.jose.util.JSONObjectUtils;
import com.nimbusds.jwt.proc.DefaultJWTClaimsVerifier;
import com.nimbusds.jwt.proc.DefaultJWTProcessor;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.CodingErrorAction;
import java.text.ParseException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Base64;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Mutates good tokens, for a short while in the ordinary build, for some minutes in the profile {@code fuzz}, and for as
 * long as one likes with {@code -Dfuzz.millis=120000}, which is the time of each test. A failure names the seed.
 */
class FuzzTest {

    private static final long NANOS =
            Duration.ofMillis(Long.getLong("fuzz.millis", 400)).toNanos();
    /** So that each rule has its turn, however slow the machine. */
    private static final int LEAST_SEEDS = 3000;

    private static final byte[] KEY = hmacKey(1);
    private static final String CLAIMS =
            "{\"iss\":\"https:\\/\\/a\",\"sub\":\"al\\u0069ce \u00e4\",\"aud\":[\"web\",\"app\"],"
                    + "\"exp\":1900000000,\"nbf\":1.7e9,\"iat\":0,\"o\":{\"a\":[1,-2.5,true,null]},\"e\":\"\\ud83d\\ude00\"}";

    private final Rig rig = new Rig();

    @AfterEach
    void close() {
        rig.close();
    }

    @ParameterizedTest
    @EnumSource(names = {"HS256", "HS512", "RS256", "PS384", "ES256", "EDDSA"})
    void neverAcceptsAMutatedToken(JwsAlgorithm algorithm) {
        TestKey key = TestKey.of(algorithm);
        rig.store.put(Rig.NAME, key.document());
        JwtVerifier verifier = key.verifier(rig).audience("web").cache(1 << 16).build();
        rig.start();

        String header = "{\"alg\":\"" + algorithm.headerName() + "\",\"kid\":\"x\",\"typ\":\"JWT\"}";
        mutate(verifier, key.token(header, CLAIMS));
    }

    private static void mutate(JwtVerifier verifier, String token) {
        assertThat(verifier.check(token)).isInstanceOf(VerifiedJwt.class);
        long end = System.nanoTime() + NANOS;
        for (long seed = 0; System.nanoTime() < end; seed++) {
            String mutant = mutant(new Random(seed), token);
            if (mutant.equals(token)) {
                continue;
            }
            try {
                verifier.verify(mutant);
                fail("accepted the mutant of seed %d: %s", seed, mutant);
            } catch (JwtRejectedException refused) {
                assertThat(refused.reason()).isNotNull();
            } catch (RuntimeException unexpected) {
                fail("seed " + seed + ": " + mutant, unexpected);
            }
        }
    }

    private static String mutant(Random random, String token) {
        StringBuilder text = new StringBuilder(token);
        int mutations = 1 + random.nextInt(3);
        for (int i = 0; i < mutations && text.length() > 0; i++) {
            int at = random.nextInt(text.length());
            switch (random.nextInt(7)) {
                case 0 -> text.setCharAt(at, (char) random.nextInt(128));
                case 1 -> text.setCharAt(at, (char) (text.charAt(at) ^ 1 << random.nextInt(16)));
                case 2 -> text.deleteCharAt(at);
                case 3 -> text.insert(at, (char) random.nextInt(0x300));
                case 4 -> text.insert(at, text.substring(at, Math.min(text.length(), at + random.nextInt(40))));
                case 5 -> text.setLength(at);
                default -> text.insert(at, "=.\n AAAA".charAt(random.nextInt(8)));
            }
        }
        return text.toString();
    }

    /** Signs what it mutated, so that the claims are read: whatever is accepted must be read again to the same result. */
    @Test
    void readsMutatedClaimsOrRefusesThem() {
        rig.put(KEY);
        JwtVerifier verifier =
                rig.hs256().allowMissingExpiration().anyAudience().build();
        rig.start();
        String header = base64Url("{\"alg\":\"HS256\"}");
        long end = System.nanoTime() + NANOS;
        for (long seed = 0; System.nanoTime() < end; seed++) {
            byte[] claims = mutant(new Random(seed), CLAIMS.getBytes(UTF_8));
            String token = macced(KEY, header + "." + base64Url(claims));
            try {
                if (verifier.check(token) instanceof VerifiedJwt jwt) {
                    Map<String, Object> all = jwt.claims();
                    assertThat(jwt.subject().map(Object.class::cast)).isEqualTo(jwt.claim("sub"));
                    assertThat(jwt.expiresAt().isPresent()).isEqualTo(all.containsKey("exp"));
                }
            } catch (RuntimeException | AssertionError unexpected) {
                fail("seed " + seed + ": " + token, unexpected);
            }
        }
    }

    /** What ours asks for and Nimbus does not, each found without the code under test. */
    private enum Rule {
        CANONICAL_BASE64,
        STRICT_JSON,
        PAIRED_SURROGATES,
        NO_EXTENSION,
        HEADER_TYPES,
        CLAIM_TYPES,
        DEPTH,
        EXPIRATION_REQUIRED,
        NOT_FROM_THE_FUTURE,
        AUDIENCE_NAMED
    }

    /** Nimbus compares typ only with JWT unless told otherwise; ours knows access tokens as well. */
    private static final Set<String> TYPES = Set.of("jwt", "at+jwt", "application/jwt", "application/at+jwt");

    /** Mutates header and claims before they are signed, and the text afterwards, and asks Nimbus about the same token. */
    @Test
    void disagreesWithNimbusOnlyByRulesThatHaveAName() {
        rig.put(KEY);
        JwtVerifier verifier = JwtVerifier.hs256(rig.secret, KeyFormat.BASE64)
                .audience("web")
                .refreshWait(Duration.ZERO)
                .build();
        rig.start();
        var nimbus = new DefaultJWTProcessor<SecurityContext>();
        nimbus.setJWSKeySelector(
                new SingleKeyJWSKeySelector<>(JWSAlgorithm.HS256, new SecretKeySpec(KEY, "HmacSHA256")));
        nimbus.setJWTClaimsSetVerifier(new DefaultJWTClaimsVerifier<>("web", null, Set.of()));
        nimbus.setJWSTypeVerifier((type, context) -> {});
        Map<Rule, Integer> explained = new EnumMap<>(Rule.class);
        String header = "{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"k\",\"x\":{\"y\":[1,null]}}";
        int accepted = 0;
        long end = System.nanoTime() + 2 * NANOS;
        for (long seed = 0; seed < LEAST_SEEDS || System.nanoTime() < end; seed++) {
            Random random = new Random(seed);
            byte[] claims = CLAIMS.getBytes(UTF_8);
            byte[] head = header.getBytes(UTF_8);
            int kind = random.nextInt(4);
            claims = kind == 0 ? claims : kind == 1 ? mutant(random, claims) : spliced(random, claims);
            head = random.nextInt(3) == 0 ? spliced(random, head) : head;
            String token = macced(KEY, base64Url(head) + "." + base64Url(claims));
            if (random.nextInt(4) == 0) {
                token = mutant(random, token);
            } else if (random.nextInt(4) == 0) { // sloppy, and signed all the same
                token = macced(KEY, mutant(random, token.substring(0, token.lastIndexOf('.'))));
            }
            boolean theirs = acceptedBy(nimbus, token);
            JwtResult ours = verifier.check(token);
            if (ours instanceof VerifiedJwt) {
                accepted++;
                if (!theirs && !hasKeyInHeader(token)) {
                    fail("seed %d: Nimbus refuses and ours accepts %s", seed, token);
                }
            } else if (theirs) {
                Rule rule = rule(token);
                if (rule == null) {
                    fail("seed %d: no rule explains why ours refuses %s: %s", seed, token, ours);
                } else {
                    explained.merge(rule, 1, Integer::sum);
                }
            }
        }
        assertThat(accepted).isPositive();
        assertThat(explained).containsKeys(Rule.CANONICAL_BASE64, Rule.NO_EXTENSION, Rule.EXPIRATION_REQUIRED);
    }

    private static boolean acceptedBy(DefaultJWTProcessor<SecurityContext> nimbus, String token) {
        try {
            return nimbus.process(token, null) != null;
        } catch (ParseException | BadJOSEException | JOSEException | RuntimeException refused) {
            return false;
        }
    }

    /** Nimbus reads keys and addresses in headers and refuses those it cannot read; to ours they mean nothing. */
    private static boolean hasKeyInHeader(String token) {
        Map<String, Object> head = members(Base64.getUrlDecoder().decode(token.substring(0, token.indexOf('.'))));
        return Stream.of("jwk", "jku", "x5u", "x5c", "x5t", "x5t#S256").anyMatch(head::containsKey);
    }

    private static Rule rule(String token) {
        String[] parts = token.split("\\.", -1);
        byte[][] decoded = new byte[3][];
        for (int i = 0; i < 3; i++) {
            try {
                decoded[i] = Base64.getUrlDecoder().decode(parts[i]);
            } catch (IllegalArgumentException foreign) {
                return Rule.CANONICAL_BASE64;
            }
            if (!base64Url(decoded[i]).equals(parts[i])) {
                return Rule.CANONICAL_BASE64;
            }
        }
        if (!isStrictJson(decoded[0]) || !isStrictJson(decoded[1])) {
            return Rule.STRICT_JSON;
        }
        String text = new String(decoded[0], UTF_8) + new String(decoded[1], UTF_8);
        if (Pattern.compile("\\\\u[dD][89a-fA-F]").matcher(text).find()
                && text.replaceAll("\\\\u[dD][89abAB]..\\\\u[dD][c-fC-F]", "").matches("(?s).*\\\\u[dD][89a-fA-F].*")) {
            return Rule.PAIRED_SURROGATES;
        }
        Map<String, Object> head = members(decoded[0]);
        Map<String, Object> claims = members(decoded[1]);
        if (head.containsKey("crit") || head.containsKey("b64")) {
            return Rule.NO_EXTENSION;
        }
        Object type = head.get("typ");
        boolean typeAccepted = !head.containsKey("typ")
                || (type instanceof String named && TYPES.contains(named.toLowerCase(Locale.ROOT)));
        if (!typeAccepted || (head.containsKey("kid") && !(head.get("kid") instanceof String))) {
            return Rule.HEADER_TYPES;
        }
        for (String name : List.of("exp", "nbf", "iat")) {
            boolean date = claims.get(name) instanceof Number number
                    && number.doubleValue() >= 0
                    && number.doubleValue() <= 253402300799.0;
            if (claims.containsKey(name) && !date) {
                return Rule.CLAIM_TYPES;
            }
        }
        for (String name : List.of("iss", "sub", "jti")) {
            if (claims.containsKey(name) && !(claims.get(name) instanceof String)) {
                return Rule.CLAIM_TYPES;
            }
        }
        Object audience = claims.get("aud");
        boolean named = audience instanceof String
                || (audience instanceof List<?> list && list.stream().allMatch(String.class::isInstance));
        if (claims.containsKey("aud") && !named) {
            return Rule.CLAIM_TYPES;
        }
        if (!claims.containsKey("exp")) {
            return Rule.EXPIRATION_REQUIRED;
        }
        if (claims.get("iat") instanceof Number issued && issued.doubleValue() > System.currentTimeMillis() / 1000.0) {
            return Rule.NOT_FROM_THE_FUTURE;
        }
        return null;
    }

    /** By Jackson: one value, no duplicate members, well-formed UTF-8. */
    private static boolean isStrictJson(byte[] json) {
        try (JsonParser parser = new JsonFactoryBuilder()
                .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                .build()
                .createParser(new InputStreamReader(
                        new ByteArrayInputStream(json),
                        UTF_8.newDecoder().onMalformedInput(CodingErrorAction.REPORT)))) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                return false;
            }
            parser.skipChildren();
            return parser.nextToken() == null;
        } catch (IOException strict) {
            return false;
        }
    }

    private static Map<String, Object> members(byte[] json) {
        try {
            return JSONObjectUtils.parse(new String(json, UTF_8));
        } catch (ParseException nimbusReadItBefore) {
            throw new AssertionError(nimbusReadItBefore);
        }
    }

    /** With a member more, fewer or changed, and mostly still JSON. */
    private static byte[] spliced(Random random, byte[] json) {
        String[] additions = {
            "\"crit\":[\"b64\"]",
            "\"b64\":false",
            "\"exp\":1900000000",
            "\"exp\":\"1\"",
            "\"iat\":2900000000",
            "\"jti\":7",
            "\"typ\":\"at+jwt\"",
            "\"typ\":\"JOSE\"",
            "\"sub\":null",
            "\"aud\":\"web\"",
            "\"aud\":[\"web\",7]",
            "\"nbf\":null",
            "\"s\\u0075b\":\"b\"",
            "\"d\":\"\\ud800\"",
            "\"n\":1e999",
            "\"n\":-0",
            "\"n\":123456789012345678901234567890",
            "\"iss\":[]",
            "\"kid\":\"other\"",
            "\"kid\":1",
            "\"jwk\":{}",
            "\"exp\":1900000000.5",
            "\"exp\":19e8",
            "\"nbf\":-1"
        };
        String text = new String(json, UTF_8);
        switch (random.nextInt(5)) {
            case 0 -> text = text.replaceFirst("\"exp\":1900000000,", "");
            case 1 -> text = text + (random.nextBoolean() ? " " : "{}");
            case 2 -> text = text.replaceFirst("\"(exp|sub|aud|nbf|iat|typ|kid)\":", "\"z\":");
            default -> text = "{" + additions[random.nextInt(additions.length)] + "," + text.substring(1);
        }
        return text.getBytes(UTF_8);
    }

    private static byte[] mutant(Random random, byte[] claims) {
        byte[] text = claims.clone();
        String structure = "{}[]\":,\\u0eE+-. tfn";
        for (int i = 0; i <= random.nextInt(3); i++) {
            int at = random.nextInt(text.length);
            switch (random.nextInt(4)) {
                case 0 -> text[at] = (byte) random.nextInt(256);
                case 1 -> text[at] = (byte) structure.charAt(random.nextInt(structure.length()));
                case 2 -> text[at] ^= (byte) (1 << random.nextInt(8));
                default -> text = Arrays.copyOf(text, Math.max(1, at));
            }
        }
        return text;
    }
}
