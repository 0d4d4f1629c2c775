package io.dualkey.benchmarks;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.dualkey.secrets.InMemoryStore;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.jdbc.RotatingDataSource;
import java.sql.Connection;
import java.sql.SQLException;
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
import org.openjdk.jmh.annotations.Warmup;

/**
 * The cost of borrowing and returning a connection in the steady state: plain HikariCP, and the same below a
 * {@link RotatingDataSource}, with a driver that does nothing.
 *
 * <pre>java -jar benchmarks/target/benchmarks.jar BorrowBenchmark -prof gc</pre>
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 10, time = 1)
@Fork(3)
public class BorrowBenchmark {

    private @Nullable HikariDataSource plain;
    private @Nullable SecretSource secrets;
    private @Nullable RotatingDataSource rotating;

    /** Makes both pools of one configuration. */
    @Setup
    public void open() {
        StubDriver.register();
        HikariConfig config = new HikariConfig();
        config.setMaximumPoolSize(10);
        HikariConfig own = new HikariConfig();
        config.copyStateTo(own);
        own.setJdbcUrl(StubDriver.URL);
        own.setUsername("app");
        own.setPassword("pw");
        plain = new HikariDataSource(own);

        InMemoryStore store = new InMemoryStore();
        store.put("db", StubDriver.URL + "?user=app&password=pw");
        SecretSource source = SecretSource.from(store);
        secrets = source;
        rotating = RotatingDataSource.over(config, source.secret("db"));
        source.start(Duration.ofSeconds(10));
        if (!plain().equals(rotating())) {
            throw new IllegalStateException("the two do not do the same");
        }
    }

    /** Closes both pools. */
    @TearDown
    public void close() {
        Objects.requireNonNull(rotating).close();
        Objects.requireNonNull(secrets).close();
        Objects.requireNonNull(plain).close();
    }

    /** {@return the user of a connection of plain HikariCP} */
    @Benchmark
    public String plain() {
        try (Connection connection = Objects.requireNonNull(plain).getConnection()) {
            return connection.getSchema();
        } catch (SQLException failure) {
            throw new IllegalStateException(failure);
        }
    }

    /** {@return the user of a connection of the rotating data source} */
    @Benchmark
    public String rotating() {
        try (Connection connection = Objects.requireNonNull(rotating).getConnection()) {
            return connection.getSchema();
        } catch (SQLException failure) {
            throw new IllegalStateException(failure);
        }
    }
}
