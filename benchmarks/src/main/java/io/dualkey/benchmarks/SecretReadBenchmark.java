package io.dualkey.benchmarks;

import com.amazonaws.secretsmanager.caching.SecretCache;
import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.dualkey.secrets.InMemoryStore;
import io.dualkey.secrets.Rotating;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.SecretValue;
import io.dualkey.secrets.Versions;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Threads;
import org.openjdk.jmh.annotations.Warmup;

/**
 * P1: what a read of a warm secret costs, beside a plain volatile read, a lookup in a cache, and the caching client of AWS.
 *
 * <pre>java -jar benchmarks/target/benchmarks.jar SecretRead -prof gc</pre>
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
@Threads(2)
public class SecretReadBenchmark {

    private volatile String plain = "value";
    private final Cache<String, String> cache =
            Caffeine.newBuilder().maximumSize(100).build();
    private final SecretCache awsCache = new SecretCache(StubSecretsManager.holding(plain));
    private @Nullable SecretSource source;
    private @Nullable Rotating<String> secret;

    /** Loads all of them with the same value, and checks that they have it. */
    @Setup
    public void load() {
        InMemoryStore store = new InMemoryStore();
        store.put("key", plain);
        SecretSource loaded = SecretSource.from(store);
        Rotating<String> handle = loaded.secret("key").map(SecretValue::revealText);
        loaded.start(Duration.ofSeconds(10));
        cache.put("key", plain);
        source = loaded;
        secret = handle;
        if (!current().equals(plain)
                || !acceptedNow().equals(plain)
                || !plain.equals(caffeineGet())
                || !plain.equals(awsCachingGet())) {
            throw new IllegalStateException("the candidates do not have the same value");
        }
    }

    /** Ends the source's threads. */
    @TearDown
    public void close() {
        Objects.requireNonNull(source).close();
        awsCache.close();
    }

    /** The floor. */
    @Benchmark
    public String volatileRead() {
        return plain;
    }

    /** The value to use now. */
    @Benchmark
    public String current() {
        return Objects.requireNonNull(secret).current();
    }

    /** All accepted versions, filtered by the time as a verifier does. */
    @Benchmark
    public String acceptedNow() {
        Versions<String> versions = Objects.requireNonNull(secret).versions();
        long now = System.currentTimeMillis();
        for (int i = 0; i < versions.accepted().size(); i++) {
            if (versions.accepted().get(i).isAcceptedAt(now)) {
                return versions.accepted().get(i).value();
            }
        }
        throw new IllegalStateException("nothing is accepted");
    }

    /** A peer: what a cache in front of a vault costs when it is warm. */
    @Benchmark
    public @Nullable String caffeineGet() {
        return cache.getIfPresent("key");
    }

    /** A peer: {@code aws-secretsmanager-caching-java}, within the hour in which it does not ask the service again. */
    @Benchmark
    public @Nullable String awsCachingGet() {
        return awsCache.getSecretString("key");
    }
}
