package io.dualkey.benchmarks;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.security.GeneralSecurityException;
import java.security.KeyPair;
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
import org.openjdk.jmh.annotations.Warmup;

/**
 * What it costs to verify a signature over the text of a token, by provider; instances are reused. {@code
 * docs/benchmarks.md} has results.
 *
 * <pre>java -jar benchmarks/target/benchmarks.jar SignatureProvider -prof gc</pre>
 *
 * <p>Tink with another algorithm than Ed25519 is reported as failed.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
        value = 1,
        jvmArgsAppend = {"-Xmn64m", "-XX:+AlwaysPreTouch"})
public class SignatureProviderBenchmark {

    private static final int TEXTS = 64;

    /** Who computes. */
    @Param
    public SignatureProvider provider = SignatureProvider.JDK;

    /** What is computed. */
    @Param({"ES256", "ED25519"})
    public SignatureAlgorithm algorithm = SignatureAlgorithm.ES256;

    private final byte[][] texts = new byte[TEXTS][];
    private final byte[][] signatures = new byte[TEXTS][];
    private SignatureProvider.@Nullable Verification verification;
    private int next;

    /** Signs with the JDK, and checks that good and bad signatures are told apart. */
    @Setup
    public void sign() throws GeneralSecurityException {
        KeyPair keys = algorithm.newKeys();
        SignatureProvider.Verification made = provider.verification(algorithm, keys.getPublic());
        for (int i = 0; i < TEXTS; i++) {
            texts[i] = ("text " + i + " of a token").repeat(20).getBytes(US_ASCII);
            signatures[i] = algorithm.sign(keys.getPrivate(), texts[i]);
        }
        for (int i = 0; i < TEXTS; i++) {
            if (!made.isGood(texts[i], signatures[i]) || made.isGood(texts[i], signatures[(i + 1) % TEXTS])) {
                throw new IllegalStateException(provider + " does not verify " + algorithm);
            }
        }
        verification = made;
    }

    /** One good signature. */
    @Benchmark
    public boolean verify() throws GeneralSecurityException {
        int i = next++ & (TEXTS - 1);
        return Objects.requireNonNull(verification).isGood(texts[i], signatures[i]);
    }
}
