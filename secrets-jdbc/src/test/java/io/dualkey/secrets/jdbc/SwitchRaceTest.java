package io.dualkey.secrets.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import io.dualkey.secrets.InMemoryStore;
import io.dualkey.secrets.RefreshCause;
import io.dualkey.secrets.Rotating;
import io.dualkey.secrets.RotatingSecret;
import io.dualkey.secrets.SecretSource;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * D4, HikariCP#1836: logins under way during the switch. Each trial stalls some in the driver and lets them go in a
 * random order around the switch, one of them at the same moment: what counts is the order, so no time has to pass.
 */
class SwitchRaceTest {

    private static final int TRIALS = Volume.of(3_000, 50_000);
    private static final int LOGINS = 4;
    private static final Duration SOON = Duration.ofSeconds(10);

    private final InMemoryStore store = new InMemoryStore();
    private final SecretSource secrets = SecretSource.from(store);
    private final RotatingSecret secret = secrets.secret("db");
    private final Rotating<DatabaseCredentials> credentials = secret.map(DatabaseCredentials.parser());
    private final ExecutorService threads = Executors.newFixedThreadPool(LOGINS + 1);
    private final Semaphore stalled = new Semaphore(0);
    private final Semaphore goOn = new Semaphore(0);
    private final Set<Thread> endedLate = ConcurrentHashMap.newKeySet();
    private volatile boolean announced;
    private volatile String oldUser = "one";
    private FakeDriver driver;

    @BeforeEach
    void registerDriver() throws SQLException {
        driver = new FakeDriver("race", user -> {
            if (user.equals(oldUser)) {
                stalled.release();
                goOn.acquireUninterruptibly();
                if (announced) {
                    endedLate.add(Thread.currentThread());
                }
            }
        });
    }

    @AfterEach
    void close() throws SQLException {
        threads.shutdownNow();
        driver.close();
        secrets.close();
    }

    private Login login(String user) {
        store.put("db", "jdbc:race://db/x?user=" + user + "&password=pw");
        if (secret.versions().current().isEmpty()) {
            secrets.start(SOON);
        }
        secret.refresh(RefreshCause.OPERATOR).join();
        return Login.of(credentials.versions().current().orElseThrow());
    }

    /** What a pool does to make a connection, and how it is told to use other credentials. */
    interface Connector {
        Connection connect() throws SQLException;

        void switchTo(Login login);
    }

    /** Returns how many connections were handed out whose login with the old credentials ended after the switch. */
    private int staleAfterSwitch(Connector connector, int trials) throws Exception {
        Login[] logins = {login("one"), login("two")};
        Random random = new Random(1836);
        AtomicInteger stale = new AtomicInteger();
        for (int trial = 0; trial < trials; trial++) {
            Login after = logins[(trial + 1) % 2];
            announced = false;
            oldUser = logins[trial % 2].credentials().user();
            connector.switchTo(logins[trial % 2]);
            List<Future<?>> borrowers = new ArrayList<>();
            for (int i = 0; i < LOGINS; i++) {
                borrowers.add(threads.submit(() -> {
                    endedLate.remove(Thread.currentThread());
                    try (Connection connection = connector.connect()) {
                        if (connection.getSchema().equals(oldUser) && endedLate.contains(Thread.currentThread())) {
                            stale.incrementAndGet();
                        }
                    }
                    return null;
                }));
            }
            stalled.acquire(LOGINS);
            int early = random.nextInt(LOGINS);
            goOn.release(early);
            threads.execute(goOn::release); // one at the very moment
            connector.switchTo(after);
            announced = true;
            goOn.release(LOGINS - early - 1);
            for (Future<?> one : borrowers) {
                one.get(10, TimeUnit.SECONDS);
            }
        }
        return stale.get();
    }

    @Test
    void handsOutNoConnectionOfTheOldGenerationOnceTheSwitchIsAnnounced() throws Exception {
        Generations generations =
                new Generations("db", new LoginBudget(1_000, Duration.ofMinutes(2)), System::nanoTime);
        PhysicalDataSource physical = new PhysicalDataSource(
                credentials, generations, new Properties(), () -> 10_000, () -> {}, () -> false, System::nanoTime);
        Connector ours = new Connector() {
            @Override
            public Connection connect() throws SQLException {
                return physical.getConnection();
            }

            @Override
            public void switchTo(Login login) {
                generations.serve(login);
            }
        };

        assertThat(staleAfterSwitch(ours, TRIALS)).isZero();
    }

    /** The trials find what they look for: this is what a pool does that reads its credentials and connects. */
    @Test
    void findsTheConnectionsThatAPlainPoolWouldHandOut() throws Exception {
        Connector plain = new Connector() {
            private volatile Login current;

            @Override
            public Connection connect() throws SQLException {
                Properties properties = new Properties();
                properties.setProperty("user", current.credentials().user());
                return DriverManager.getConnection(current.credentials().url(), properties);
            }

            @Override
            public void switchTo(Login login) {
                current = login;
            }
        };

        assertThat(staleAfterSwitch(plain, 100)).isPositive();
    }
}
