package io.dualkey.benchmarks;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import com.zaxxer.hikari.util.Credentials;
import io.dualkey.secrets.InMemoryStore;
import io.dualkey.secrets.RefreshCause;
import io.dualkey.secrets.RotatingSecret;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.jdbc.RotatingDataSource;
import java.io.File;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

/**
 * How long borrowers wait while credentials are rotated: 10 borrowers on a pool of 10, a login takes 11 ms as it does on
 * PostgreSQL with SCRAM. Beside what is done today: new credentials and {@code softEvictConnections()}, and a second pool
 * that is filled before it takes over. A latency is a matter of all threads together, so this is no JMH benchmark.
 *
 * <pre>java -cp benchmarks/target/benchmarks.jar io.dualkey.benchmarks.RotationLatency</pre>
 */
public final class RotationLatency {

    private static final int BORROWERS = 10;
    private static final int POOL = 10;
    private static final long LOGIN = TimeUnit.MILLISECONDS.toNanos(11);
    private static final int PER_BORROWER = 1 << 20;

    private RotationLatency() {}

    /**
     * Prints a line for each way and phase.
     *
     * @param arguments how many rotations there are, 20 if it is not said; and a file for the results as JSON, if wanted
     * @throws IOException if that cannot be written
     */
    public static void main(String[] arguments) throws IOException {
        int rotations = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 20;
        StubDriver driver = StubDriver.register();
        driver.setLoginNanos(LOGIN);
        System.out.println("way               phase      borrows      p50 us   p99 us   max us   most open");
        ObjectMapper mapper = new ObjectMapper();
        ArrayNode results = mapper.createArrayNode();
        measure("RotatingDataSource", driver, Ways.rotating(), rotations, results);
        measure("softEvictConnections", driver, Ways.softEvict(), rotations, results);
        measure("second pool", driver, Ways.secondPool(), rotations, results);
        if (arguments.length > 1) {
            mapper.writeValue(new File(arguments[1]), results);
        }
    }

    private static void measure(String name, StubDriver driver, Ways.Way way, int rotations, ArrayNode results) {
        ObjectNode result = results.addObject().put("way", name).put("rotations", rotations);
        try (way) {
            Borrowers borrowers = new Borrowers(way::getConnection);
            pause(Duration.ofSeconds(3)); // warm up
            way.rotate("warm-up");
            requireUser(way, "warm-up");
            driver.takeMostOpen();
            borrowers.take();
            pause(Duration.ofSeconds(5));
            report(name, "steady", borrowers.take(), driver.takeMostOpen(), result);
            for (int i = 0; i < rotations; i++) {
                way.rotate("user-" + i);
            }
            report(name, "rotating", borrowers.take(), driver.takeMostOpen(), result);
            requireUser(way, "user-" + (rotations - 1));
            borrowers.stop();
        }
    }

    /** A way that does not rotate would be the fastest. */
    private static void requireUser(Ways.Way way, String user) {
        try (Connection connection = way.getConnection()) {
            if (!user.equals(connection.getSchema())) {
                throw new IllegalStateException("connections are not those of the new user");
            }
        } catch (SQLException failure) {
            throw new IllegalStateException(failure);
        }
    }

    private static void report(String name, String phase, long[] sorted, int mostOpen, ObjectNode result) {
        result.putObject(phase)
                .put("borrows", sorted.length)
                .put("p50", at(sorted, 0.5))
                .put("p99", at(sorted, 0.99))
                .put("max", at(sorted, 1))
                .put("mostOpen", mostOpen);
        System.out.printf(
                Locale.ROOT,
                "%-20s %-9s %9d %9.1f %9.1f %9.1f %6d%n",
                name,
                phase,
                sorted.length,
                at(sorted, 0.5),
                at(sorted, 0.99),
                at(sorted, 1),
                mostOpen);
    }

    private static double at(long[] sorted, double quantile) {
        return sorted[(int) Math.min(sorted.length - 1, Math.floor(sorted.length * quantile))] / 1000.0;
    }

    private static void pause(Duration length) {
        long until = System.nanoTime() + length.toNanos();
        for (long left = length.toNanos(); left > 0; left = until - System.nanoTime()) {
            LockSupport.parkNanos(left);
        }
    }

    /** Borrows and returns, over and over; a client works for a millisecond between. */
    private static final class Borrowers {

        interface Source {
            Connection get() throws SQLException;
        }

        private final List<Thread> threads = new ArrayList<>();
        private final long[][] nanos = new long[BORROWERS][PER_BORROWER];
        private final int[] counts = new int[BORROWERS];
        private volatile boolean stop;

        Borrowers(Source source) {
            for (int i = 0; i < BORROWERS; i++) {
                int number = i;
                Thread thread = new Thread(() -> run(source, number), "borrower-" + i);
                thread.setDaemon(true);
                threads.add(thread);
                thread.start();
            }
        }

