package io.dualkey.secrets.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariConfig;
import io.dualkey.secrets.InMemoryStore;
import io.dualkey.secrets.RefreshCause;
import io.dualkey.secrets.RotatingSecret;
import io.dualkey.secrets.SecretSource;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What only shows in numbers (D1, D2, D5): a few in each build, all of them with {@code -Pstress}. */
class VolumeIT {

    private static final Logger log = LoggerFactory.getLogger(VolumeIT.class);
    private static final Duration SOON = Duration.ofSeconds(60);

    private static ScramPostgres server;

    private final InMemoryStore store = new InMemoryStore();
    private final SecretSource secrets =
            SecretSource.builder(store).refreshInterval(Duration.ofMillis(20)).build();
    private final RotatingSecret secret = secrets.secret("database-url");
    private RotatingDataSource database;

    @BeforeAll
    static void startServer() throws Exception {
        server = ScramPostgres.shared();
        server.admin("create role a login in role app", "create role b login in role app");
        server.admin("create database shop_2");
        server.createTableIn("shop_2");
    }

    @AfterEach
    void close() {
        database.close();
        secrets.close();
    }

    private void start(int pool, String user, String password) throws SQLException {
        server.admin("alter role " + user + " password '" + password + "'");
        store.put("database-url", server.secret(user, password));
        HikariConfig config = new HikariConfig();
        config.setMaximumPoolSize(pool);
        config.setConnectionTimeout(30_000);
        database = RotatingDataSource.over(config, secret);
        secrets.start(Duration.ofSeconds(10));
        await().atMost(SOON).until(() -> database.status().current().isPresent());
    }

    private void rotateTo(String value) {
        store.put("database-url", value);
        secret.refresh(RefreshCause.OPERATOR).join();
    }

    private CredentialStatus current() {
        return database.status().current().orElseThrow();
    }

    @Test
    void losesNothingInManyRotationsOfPasswordUserAndUrlUnderLoad() throws Exception {
        int clients = Volume.of(40, 200);
        int rotations = Volume.of(9, 300);
        start(Volume.of(10, 20), "a", "pw-0");
        long refusedBefore = server.refusedLogins("a") + server.refusedLogins("b");
        AtomicInteger passwords = new AtomicInteger();
        Random random = new Random(20261121);
        String user = "a";
        String name = "postgres";
        try (Load load = Load.of(clients, database);
                LongTransactions longOnes = new LongTransactions(3)) {
            for (int i = 0; i < rotations; i++) {
                String password = "pw-" + passwords.incrementAndGet();
                switch (i % 3) {
                    case 0 -> {} // the same user's password, in the database first
                    case 1 -> user = user.equals("a") ? "b" : "a";
                    default -> name = name.equals("postgres") ? "shop_2" : "postgres";
                }
                server.admin("alter role " + user + " password '" + password + "'");
                String value = server.secret(user, password).replace("/postgres?", "/" + name + "?");
                rotateTo(value);
                await().atMost(SOON)
                        .pollInterval(Duration.ofMillis(5))
                        .until(() -> current().version().equals("v" + (passwords.get() + 1)));
                assertThat(current().user()).isEqualTo(user);
                assertThat(current().target()).endsWith("/" + name);
                long until = load.transactions() + random.nextInt(clients * 4);
                await().atMost(SOON)
                        .pollInterval(Duration.ofMillis(5))
                        .until(() ->
                                load.transactions() >= until || !load.failures().isEmpty());
            }
            assertThat(load.failures()).isEmpty();
            assertThat(longOnes.failures).isEmpty();
            assertThat(longOnes.spanned.get()).isPositive();
            log.info(
                    "{} rotations, {} clients: {} transactions, {} across several rotations, {} connections moved,"
                            + " {} refused logins, nothing failed",
                    rotations,
                    clients,
                    load.transactions(),
                    longOnes.spanned,
                    database.status().connectionsMoved(),
                    database.status().failedLogins());
        }
        // A password that changes in the database first may cost a login of the old one.
        assertThat(server.refusedLogins("a") + server.refusedLogins("b") - refusedBefore)
                .isEqualTo(database.status().failedLogins())
                .isLessThanOrEqualTo(rotations);
    }

    /** Clients whose transactions stay open across two rotations and more. */
    private final class LongTransactions implements AutoCloseable {

        private final List<Thread> threads = new ArrayList<>();
        private final Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
        private final AtomicLong spanned = new AtomicLong();
        private volatile boolean stop;

        LongTransactions(int count) {
            for (int i = 0; i < count; i++) {
                Thread thread = new Thread(this::run, "long-" + i);
                threads.add(thread);
                thread.start();
            }
        }

        private int rotationsSeen() {
            return Integer.parseInt(current().version().substring(1));
        }

