package io.dualkey.secrets.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariConfig;
import io.dualkey.secrets.InMemoryStore;
import io.dualkey.secrets.RefreshCause;
import io.dualkey.secrets.RotatingSecret;
import io.dualkey.secrets.SecretSource;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** D4, HikariCP#1836, on a real server: logins are stalled at random, half a second at most, around the switch. */
class SwitchRaceIT {

    private static final Logger log = LoggerFactory.getLogger(SwitchRaceIT.class);
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final int BORROWERS = 3;

    private static ScramPostgres server;

    @BeforeAll
    static void startServer() throws Exception {
        server = ScramPostgres.shared();
        server.admin("create role race_1 login password 'pw'", "create role race_2 login password 'pw'");
    }

    @AfterAll
    static void dropUsers() throws Exception {
        await().atMost(SOON).until(() -> server.sessions("race_1") + server.sessions("race_2") == 0);
        server.admin("drop role race_1", "drop role race_2");
    }

    /** Stalls before and after a login of the real driver, and notes when it was over. */
    private static final class StallingDriver extends TestDriver {

        private final long longest;
        private final Map<Integer, Long> overAt = new ConcurrentHashMap<>(); // by process of the server

        StallingDriver(long longest) throws SQLException {
            super("stalled");
            this.longest = longest;
        }

        @Override
        public Connection connect(String url, Properties info) throws SQLException {
            if (!acceptsURL(url)) {
                return null;
            }
            LockSupport.parkNanos(ThreadLocalRandom.current().nextLong(longest / 2));
            Connection connection = DriverManager.getConnection(url.replace("stalled:", ""), info);
            LockSupport.parkNanos(ThreadLocalRandom.current().nextLong(longest / 2));
            overAt.put(process(connection), System.nanoTime());
            return connection;
        }

        long overAt(Connection connection) throws SQLException {
            return overAt.get(process(connection));
        }

        private static int process(Connection connection) throws SQLException {
            return connection.unwrap(org.postgresql.PGConnection.class).getBackendPID();
        }
    }

    @Test
    void handsOutNoConnectionWhoseLoginWithTheOldUserEndedAfterTheSwitch() throws Exception {
        int trials = Volume.of(8, 300);
        long longest = TimeUnit.MILLISECONDS.toNanos(Volume.of(100, 500));
        InMemoryStore store = new InMemoryStore();
        SecretSource secrets = SecretSource.builder(store)
                .refreshInterval(Duration.ofMillis(20))
                .build();
        RotatingSecret secret = secrets.secret("db");
        ExecutorService threads = Executors.newCachedThreadPool();
        Random random = new Random(1836);
        AtomicInteger stalled = new AtomicInteger();
        HikariConfig config = new HikariConfig();
        config.setMaximumPoolSize(BORROWERS);
        config.setMinimumIdle(0);
        store.put("db", secretOf("race_1"));
        try (StallingDriver driver = new StallingDriver(longest);
                secrets;
                RotatingDataSource database = RotatingDataSource.over(config, secret)) {
            secrets.start(SOON);
            try (Connection first = database.getConnection()) {
                assertThat(first.isValid(5)).isTrue();
            }
            String user = "race_1";
            // Chance says how many borrows a switch falls into: on go the trials until there was one.
            for (int trial = 0; trial < trials || (stalled.get() == 0 && trial < 20 * trials); trial++) {
                await().atMost(SOON).pollInterval(Duration.ofMillis(5)).until(() -> {
                    database.pool().getHikariPoolMXBean().softEvictConnections();
                    return database.pool().getHikariPoolMXBean().getTotalConnections() == 0;
                });
                String old = user;
                String next = old.equals("race_1") ? "race_2" : "race_1";
                List<Future<Long>> overAt = new ArrayList<>();
                for (int i = 0; i < BORROWERS; i++) {
                    overAt.add(threads.submit(() -> {
                        try (Connection connection = database.getConnection()) {
                            return connection.getMetaData().getUserName().equals(old)
                                    ? driver.overAt(connection)
                                    : null;
                        }
                    }));
                }
                LockSupport.parkNanos(random.nextLong(longest));
                store.put("db", secretOf(next));
                var unused = secret.refresh(RefreshCause.OPERATOR);
                await().atMost(SOON)
                        .pollDelay(Duration.ZERO)
                        .pollInterval(Duration.ofMillis(1))
                        .until(() ->
                                database.status().current().orElseThrow().user().equals(next));
                long announced = System.nanoTime();
                for (Future<Long> one : overAt) {
                    Long over = one.get(30, TimeUnit.SECONDS);
                    assertThat(over == null || over - announced < 0).isTrue();
                    stalled.addAndGet(over == null ? 1 : 0);
                }
                user = next;
            }
        } finally {
            threads.shutdownNow();
        }
        log.info("{} trials on a real server: {} borrows across the switch, none with the old user", trials, stalled);
        assertThat(stalled.get()).isPositive();
    }

    private static String secretOf(String user) {
        return "jdbc:stalled:" + server.url().substring("jdbc:".length()) + "?user=" + user + "&password=pw";
    }
}
