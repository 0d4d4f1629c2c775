package io.dualkey.secrets;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Runs tasks one after the other, in the order of their arrival, on the engine's workers. */
final class SerialQueue {

    /*
     * Concurrency: `waiting` counts the tasks that are queued or running. Whoever raises it from 0 to 1 owns the
     * queue and
     * starts a worker; the worker goes on until it has brought it back to 0. So at most one worker drains at any
     * time, and
     * each task happens-before the next.
     */

    private static final Logger log = LoggerFactory.getLogger(SecretSource.class);

    private final EngineThreads threads;
    private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();
    private final AtomicInteger waiting = new AtomicInteger();

    SerialQueue(EngineThreads threads) {
        this.threads = threads;
    }

    void execute(Runnable task) {
        tasks.add(task);
        if (waiting.getAndIncrement() == 0) {
            threads.execute(this::drain);
        }
    }

    private void drain() {
        do {
            Runnable task = tasks.remove();
            try {
                task.run();
            } catch (Throwable failure) { // the next task must run all the same
                log.error(
                        "A task of the secret source failed with {}",
                        failure.getClass().getName());
            }
        } while (waiting.decrementAndGet() > 0);
    }
}
