package io.dualkey.benchmarks;

import java.security.GeneralSecurityException;
import java.security.Provider;
import java.text.ParseException;
import java.time.Instant;
import java.util.EnumSet;
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
 * What the library adds to the raw signature, for tokens that were not seen before: a security provider takes each
 * signature for good at once, and all else is as in {@link JwtVerificationBenchmark}.
 *
 * <pre>java -jar benchmarks/target/benchmarks.jar JwtOverhead -prof gc</pre>
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
        value = 3,
        jvmArgsAppend = {"-Xmn64m", "-XX:+AlwaysPreTouch"})
public class JwtOverheadBenchmark {

    private static final int TOKENS = 4096;

    /** How tokens are signed. */
    @Param({"RS256", "ES256", "EDDSA"})
    public JwtAlgorithm algorithm = JwtAlgorithm.RS256;

    private final String[] tokens = new String[TOKENS];
    private @Nullable DualkeyVerifier verifier;
    private int next;

    /** Signs, and checks that all but the arithmetic is done. */
    @Setup
    public void sign() throws GeneralSecurityException, ParseException {
        JwtIssuer issuer = JwtIssuer.of(algorithm);
        Provider provider = new NoArithmetic();
        DualkeyVerifier made = new DualkeyVerifier(issuer, builder -> builder.provider(provider));
        Instant now = Instant.now();
        for (int i = 0; i < TOKENS; i++) {
            tokens[i] = issuer.current.sign(issuer.current.header(), JwtIssuer.json(JwtIssuer.claims(i, now)));
            if (!JwtIssuer.subject(i).equals(made.subject(tokens[i]))) {
                throw new IllegalStateException("a good token is refused");
            }
        }
        for (JwtFlaw flaw : EnumSet.allOf(JwtFlaw.class)) {
            boolean arithmetic = flaw == JwtFlaw.BAD_SIGNATURE || flaw == JwtFlaw.TAMPERED_CLAIMS;
            // With an unknown kid all keys are tried, and here each takes the signature for its own.
            if ((made.subject(flaw.in(issuer)) != null) != (arithmetic || flaw == JwtFlaw.UNKNOWN_KEY)) {
                throw new IllegalStateException("does not judge as it should: " + flaw);
            }
        }
        verifier = made;
    }

    /** Ends its threads. */
    @TearDown
    public void close() {
        Objects.requireNonNull(verifier).close();
    }

    /** One token. */
    @Benchmark
    public @Nullable String verify() {
        return Objects.requireNonNull(verifier).subject(tokens[next++ & (TOKENS - 1)]);
    }
}
