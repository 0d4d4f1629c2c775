package io.dualkey.secrets;

import java.time.Clock;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Time, threads and chance, as the engine uses them: one daemon thread that only schedules, and daemon workers for what
 * may block. Tests put virtual time in its place.
 */
interface EngineThreads extends AutoCloseable {

    /** Wall-clock time, for what stores date. */
    Clock clock();

    /** Monotonic time, for intervals. */
    long nanos();

    /** A number from 0 (inclusive) to 1 (exclusive). */
    double random();

    /** Runs a short task once after a delay, unless closed by then. */
    Runnable schedule(Duration delay, Runnable task);

    /** Runs a task that may block. */
    void execute(Runnable task);

    /** Ends all threads; what runs is interrupted. */
    @Override
    void close();

    /** Real time and real threads. */
    static EngineThreads real(Clock clock) {
        return new Real(clock, Real.daemons("dualkey-worker"));
    }

    /** See {@link #real}. */
    final class Real implements EngineThreads {

        private static final Logger log = LoggerFactory.getLogger(SecretSource.class);

        private static final Duration RETRY = Duration.ofSeconds(1);

        private final Clock clock;
        private final ScheduledThreadPoolExecutor timer;
        private final ExecutorService workers;

        Real(Clock clock, ThreadFactory workerThreads) {
            this.clock = clock;
            this.timer = new ScheduledThreadPoolExecutor(1, daemons("dualkey-timer"));
            timer.setRemoveOnCancelPolicy(true);
            timer.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
            this.workers = Executors.newCachedThreadPool(workerThreads);
        }

        private static ThreadFactory daemons(String name) {
            AtomicInteger count = new AtomicInteger();
            return task -> {
                Thread thread = new Thread(task, name + "-" + count.incrementAndGet());
                thread.setDaemon(true);
                return thread;
            };
        }

        @Override
        public Clock clock() {
            return clock;
        }

        @Override
        public long nanos() {
            return System.nanoTime();
        }

        @Override
        public double random() {
            return ThreadLocalRandom.current().nextDouble();
        }

        @Override
        public Runnable schedule(Duration delay, Runnable task) {
            try {
                var future = timer.schedule(guarded(task), delay.toNanos(), TimeUnit.NANOSECONDS);
                return () -> future.cancel(false);
            } catch (RejectedExecutionException closed) {
                log.debug("Not scheduled: the secret source is closed");
                return () -> {};
            }
        }

        @Override
        public void execute(Runnable task) {
            timer.prestartCoreThread(); // if there is no thread for this one, the start fails; later it is needed below
            try {
                workers.execute(guarded(task));
            } catch (RejectedExecutionException closed) {
                log.debug("Not run: the secret source is closed");
            } catch (Throwable noThread) { // the limit of threads or of memory; what must happen happens later
                log.error(
                        "No thread for a task of the secret source ({}); it is tried again in {} s",
                        noThread.getClass().getName(),
                        RETRY.toSeconds());
                var unused = schedule(RETRY, () -> execute(task));
            }
        }

        private static Runnable guarded(Runnable task) {
            return () -> {
                try {
                    task.run();
                } catch (Throwable failure) { // whatever it is, the engine goes on
                    log.error(
                            "A task of the secret source failed with {}",
                            failure.getClass().getName());
                }
            };
        }

        @Override
        public void close() {
            timer.shutdownNow();
            workers.shutdownNow();
        }
    }
}
