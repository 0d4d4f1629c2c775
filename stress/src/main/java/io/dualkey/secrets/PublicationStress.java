package io.dualkey.secrets;

import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.IIII_Result;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.LL_Result;

/**
 * P2, P9: the publication protocol under every interleaving that the machine comes up with.
 *
 * <pre>mvn -Pstress -pl stress -am package &amp;&amp; java -jar stress/target/stress.jar</pre>
 */
public final class PublicationStress {

    private PublicationStress() {}

    /** Runs workers' tasks on the thread that hands them over, so that the actors themselves are the workers. */
    private static final class CallersThreads implements EngineThreads {

        @Override
        public Clock clock() {
            return Clock.systemUTC();
        }

        @Override
        public long nanos() {
            return System.nanoTime();
        }

        @Override
        public double random() {
            return 0.5;
        }

        @Override
        public Runnable schedule(Duration delay, Runnable task) {
            return () -> {};
        }

        @Override
        public void execute(Runnable task) {
            task.run();
        }

        @Override
        public void close() {}
    }

    /** Tasks of one queue exclude each other, none is lost, and those of one thread keep their order. */
    @JCStressTest
    @Outcome(id = "4, 0, 1, 1", expect = Expect.ACCEPTABLE, desc = "all ran, none overlapped, both threads in order")
    @Outcome(expect = Expect.FORBIDDEN, desc = "lost, overlapped or out of order")
    @State
    public static class SerialQueueKeepsOrder {

        private final SerialQueue queue = new SerialQueue(new CallersThreads());
        private int ran; // plain on purpose: the queue must make it safe
        private int inside;
        private int overlaps;
        private int lastOfOne;
        private int lastOfTwo;
        private boolean oneInOrder = true;
        private boolean twoInOrder = true;

        private void task(boolean one, int number) {
            if (inside++ != 0) {
                overlaps++;
            }
            ran++;
            if (one) {
                oneInOrder &= number > lastOfOne;
                lastOfOne = number;
            } else {
                twoInOrder &= number > lastOfTwo;
                lastOfTwo = number;
            }
            inside--;
        }

        /** Hands over two tasks. */
        @Actor
        public void one() {
            queue.execute(() -> task(true, 1));
            queue.execute(() -> task(true, 2));
        }

        /** Hands over two more. */
        @Actor
        public void two() {
            queue.execute(() -> task(false, 1));
            queue.execute(() -> task(false, 2));
        }

        /**
         * Looks at what happened.
         *
         * @param result the figures
         */
        @Arbiter
        public void look(IIII_Result result) {
            result.r1 = ran;
            result.r2 = overlaps;
            result.r3 = oneInOrder ? 1 : 0;
            result.r4 = twoInOrder ? 1 : 0;
        }
    }

    /** A reader sees the old view or the new one, each of them whole, and never the old one after the new one. */
    @JCStressTest
    @Outcome(
            id = {"one, one", "one, two", "two, two"},
            expect = Expect.ACCEPTABLE,
            desc = "whole values, in order")
    @Outcome(expect = Expect.FORBIDDEN, desc = "torn or backwards")
    @State
    public static class ReadersSeeWholeViewsInOrder {

        private final InMemoryStore store = new InMemoryStore();
        private final Rotating<String> secret;
        private final RotatingSecret root;

        /** Loads the first version. */
        public ReadersSeeWholeViewsInOrder() {
            store.put("key", "one");
            SecretSource source =
                    SecretSource.builder(store).threads(new CallersThreads()).build();
            root = source.secret("key");
            secret = root.map(SecretValue::revealText);
            CompletableFuture<Void> begun = source.begin();
            if (!begun.isDone()) {
                throw new IllegalStateException("not loaded");
            }
        }

        /** Rotates. */
        @Actor
        public void rotate() {
            store.put("key", "two");
            var unused = root.refresh(RefreshCause.OPERATOR);
        }

        /**
         * Reads twice.
         *
         * @param result what was read
         */
        @Actor
        public void read(LL_Result result) {
            result.r1 = secret.current();
            Versions<String> versions = secret.versions();
            result.r2 = versions.accepted().get(0).value();
        }
    }

    /** A listener registered during a rotation gets the new version exactly once, and never the old one after it. */
    @JCStressTest
    @Outcome(
            id = {"1, 1", "2, 1"},
            expect = Expect.ACCEPTABLE,
            desc = "the new one alone, or the old one and then the new one")
    @Outcome(expect = Expect.FORBIDDEN, desc = "missed, twice or out of order")
    @State
    public static class ListenersSeeEachVersionOnce {

        private final InMemoryStore store = new InMemoryStore();
        private final RotatingSecret secret;
        private final List<String> seen = new CopyOnWriteArrayList<>();

        /** Loads the first version. */
        public ListenersSeeEachVersionOnce() {
            store.put("key", "one");
            SecretSource source =
                    SecretSource.builder(store).threads(new CallersThreads()).build();
            secret = source.secret("key");
            var unused = source.begin();
        }

        /** Rotates. */
        @Actor
        public void rotate() {
            store.put("key", "two");
            var unused = secret.refresh(RefreshCause.OPERATOR);
        }

        /** Registers. */
        @Actor
        public void listen() {
            var unused = secret.onRotation(version -> seen.add(version.value().revealText()));
        }

        /**
         * Looks at what was seen.
         *
         * @param result how many, and whether the last one is the new one
         */
        @Arbiter
        public void look(II_Result result) {
            result.r1 = seen.size();
            result.r2 =
                    seen.get(seen.size() - 1).equals("two") && seen.indexOf("two") == seen.lastIndexOf("two") ? 1 : 0;
        }
    }
}
