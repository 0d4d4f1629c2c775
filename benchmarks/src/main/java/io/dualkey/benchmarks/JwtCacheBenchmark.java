package io.dualkey.benchmarks;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.security.GeneralSecurityException;
import java.text.ParseException;
import java.time.Instant;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What a token costs that the verifier knows from its cache, and reading {@code sub}. Each operation makes a String of its
 * own, as a server does, whose hash is not yet computed; what that alone costs is measured beside.
 *
 * <pre>java -jar benchmarks/target/benchmarks.jar JwtCache -prof gc</pre>
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
        value = 3,
        jvmArgsAppend = {"-Xmn64m", "-XX:+AlwaysPreTouch"})
public class JwtCacheBenchmark {

    private static final int TOKENS = 4096;
    private static final long ROOM = 64 << 20;

    /** How tokens are signed. */
    @Param({"HS256", "ES256"})
    public JwtAlgorithm algorithm = JwtAlgorithm.HS256;

    private final byte[][] tokens = new byte[TOKENS][];
    private @Nullable DualkeyVerifier verifier;
    private int next;

    /** Signs, shows each token to the verifier, and checks that it then knows them and still tells others apart. */
    @Setup
    public void fill() throws GeneralSecurityException, ParseException {
        JwtIssuer issuer = JwtIssuer.of(algorithm);
        DualkeyVerifier made = new DualkeyVerifier(issuer, builder -> builder.cache(ROOM));
        Instant now = Instant.now();
        for (int i = 0; i < TOKENS; i++) {
            String token = issuer.current.sign(issuer.current.header(), JwtIssuer.json(JwtIssuer.claims(i, now)));
            tokens[i] = token.getBytes(ISO_8859_1);
            for (int twice = 0; twice < 2; twice++) {
                if (!JwtIssuer.subject(i).equals(made.subject(token(i)))) {
                    throw new IllegalStateException("a good token is refused");
                }
            }
            if (i < 64 && made.subject(JwtVerificationBenchmark.spoilt(token)) != null) {
                throw new IllegalStateException("another signature is accepted");
            }
        }
        verifier = made;
    }

    /** Ends its threads. */
    @TearDown
    public void close() {
        Objects.requireNonNull(verifier).close();
    }

    private String token(int number) {
        return new String(tokens[number], ISO_8859_1);
    }

    /** The String alone. */
    @Benchmark
    public String newString() {
        return token(next++ & (TOKENS - 1));
    }

    /** The String, and the token that it is. */
    @Benchmark
    public @Nullable String newStringAndHit() {
        return Objects.requireNonNull(verifier).subject(token(next++ & (TOKENS - 1)));
    }
}
