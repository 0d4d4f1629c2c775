package io.dualkey.secrets.jdbc;

import com.zaxxer.hikari.HikariDataSource;
import com.zaxxer.hikari.HikariPoolMXBean;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Replaces the connections of old credentials one by one, and then finds out when their user can be dropped. */
final class Retirement {

    /*
     * Concurrency: everything but `wake`, `hurry` and `close` happens on one thread, in steps that never wait: each
     * looks at how things stand, does at most one thing, and says when the next is due. `wake` brings the next step
     * forward. The thread ends when there is nothing to do.
     *
     * Make before break: while connections retire, the pool may hold one more than its maximum. A connection is retired
     * only when the pool is not short of one, so after the first there is always a spare. Before the last one the
     * maximum is put back, and the spare takes its place.
     *
     * The pool must not be told to end a connection's life before it has put it among its own (it would then keep a
     * dead entry for ever), and it tells nobody when it has. But it puts in only connections whose `Lifetime` it has
     * made before, and takes them out before it calls that off. So if the pool's size equals the number of lifetimes
     * attached and not called off, and these are the same before and after the size was read, all of them are in.
     */

    private static final Logger log = LoggerFactory.getLogger(RotatingDataSource.class);
    private static final long PACE = TimeUnit.MILLISECONDS.toNanos(45);
    private static final long LOOK_AGAIN = TimeUnit.MILLISECONDS.toNanos(15);
    private static final long REPEAT = TimeUnit.MILLISECONDS.toNanos(200);
    private static final long LONG_TRANSACTION = TimeUnit.SECONDS.toNanos(1);
    private static final long NOT_MISSED = TimeUnit.MILLISECONDS.toNanos(500);
    private static final long FIRST_QUESTION = TimeUnit.MILLISECONDS.toNanos(50);
    private static final long LONGEST_QUESTION = TimeUnit.SECONDS.toNanos(10);

    private final HikariDataSource pool;
    private final Generations generations;
    private final PhysicalDataSource database;
    private final Runnable onPoolClosed;
    private final ScheduledThreadPoolExecutor thread;
    private final AtomicBoolean awake = new AtomicBoolean();
    private final AtomicInteger hurries = new AtomicInteger(); // how often it was said

    private @Nullable ScheduledFuture<?> timer; // this and what follows: on the thread only
    private int hurriesEnded; // up to which of them it is done
    private boolean retiring;
    private int spareMaximum; // the maximum while there is a spare; 0 when there is none
    private int ownMaximum;
    private int ownMinimumIdle;
    private int raisedMinimumIdle;
    private int fullSize;
    private long lastRetired;
    private long questionDelay = FIRST_QUESTION;
    private long nextQuestion = System.nanoTime();

    Retirement(
            HikariDataSource pool,
            Generations generations,
            PhysicalDataSource database,
            Runnable onPoolClosed,
            ThreadFactory threads) {
        this.onPoolClosed = onPoolClosed;
        this.pool = pool;
        this.generations = generations;
        this.database = database;
        this.thread = new ScheduledThreadPoolExecutor(1, threads, new ThreadPoolExecutor.DiscardPolicy());
        thread.setKeepAliveTime(10, TimeUnit.SECONDS);
        thread.allowCoreThreadTimeOut(true);
        thread.setRemoveOnCancelPolicy(true);
        thread.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    }

    /** Something has changed: look again. */
    void wake() {
        if (awake.compareAndSet(false, true)) {
            thread.execute(this::step);
        }
    }

    /** The old connections are of no use any more, or must not be used: all at once, those in use when they return. */
    void hurry() {
        hurries.incrementAndGet();
        wake();
    }

    void close() {
        thread.shutdownNow();
    }

    private void step() {
        awake.set(false);
        ScheduledFuture<?> last = timer;
        if (last != null) {
            last.cancel(false);
            timer = null;
        }
        if (pool.isClosed()) {
            thread.shutdown();
            onPoolClosed.run();
            return;
        }
        long next;
        try {
            next = advance();
        } catch (Throwable failure) { // whatever it is, the next step is taken all the same
            log.warn("Retiring connections failed with {}", failure.getClass().getName());
            next = TimeUnit.SECONDS.toNanos(1);
        }
        if (next < Long.MAX_VALUE) {
            timer = thread.schedule(this::wake, Math.max(next, 0), TimeUnit.NANOSECONDS);
        }
    }

    /** Does one thing; returns in how many nanoseconds to look again. */
    private long advance() {
        int hurriesSoFar = hurries.get(); // one said from now on may be about what is not seen yet
        List<Session> old = generations.staleSessions();
        HikariPoolMXBean running = pool.getHikariPoolMXBean();
        if (!old.isEmpty() && running != null) {
            return retire(old, running);
        }
        endRetiring();
        hurriesEnded = hurriesSoFar;
        generations.release();
        return old.isEmpty() ? askServer() : LOOK_AGAIN;
    }

    private long retire(List<Session> old, HikariPoolMXBean running) {
        long now = System.nanoTime();
        if (!retiring) {
            retiring = true;
            questionDelay = FIRST_QUESTION;
            lastRetired = now - PACE;
            fullSize = running.getTotalConnections();
            log.info("Pool '{}' replaces {} connections of old credentials", pool.getPoolName(), old.size());
        }
        findPooled(running);
        if (hurries.get() != hurriesEnded) {
            return retireAll(old, now);
        }
        if (old.size() > 1) {
            allowSpare();
        } else {
            endSpare();
        }
        return retireOne(old, running, now);
    }

