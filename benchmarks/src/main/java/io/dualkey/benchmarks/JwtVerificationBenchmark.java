package io.dualkey.benchmarks;

import java.security.GeneralSecurityException;
import java.text.ParseException;
import java.time.Instant;
import java.util.Objects;
import java.util.Set;
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
 * What it costs to verify a token that was not seen before: signature, {@code exp}, {@code nbf}, {@code iss} and {@code
 * aud}, and reading {@code sub}. Tokens have ten claims, and the issuer two keys told apart by {@code kid}. {@code
 * docs/benchmarks.md} has results; {@code JwtLibraryTest} holds what each library accepts and refuses.
 *
 * <pre>java -jar benchmarks/target/benchmarks.jar JwtVerification -prof gc -p algorithm=HS256</pre>
 *
 * <p>A library that does not verify an algorithm is reported as failed; {@code benchmarks/run} leaves it out.
 *
 * <p>The young generation is small and touched beforehand: else the first touch of each page of memory is measured.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
        value = 3,
        jvmArgsAppend = {"-Xmn64m", "-XX:+AlwaysPreTouch"})
public class JwtVerificationBenchmark {

    /** Which tokens. */
    public enum Scenario {
        /** Signed with the current key, each another one. */
        CURRENT,
        /** One token over and over. */
        SAME_TOKEN,
        /** Signed with the key before. */
        PREVIOUS,
        /** Under the {@code kid} of the current key, with a signature that is not its own. */
        BAD_SIGNATURE
    }

    /** The tokens, and a verifier for all threads. */
    @State(Scope.Benchmark)
    public static class Tokens {

        /** Who verifies. */
        @Param
        public JwtLibrary library = JwtLibrary.DUALKEY;

        /** How tokens are signed. */
        @Param
        public JwtAlgorithm algorithm = JwtAlgorithm.HS256;

        /** Which tokens are verified. */
        @Param
        public Scenario scenario = Scenario.CURRENT;

        private TokenSample[] samples = {};
        private @Nullable JwtIssuer issuer;
        private @Nullable TokenVerifier shared;

        /** Signs, and checks that each token is accepted or refused as it should be, and that flawed ones are refused. */
        @Setup
        public void sign() throws GeneralSecurityException, ParseException {
            if (!library.supports(algorithm)) {
                throw new IllegalStateException(library + " does not verify " + algorithm.headerName());
            }
            JwtIssuer made = JwtIssuer.of(algorithm);
            samples = new TokenSample[algorithm.tokens()];
            JwtKey key = scenario == Scenario.PREVIOUS ? made.previous : made.current;
            Instant now = Instant.now();
            for (int i = 0; i < samples.length; i++) {
                String token = key.sign(key.header(), JwtIssuer.json(JwtIssuer.claims(number(i), now)));
                samples[i] = new TokenSample(scenario == Scenario.BAD_SIGNATURE ? spoilt(token) : token, key);
            }
            issuer = made;
            TokenVerifier verifier = library.verifier(made);
            // The first tokens of an issuer are good ones.
            verifier.subject(new TokenSample(
                    made.current.sign(made.current.header(), JwtIssuer.json(JwtIssuer.claims(0, now))), made.current));
            for (int i = 0; i < samples.length; i++) {
                String expected = scenario == Scenario.BAD_SIGNATURE ? null : expected(i);
                if (!Objects.equals(verifier.subject(samples[i]), expected)) {
                    throw new IllegalStateException(library + " does not judge as it should: " + scenario);
                }
            }
            Set<JwtFlaw> flaws = library == JwtLibrary.RAW ? JwtFlaw.OF_SIGNATURES : JwtFlaw.DECISIVE;
            for (JwtFlaw flaw : flaws) {
                if (verifier.subject(new TokenSample(flaw.in(made), made.current)) != null) {
                    throw new IllegalStateException(library + " accepts a token with " + flaw);
                }
            }
            shared = verifier;
        }

        private int number(int sample) {
            return scenario == Scenario.SAME_TOKEN ? 0 : sample;
        }

        private String expected(int sample) {
            return library == JwtLibrary.RAW ? "" : JwtIssuer.subject(number(sample));
        }

        /** Ends its threads. */
        @TearDown
        public void close() {
            Objects.requireNonNull(shared).close();
        }
    }

    /** Another character in the midst of the signature, which stays as long and as canonical as it was. */
    static String spoilt(String token) {
        int position = token.lastIndexOf('.') + 20;
        char other = token.charAt(position) == 'A' ? 'B' : 'A';
        return token.substring(0, position) + other + token.substring(position + 1);
    }

    /** What each thread has for itself. */
    @State(Scope.Thread)
    public static class Caller {

        private @Nullable TokenVerifier verifier;
        private int next;

        /** Takes the shared verifier, or one of its own where threads must not share. */
        @Setup
        public void take(Tokens tokens) throws GeneralSecurityException {
            verifier = tokens.library.shareable()
                    ? tokens.shared
                    : tokens.library.verifier(Objects.requireNonNull(tokens.issuer));
        }
    }

    /** One token. */
    @Benchmark
    public @Nullable String verify(Tokens tokens, Caller caller) {
        TokenSample sample = tokens.samples[caller.next++ & (tokens.samples.length - 1)];
        return Objects.requireNonNull(caller.verifier).subject(sample);
    }
}