        private void run() {
            while (!stop) {
                try (Connection connection = database.getConnection();
                        Statement statement = connection.createStatement()) {
                    connection.setAutoCommit(false);
                    int from = rotationsSeen();
                    statement.execute("insert into visit (note) values ('begun')");
                    while (!stop && rotationsSeen() < from + 2) {
                        statement.execute("insert into visit (note) values ('still there')");
                        LockSupport.parkNanos(5_000_000); // a long transaction
                    }
                    connection.commit();
                    connection.setAutoCommit(true);
                    if (rotationsSeen() >= from + 2) {
                        spanned.incrementAndGet();
                    }
                } catch (SQLException | RuntimeException failure) {
                    failures.add(failure);
                }
            }
        }

        @Override
        public void close() {
            stop = true;
            threads.forEach(Load::join);
        }
    }

    @Test
    void neverCallsAUserSafeToDropThatHasASessionAnywhere() throws Exception {
        int runs = Volume.of(8, 1_000);
        server.admin("alter role b password 'pw'");
        start(3, "a", "pw");
        Queue<String> wrong = new ConcurrentLinkedQueue<>();
        AtomicInteger told = new AtomicInteger();
        int withdrawn = 0;
        List<String> held = new ArrayList<>();
        database.onChange(change -> {
            if (change.phase() == CredentialPhase.SAFE_TO_DROP) {
                told.incrementAndGet();
                synchronized (held) {
                    if (held.contains(change.user())) {
                        wrong.add(change.user());
                    }
                }
            }
        });
        Random random = new Random(5);
        String user = "a";
        int holds = 0;
        for (int i = 0; i < runs; i++) {
            String old = user;
            user = old.equals("a") ? "b" : "a";
            try (Connection borrowed = database.getConnection()) {
                assertThat(borrowed.isValid(5)).isTrue();
            }
            boolean hold = random.nextInt(3) == 0;
            Connection elsewhere = hold ? server.connect(old, "pw") : null;
            synchronized (held) {
                if (hold) {
                    held.add(old);
                    holds++;
                }
            }
            if (database.status().isSafeToDrop(user)) {
                withdrawn++;
            }
            rotateTo(server.secret(user, "pw"));
            String now = user;
            await().atMost(SOON)
                    .pollInterval(Duration.ofMillis(2))
                    .until(() -> current().user().equals(now));
            assertThat(database.status().isSafeToDrop(user)).isFalse(); // it is in use again
            if (elsewhere != null) {
                await().atMost(SOON)
                        .pollInterval(Duration.ofMillis(2))
                        .until(() -> database.status().credentials().stream()
                                .anyMatch(one -> one.user().equals(old)
                                        && one.serverSessions().orElse(0) == 1));
                assertThat(database.status().isSafeToDrop(old)).isFalse();
                synchronized (held) {
                    held.remove(old);
                }
                elsewhere.close();
            }
            await().atMost(SOON)
                    .pollInterval(Duration.ofMillis(2))
                    .until(() -> database.status().isSafeToDrop(old));
            assertThat(server.sessions(old)).isZero();
        }
        assertThat(wrong).isEmpty();
        assertThat(holds).isPositive();
        assertThat(withdrawn).isEqualTo(runs - 1); // each user that comes back was called safe before
        assertThat(told.get()).isGreaterThanOrEqualTo(runs);
        log.info("{} runs, {} with a session elsewhere: no user was called safe to drop that was not", runs, holds);
    }

    /** The time from the repaired secret's being read to the end of the first transaction of those who wait. */
    @Test
    void givesThoseWhoWaitAConnectionAsSoonAsTheRightPasswordIsThere() throws Exception {
        int runs = Volume.of(5, 50);
        start(5, "a", "right");
        database.close();
        List<Long> times = new ArrayList<>();
        for (int i = 0; i < runs; i++) {
            InMemoryStore wrong = new InMemoryStore();
            wrong.put("url", server.secret("a", "wrong"));
            SecretSource source = SecretSource.from(wrong);
            RotatingSecret handle = source.secret("url");
            HikariConfig config = new HikariConfig();
            config.setMaximumPoolSize(5);
            config.setConnectionTimeout(60_000);
            RotatingDataSource waiting = RotatingDataSource.over(config, handle);
            try (source;
                    waiting) {
                source.start(SOON);
                await().atMost(SOON).until(() -> waiting.status().failedLogins() > 0);
                try (Load load = Load.of(10, waiting)) {
                    wrong.put("url", server.secret("a", "right"));
                    handle.refresh(RefreshCause.OPERATOR).join();
                    long visible = System.nanoTime();
                    await().atMost(SOON)
                            .pollDelay(Duration.ZERO)
                            .pollInterval(Duration.ofMillis(1))
                            .until(() -> load.transactions() > 0);
                    times.add((System.nanoTime() - visible) / 1_000_000);
                }
            }
        }
        times.sort(null);
        long median = times.get(runs / 2);
        long worst = times.get(runs - 1);
        log.info("{} repairs: a transaction {} ms after the secret was read, at most {} ms", runs, median, worst);
        assertThat(median).isLessThan(250);
        if (Volume.isFull()) {
            assertThat(times.get(runs * 9 / 10)).isLessThan(250); // the few longest are the machine's
        }
    }
}
