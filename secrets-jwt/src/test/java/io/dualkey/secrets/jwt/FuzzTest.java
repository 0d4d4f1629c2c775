package io.dualkey.secrets.jwt;

import static io.dualkey.secrets.jwt.Tokens.base64Url;
import static io.dualkey.secrets.jwt.Tokens.hmacKey;
import static io.dualkey.secrets.jwt.Tokens.macced;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.security.KeyPair;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Mutates good tokens for a short while. A failure names the seed. */
class FuzzTest {

    private static final long NANOS = Duration.ofSeconds(1).toNanos();
    private static final byte[] KEY = hmacKey(1);
    private static final String CLAIMS =
            "{\"iss\":\"https:\\/\\/a\",\"sub\":\"al\\u0069ce \u00e4\",\"aud\":[\"web\",\"app\"],"
                    + "\"exp\":1900000000,\"nbf\":1.7e9,\"iat\":0,\"o\":{\"a\":[1,-2.5,true,null]},\"e\":\"\\ud83d\\ude00\"}";

    private final Rig rig = new Rig();

    @AfterEach
    void close() {
        rig.close();
    }

    @Test
    void neverAcceptsAMutatedHs256Token() {
        rig.put(KEY);
        JwtVerifier verifier = rig.hs256().audience("web").build();
        rig.start();

        mutate(verifier, Tokens.hs256(KEY, "{\"alg\":\"HS256\",\"kid\":\"x\",\"typ\":\"JWT\"}", CLAIMS));
    }

    @Test
    void neverAcceptsAMutatedRs256Token() {
        KeyPair pair = Tokens.rsaKeys(2048);
        rig.store.put(Rig.NAME, Tokens.pem(pair.getPublic()));
        JwtVerifier verifier =
                JwtVerifier.rs256(rig.secret).clock(rig.clock).audience("web").build();
        rig.start();

        mutate(verifier, Tokens.rs256(pair.getPrivate(), "{\"alg\":\"RS256\",\"kid\":\"x\",\"typ\":\"JWT\"}", CLAIMS));
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