    private long retireAll(List<Session> old, long now) {
        endSpare();
        long next = REPEAT;
        for (Session session : old) {
            Lifetime lifetime = session.lifetime();
            if (lifetime == null || lifetime.hasLeft() || !lifetime.isPooled(now)) {
                next = LOOK_AGAIN;
            } else {
                next = lifetime.isRetired() ? next : LOOK_AGAIN;
                lifetime.retire(now);
            }
        }
        return next;
    }

    private long retireOne(List<Session> old, HikariPoolMXBean running, long now) {
        Lifetime next = null;
        boolean waiting = false;
        boolean moving = false;
        for (Session session : old) {
            Lifetime lifetime = session.lifetime();
            if (lifetime == null || lifetime.hasLeft() || !lifetime.isPooled(now)) {
                moving = true; // on its way into the pool, or being closed
                continue;
            }
            if (!lifetime.isRetired()) {
                next = next == null ? lifetime : next;
                continue;
            }
            // In use, or it was just being returned when it was told.
            long since = lifetime.nanosSinceRetired(now);
            if (since > REPEAT) {
                lifetime.retire(now);
            }
            waiting |= since < LONG_TRANSACTION;
        }
        if (next == null && !moving) {
            return REPEAT; // all that are left are in use: their return wakes us
        }
        long pause = lastRetired + PACE - now;
        if (next == null || waiting || pause > 0 || isShort(running, now) || !generations.canReplace()) {
            return Math.max(pause, LOOK_AGAIN);
        }
        lastRetired = now;
        next.retire(now);
        return PACE;
    }

    /** Whether a connection that was retired is still to be replaced. */
    private boolean isShort(HikariPoolMXBean running, long now) {
        int total = running.getTotalConnections();
        fullSize = Math.min(Math.max(fullSize, Math.min(total, ownMaximum)), pool.getMaximumPoolSize());
        if (total >= fullSize || running.getIdleConnections() >= pool.getMinimumIdle()) {
            return false; // the pool is as large as it was, or has enough
        }
        // It is making one, or has seen no need to yet; but it must not shrink because it cannot.
        return now - lastRetired < NOT_MISSED || database.isMissing();
    }

    private void allowSpare() {
        if (spareMaximum == 0) {
            ownMaximum = pool.getMaximumPoolSize();
            ownMinimumIdle = pool.getMinimumIdle();
            spareMaximum = ownMaximum + 1;
            raisedMinimumIdle = Math.max(ownMinimumIdle, 1);
            pool.setMaximumPoolSize(spareMaximum);
            pool.setMinimumIdle(raisedMinimumIdle);
        }
    }

    /** Puts back what was raised, unless somebody else has set it since. */
    private void endSpare() {
        if (spareMaximum != 0) {
            if (pool.getMinimumIdle() == raisedMinimumIdle) {
                pool.setMinimumIdle(ownMinimumIdle);
            }
            if (pool.getMaximumPoolSize() == spareMaximum) {
                pool.setMaximumPoolSize(ownMaximum);
            }
            spareMaximum = 0;
        }
    }

    private void endRetiring() {
        endSpare();
        if (retiring) {
            nextQuestion =
                    System.nanoTime() + FIRST_QUESTION; // the server still ends the sessions that were closed last
        }
        retiring = false;
    }

    private void findPooled(HikariPoolMXBean running) {
        List<Lifetime> before = attached();
        int size = running.getTotalConnections();
        if (size == before.size() && before.equals(attached())) {
            before.forEach(Lifetime::setPooled);
        }
    }

    private List<Lifetime> attached() {
        return generations.sessions().stream()
                .map(Session::lifetime)
                .filter(lifetime -> lifetime != null && !lifetime.hasLeft())
                .toList();
    }

    /** Asks about the users that are released; more and more rarely. */
    private long askServer() {
        List<Generations.Released> users = generations.released();
        Login with = generations.serving();
        if (users.isEmpty() || with == null) {
            questionDelay = FIRST_QUESTION;
            return Long.MAX_VALUE;
        }
        long now = System.nanoTime();
        if (nextQuestion - now > 0) {
            return nextQuestion - now;
        }
        ask(users, with);
        nextQuestion = System.nanoTime() + questionDelay;
        long delay = questionDelay;
        questionDelay = Math.min(questionDelay * 2, LONGEST_QUESTION);
        return generations.released().isEmpty() ? Long.MAX_VALUE : delay;
    }

    /** With a connection of its own: the pool's may be busy, and its settings are the application's. */
    private void ask(List<Generations.Released> users, Login with) {
        if (generations.isWithdrawn() || generations.tryBegin(with) > 0) {
            return;
        }
        Connection connection;
        try {
            connection = database.connectBriefly(with);
        } catch (SQLException | RuntimeException | Error failure) {
            database.failed(with, failure);
            return;
        }
        try {
            connection.setNetworkTimeout(
                    Runnable::run, (int) Duration.ofSeconds(10).toMillis());
            for (Generations.Released user : users) {
                // Only the server that had the sessions can tell about them.
                if (user.login().account().endpoint().equals(with.account().endpoint())) {
                    OptionalInt sessions = UserSessions.count(user, connection);
                    if (sessions.isPresent()) {
                        generations.reported(user, sessions.getAsInt());
                    } else {
                        generations.cannotTell(user);
                    }
                }
            }
        } catch (SQLException failure) {
            log.debug("Asking for the sessions of a replaced user failed: {}", LoginRefusal.describe(failure));
        } finally {
            PhysicalDataSource.closeQuietly(connection);
            generations.proven(with);
        }
    }
}