        private void run(Source source, int number) {
            while (!stop) {
                long start = System.nanoTime();
                try (Connection connection = source.get()) {
                    long took = System.nanoTime() - start;
                    if (connection.getSchema() == null) {
                        throw new IllegalStateException("no user");
                    }
                    synchronized (nanos[number]) {
                        nanos[number][counts[number]++ & (PER_BORROWER - 1)] = took;
                    }
                    LockSupport.parkNanos(500_000); // a statement
                } catch (SQLException failure) {
                    throw new IllegalStateException(failure);
                }
                LockSupport.parkNanos(500_000); // a client thinks
            }
        }

        long[] take() {
            List<long[]> taken = new ArrayList<>();
            for (int i = 0; i < BORROWERS; i++) {
                synchronized (nanos[i]) {
                    taken.add(Arrays.copyOf(nanos[i], Math.min(counts[i], PER_BORROWER)));
                    counts[i] = 0;
                }
            }
            return taken.stream().flatMapToLong(Arrays::stream).sorted().toArray();
        }

        void stop() {
            stop = true;
            for (Thread thread : threads) {
                try {
                    thread.join();
                } catch (InterruptedException interrupted) {
                    Thread.currentThread().interrupt();
                }
            }
        }
    }

    /** What is compared. */
    private static final class Ways {

        interface Way extends AutoCloseable {
            Connection getConnection() throws SQLException;

            /** Returns when no connection of the user before is left. */
            void rotate(String user);

            @Override
            void close();
        }

        private static HikariConfig config() {
            HikariConfig config = new HikariConfig();
            config.setMaximumPoolSize(POOL);
            return config;
        }

        static Way rotating() {
            InMemoryStore store = new InMemoryStore();
            store.put("db", url("app"));
            SecretSource secrets = SecretSource.builder(store)
                    .refreshInterval(Duration.ofMillis(20))
                    .build();
            RotatingSecret secret = secrets.secret("db");
            RotatingDataSource database = RotatingDataSource.over(config(), secret);
            secrets.start(Duration.ofSeconds(10));
            return new Way() {
                @Override
                public Connection getConnection() throws SQLException {
                    return database.getConnection();
                }

                @Override
                public void rotate(String user) {
                    store.put("db", url(user));
                    var unused = secret.refresh(RefreshCause.OPERATOR);
                    while (!database.status()
                                    .current()
                                    .map(now -> now.user().equals(user))
                                    .orElse(false)
                            || database.status().credentials().stream()
                                    .anyMatch(one -> !one.user().equals(user) && one.connections() > 0)) {
                        pause(Duration.ofMillis(1));
                    }
                }

                @Override
                public void close() {
                    database.close();
                    secrets.close();
                }
            };
        }

        private static String url(String user) {
            return StubDriver.URL + "?user=" + user + "&password=pw";
        }

        static Way softEvict() {
            AtomicReference<String> user = new AtomicReference<>("app");
            HikariConfig config = config();
            config.setJdbcUrl(StubDriver.URL);
            config.setCredentialsProvider(() -> Credentials.of(user.get(), "pw"));
            HikariDataSource pool = new HikariDataSource(config);
            return new Way() {
                @Override
                public Connection getConnection() throws SQLException {
                    return pool.getConnection();
                }

                @Override
                public void rotate(String next) {
                    user.set(next);
                    pool.getHikariPoolMXBean().softEvictConnections();
                    pause(Duration.ofMillis(600)); // it does not tell when it is done
                }

                @Override
                public void close() {
                    pool.close();
                }
            };
        }

        static Way secondPool() {
            AtomicReference<HikariDataSource> pool = new AtomicReference<>(filled("app"));
            return new Way() {
                @Override
                public Connection getConnection() throws SQLException {
                    while (true) {
                        HikariDataSource now = Objects.requireNonNull(pool.get());
                        try {
                            return now.getConnection();
                        } catch (SQLException failure) {
                            if (now == pool.get()) {
                                throw failure;
                            }
                        }
                    }
                }

                @Override
                public void rotate(String user) {
                    HikariDataSource before = pool.getAndSet(filled(user));
                    while (before.getHikariPoolMXBean().getActiveConnections() > 0) {
                        pause(Duration.ofMillis(1));
                    }
                    before.close();
                }

                @Override
                public void close() {
                    Objects.requireNonNull(pool.get()).close();
                }
            };
        }

        private static HikariDataSource filled(String user) {
            HikariConfig config = config();
            config.setJdbcUrl(StubDriver.URL);
            config.setUsername(user);
            config.setPassword("pw");
            HikariDataSource pool = new HikariDataSource(config);
            while (pool.getHikariPoolMXBean().getTotalConnections() < POOL) {
                pause(Duration.ofMillis(1));
            }
            return pool;
        }
    }
}
