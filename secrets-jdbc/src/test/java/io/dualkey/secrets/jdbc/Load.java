package io.dualkey.secrets.jdbc;

import static org.awaitility.Awaitility.await;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import javax.sql.DataSource;

/** Clients of a data source: each borrows a connection, runs a transaction of some statements, and returns it. */
final class Load implements AutoCloseable {

    private final DataSource database;
    private final List<Thread> clients = new ArrayList<>();
    private final Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
    private final Queue<Long> borrowNanos = new ConcurrentLinkedQueue<>();
    private final AtomicLong transactions = new AtomicLong();
    private volatile boolean stop;

    private Load(DataSource database) {
        this.database = database;
    }

    static Load of(int clients, DataSource database) {
        Load load = new Load(database);
        for (int i = 0; i < clients; i++) {
            Thread client = new Thread(load::run, "client-" + i);
            load.clients.add(client);
            client.start();
        }
        return load;
    }

    private void run() {
        while (!stop) {
            try {
                long start = System.nanoTime();
                try (Connection connection = database.getConnection()) {
                    borrowNanos.add(System.nanoTime() - start);
                    transaction(connection);
                }
                transactions.incrementAndGet();
                LockSupport.parkNanos(2_000_000); // a client thinks between requests
            } catch (SQLException | RuntimeException failure) {
                failures.add(failure);
            }
        }
    }

    private static void transaction(Connection connection) throws SQLException {
        connection.setAutoCommit(false);
        for (int i = 0; i < 3; i++) {
            try (PreparedStatement insert = connection.prepareStatement("insert into visit (note) values (?)")) {
                insert.setString(1, "visit " + i);
                insert.executeUpdate();
            }
        }
        connection.commit();
        connection.setAutoCommit(true);
    }

    long transactions() {
        return transactions.get();
    }

    /** Waits for some more; it ends early if something fails, which the test then shows. */
    void awaitTransactions(long more) {
        long until = transactions.get() + more;
        await().atMost(Duration.ofSeconds(30)).until(() -> transactions.get() >= until || !failures.isEmpty());
    }

    List<Throwable> failures() {
        return List.copyOf(failures);
    }

    /** Forgets the times so far; returns them sorted. */
    long[] takeBorrowNanos() {
        List<Long> taken = new ArrayList<>();
        for (Long one = borrowNanos.poll(); one != null; one = borrowNanos.poll()) {
            taken.add(one);
        }
        return taken.stream().mapToLong(Long::longValue).sorted().toArray();
    }

    @Override
    public void close() {
        stop = true;
        clients.forEach(Load::join);
    }

    /** Waits for the end of a thread. */
    static void join(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
