package io.dualkey.secrets;

import io.dualkey.secrets.SecretOptions.Settings;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What an application embeds: a view of a {@link SecretStore} that is loaded at startup, refreshed in the
 * background, and
 * read without waiting.
 *
 * <pre>{@code
 * var secrets = SecretSource.from(DirectoryStore.at(Path.of("/etc/secrets")));
 * var apiKey = secrets.secret("sendgrid-api-key").map(SecretValue::revealText);
 * secrets.start(Duration.ofSeconds(10));
 * apiKey.current();
 * }</pre>
 *
 * <p>Make the handles first, then start: {@link #start} loads them all in parallel and names everything that is
 * wrong in
 * one exception. Handles made later are loaded in the background. After {@link #close} handles keep their last values.
 *
 * <p>Safe for use by several threads. It runs one daemon thread that schedules and daemon workers that read.
 */
public final class SecretSource implements AutoCloseable {

    /*
     * Concurrency: `lock` guards the registry and `started`, and is never held during I/O or a callback.
     * Starting waits on
     * futures that each secret's group completes.
     */

    private static final Logger log = LoggerFactory.getLogger(SecretSource.class);

    private final SecretStore store;
    private final Duration refreshInterval;
    private final Duration grace;
    private final Map<String, SecretOptions> options;
    private final EngineThreads threads;

    private final Object lock = new Object();
    private final Map<String, SecretNode> secrets = new LinkedHashMap<>();
    private final List<ReadGroup> groups = new ArrayList<>();
    private final List<CompletableFuture<Void>> starting = new ArrayList<>();
    private final List<SecretObserver> observers = new CopyOnWriteArrayList<>();
    private @Nullable ReadGroup together;
    private boolean started;

    private SecretSource(Builder from, EngineThreads threads) {
        this.store = from.store;
        this.refreshInterval = from.refreshInterval;
        this.grace = from.grace;
        this.options = Map.copyOf(from.options);
        this.threads = threads;
    }

    /**
     * {@return a source over a store, with the defaults of {@link #builder}}
     *
     * @param store where the secrets are kept
     */
    public static SecretSource from(SecretStore store) {
        return builder(store).build();
    }

    /**
     * {@return a builder of sources over a store}
     *
     * @param store where the secrets are kept
     */
    public static Builder builder(SecretStore store) {
        return new Builder(Objects.requireNonNull(store, "store"));
    }

    /**
     * {@return the handle on a secret; the same one for the same name} It can be read once {@link #start} has returned.
     *
     * @param name the secret's name in the store
     * @throws IllegalArgumentException if the name is blank
     */
    public RotatingSecret secret(String name) {
        if (name.isBlank()) {
            throw new IllegalArgumentException("the name of a secret must not be blank");
        }
        SecretNode secret;
        ReadGroup group;
        boolean begin;
        synchronized (lock) {
            SecretNode existing = secrets.get(name);
            if (existing != null) {
                return existing;
            }
            group = together;
            boolean fresh = group == null;
            if (group == null) {
                group = new ReadGroup(store, refreshInterval, threads, this::checkStarting, this::notifyChecked);
                groups.add(group);
                together = store.readsTogether() ? group : null;
            }
            secret = new SecretNode(name, store, settings(name), threads, group);
            secrets.put(name, secret);
            begin = fresh && started;
        }
        group.add(secret);
        observers.forEach(observer -> tell(() -> observer.registered(name)));
        if (begin) {
            group.start();
        }
        return secret;
    }

    private Settings settings(String name) {
        return options.getOrDefault(name, new SecretOptions()).settings(name, refreshInterval, grace);
    }

    /**
     * Registers an observer of what this source does.
     *
     * @param observer is told of each handle and each check
     * @return to end the registration
     */
    public Registration observe(SecretObserver observer) {
        Objects.requireNonNull(observer, "observer");
        observers.add(observer);
        statuses().forEach(status -> tell(() -> observer.registered(status.name())));
        return () -> observers.remove(observer);
    }

    private void notifyChecked(SecretNode secret, Outcome outcome, Duration took) {
        observers.forEach(observer -> tell(() -> observer.checked(secret.name(), outcome, took)));
    }

    private static void tell(Runnable call) {
        try {
            call.run();
        } catch (Throwable failure) { // theirs, not ours: the engine goes on
            log.warn(
                    "An observer of the secret source failed with {}",
                    failure.getClass().getName());
        }
    }

    /**
     * Loads all secrets that handles were made for, in parallel, and waits until each can be read. Background
     * refresh runs
     * from then on, also after a failed start: a caller may catch the exception, go on, and start again to wait
     * once more.
     *
     * @param deadline how long to wait at most
     * @throws SecretStartupException if a secret is missing, cannot be used, or was not read within the
     * deadline; it names
     *     all of them
     */
    public void start(Duration deadline) {
        CompletableFuture<Void> settled = begin();
        try {
            settled.get(deadline.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        } catch (TimeoutException late) {
            settled.cancel(false);
        } catch (ExecutionException impossible) {
            throw new IllegalStateException(impossible);
        }
        List<SecretStatus> problems = statuses().stream()
                .filter(status -> status.state() == SecretState.LOADING || status.state() == SecretState.UNAVAILABLE)
                .toList();
        if (!problems.isEmpty()) {
            throw new SecretStartupException(describe(problems, deadline), problems);
        }
    }

    /** Starts without waiting. The future is completed when each secret can be read or cannot without outside help. */
    CompletableFuture<Void> begin() {
        CompletableFuture<Void> settled = new CompletableFuture<>();
        List<ReadGroup> all;
        synchronized (lock) {
            started = true;
            starting.add(settled);
            all = List.copyOf(groups);
        }
        all.forEach(ReadGroup::start);
        checkStarting();
        return settled;
    }

    private void checkStarting() {
        List<CompletableFuture<Void>> done;
        synchronized (lock) {
            boolean settled = secrets.values().stream().allMatch(SecretNode::settled);
            if (!settled) {
                return;
            }
            done = List.copyOf(starting);
            starting.clear();
        }
        done.forEach(future -> future.complete(null));
    }

    private static String describe(List<SecretStatus> problems, Duration deadline) {
        StringBuilder text = new StringBuilder();
        text.append(problems.size() == 1 ? "1 secret" : problems.size() + " secrets")
                .append(" could not be loaded:");
        for (SecretStatus problem : problems) {
            text.append("\n  - '").append(problem.name()).append("': ");
            if (problem.state() == SecretState.LOADING) {
                text.append("no answer within ")
                        .append(deadline)
                        .append(" from ")
                        .append(problem.store())
                        .append("; ")
                        .append(Outcome.UNREACHABLE.advice());
            } else {
                text.append(problem.detail());
            }
        }
        return text.toString();
    }

    /** {@return the state of each secret, in the order in which the handles were made} No I/O, no values. */
    public List<SecretStatus> statuses() {
        List<SecretNode> all;
        synchronized (lock) {
            all = List.copyOf(secrets.values());
        }
        return all.stream().map(SecretNode::status).toList();
    }

    /**
     * {@return the state of one secret; empty if no handle was made for it}
     *
     * @param name the secret's name
     */
    public Optional<SecretStatus> status(String name) {
        SecretNode secret;
        synchronized (lock) {
            secret = secrets.get(name);
        }
        return Optional.ofNullable(secret).map(SecretNode::status);
    }

    /** Ends all background work. Handles keep serving what they have. */
    @Override
    public void close() {
        List<ReadGroup> all;
        synchronized (lock) {
            all = List.copyOf(groups);
        }
        all.forEach(ReadGroup::close);
        threads.close();
    }

    /** The store and the number of secrets; never a value. */
    @Override
    public String toString() {
        synchronized (lock) {
            return "SecretSource[" + store.description() + ", " + secrets.size() + " secrets]";
        }
    }

    /** Collects what a source is made of. Not safe for use by several threads. */
    public static final class Builder {

        private final SecretStore store;
        private final Map<String, SecretOptions> options = new HashMap<>();
        private Duration refreshInterval = Duration.ofSeconds(60);
        private Duration grace = Duration.ofHours(24);
        private Clock clock = Clock.systemUTC();
        private @Nullable EngineThreads threads;

        private Builder(SecretStore store) {
            this.store = store;
        }

        /**
         * Sets how often the store is checked; a tenth more or less at random, so that a fleet spreads out. Default 60
         * seconds.
         *
         * @param interval at least 10 milliseconds
         * @return this builder
         * @throws IllegalArgumentException if it is shorter
         */
        public Builder refreshInterval(Duration interval) {
            if (interval.compareTo(Duration.ofMillis(10)) < 0) {
                throw new IllegalArgumentException("refreshInterval must be at least 10 ms, but is " + interval);
            }
            this.refreshInterval = interval;
            return this;
        }

        /**
         * Sets how long a version is accepted after another has become current. Default 24 hours.
         *
         * @param period zero or more; zero accepts the current version only
         * @return this builder
         * @throws IllegalArgumentException if it is negative
         */
        public Builder grace(Duration period) {
            if (period.isNegative()) {
                throw new IllegalArgumentException("grace must not be negative, but is " + period);
            }
            this.grace = period;
            return this;
        }

        /**
         * Sets the clock that stores' timestamps are compared with. Default: the system's.
         *
         * @param wallClock a clock
         * @return this builder
         */
        public Builder clock(Clock wallClock) {
            this.clock = Objects.requireNonNull(wallClock, "clock");
            return this;
        }

        /**
         * Says what is special about one secret.
         *
         * @param name the secret's name
         * @param changes sets what differs; called at once
         * @return this builder
         */
        public Builder secret(String name, Consumer<SecretOptions> changes) {
            changes.accept(options.computeIfAbsent(name, key -> new SecretOptions()));
            return this;
        }

        /** For tests in virtual time. */
        Builder threads(EngineThreads engineThreads) {
            this.threads = engineThreads;
            return this;
        }

        /**
         * {@return the source} It does nothing before {@link SecretSource#start}.
         *
         * @throws IllegalArgumentException if settings contradict each other
         */
        public SecretSource build() {
            options.forEach((name, one) -> one.settings(name, refreshInterval, grace));
            return new SecretSource(this, threads == null ? EngineThreads.real(clock) : threads);
        }
    }
}
