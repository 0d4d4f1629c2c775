package io.dualkey.secrets;

import io.dualkey.secrets.SecretOptions.Settings;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
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
 * What an application embeds: a view of one or several {@link SecretStore}s that is loaded at startup, refreshed in the
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

    private static final Duration LONGEST_START = Duration.ofDays(365);
    private static final Logger log = LoggerFactory.getLogger(SecretSource.class);

    private final Stores stores;
    private final Duration refreshInterval;
    private final Duration grace;
    private final @Nullable Duration maxStale;
    private final boolean failClosed;
    private final Map<String, SecretOptions> options;
    private final EngineThreads threads;

    private final Object lock = new Object();
    private final Map<String, SecretNode> secrets = new LinkedHashMap<>();
    private final List<ReadGroup> groups = new ArrayList<>();
    private final List<CompletableFuture<Void>> starting = new ArrayList<>();
    private final List<SecretObserver> observers = new CopyOnWriteArrayList<>();
    private final IdentityHashMap<SecretStore, ReadGroup> together = new IdentityHashMap<>();
    private final Map<String, String> templates = new HashMap<>();
    private boolean started;
    private boolean closed;

    private SecretSource(Builder from, EngineThreads threads) {
        this.stores = new Stores(from.plain, from.prefixed);
        this.refreshInterval = from.refreshInterval;
        this.grace = from.grace;
        this.maxStale = from.maxStale;
        this.failClosed = from.failClosed;
        this.options = byName(from.options);
        this.threads = threads;
    }

    /** Options may be set by any reference to a secret; here they are by its name. */
    private Map<String, SecretOptions> byName(Map<String, SecretOptions> byReference) {
        Map<String, SecretOptions> byName = new HashMap<>();
        byReference.forEach((reference, one) -> {
            if (byName.putIfAbsent(nameOf(reference), one) != null) {
                throw new IllegalArgumentException("there are options for secret "
                        + SecretReference.quoted(nameOf(reference)) + " under two references to it; put them together");
            }
        });
        return Map.copyOf(byName);
    }

    private String nameOf(String reference) {
        try {
            return stores.find(SecretReference.parse(reference)).name();
        } catch (IllegalArgumentException noSecretOfAStore) {
            return reference; // a composed one perhaps; else the start warns that nobody uses it
        }
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
     * {@return a builder of sources over several stores, each with a {@link Builder#store prefix}}
     */
    public static Builder builder() {
        return new Builder(null);
    }

    /**
     * {@return the handle on a secret; the same one for the same reference} It can be read once {@link #start} has returned.
     *
     * <p>A reference is the secret's name, with a store's prefix before it where the source has several, and with a field
     * after it where the value is a JSON document:
     *
     * <pre>{@code
     * secrets.secret("jwt-key");
     * secrets.secret("aws:db-creds#password");
     * secrets.secret("db-creds#/primary/password");
     * }</pre>
     *
     * <p>The field is a JSON Pointer (RFC 6901) whose first slash may be left out; a number selects an element of an array.
     * Text, numbers and booleans can be selected. The document must be valid to its end and without duplicate members.
     *
     * <p>References that are in use elsewhere are read as well, each followed by a field if need be. They lead to the store
     * whose {@link SecretStore#address} they name, else to the one whose prefix is the vault's name or region, else to the
     * prefix given here:
     *
     * <ul>
     *   <li>{@code azure}: {@code @Microsoft.KeyVault(SecretUri=https://my-vault.vault.azure.net/secrets/db-url)} and
     *       {@code @Microsoft.KeyVault(VaultName=my-vault;SecretName=db-url)}; the name in the store is {@code db-url}
     *   <li>{@code aws}: {@code arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-creds-AbCdEf}, and with
     *       {@code :json-key:stage:version} after it as in ECS; the name in the store is the ARN
     *   <li>{@code op}: {@code op://vault/item/field}; the name in the store is {@code vault/item/field}
     * </ul>
     *
     * <p>One that names a version is pinned to it: it does not rotate, and a warning says so.
     *
     * @param reference the secret
     * @throws IllegalArgumentException if the reference is malformed, with the position, or if there is no store for it,
     *     with what to add
     */
    public RotatingSecret secret(String reference) {
        SecretReference parsed = SecretReference.parse(reference);
        SecretNode secret = root(parsed);
        return parsed.field() == null ? secret : secret.field(parsed.field());
    }

    private SecretNode root(SecretReference reference) {
        SecretNode secret;
        ReadGroup group;
        boolean begin;
        synchronized (lock) {
            SecretNode composed = templates.containsKey(reference.name()) ? secrets.get(reference.name()) : null;
            if (composed != null && reference.prefix() == null && reference.vendor() == null) {
                return composed;
            }
            Stores.Place place = stores.find(reference);
            String name = place.name();
            SecretStore store = place.store();
            SecretNode existing = secrets.get(name);
            if (existing != null) {
                return existing;
            }
            group = together.get(store);
            boolean fresh = group == null;
            if (group == null) {
                group = new ReadGroup(store, refreshInterval, threads, this::checkStarting, this::notifyChecked);
                groups.add(group);
                if (store.readsTogether()) {
                    together.put(store, group);
                }
            }
            secret = new SecretNode(
                    name, store, settings(name, new RotationPolicy(refreshInterval, grace)), threads, group);
            secrets.put(name, secret);
            begin = fresh && started && !closed;
        }
        if (reference.version() != null) {
            log.warn(
                    "Secret '{}' is pinned to one version and will not rotate: drop the version from its reference",
                    secret.name());
        }
        group.add(secret);
        notifyRegistered(secret);
        if (begin) {
            group.start();
        }
        return secret;
    }

    private Settings settings(String name, RotationPolicy policy) {
        return options.getOrDefault(name, new SecretOptions()).settings(name, policy, maxStale, failClosed);
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

    private void notifyRegistered(SecretNode secret) {
        observers.forEach(observer -> tell(() -> observer.registered(secret.name())));
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
     * {@return the handle on a secret that is composed of others by a template; the same one for the same name} It is made
     * anew as one unit when any of its parts changes, and can be used like any other secret.
     *
     * <pre>{@code
     * secrets.composed("database-url", "postgresql://{db-user}:{db-password}@db:5432/app");
     * secrets.composed("database-url", "postgresql://{rds#username}:{rds#password}@{rds#host}:{rds#port}/app");
     * }</pre>
     *
     * <p>In braces stands a reference as {@link #secret} takes it; a brace that is meant itself is doubled.
     * After a {@code ://} values are percent-encoded, all but the unreserved characters of RFC 3986, as user, password, path
     * and query of a URL need it; in the place of host and port they are put as they are, and refused if they have what
     * cannot stand there. Elsewhere they are put as they are. {@code {name|raw}} and {@code {name|url}} say otherwise.
     *
     * <p>The previous values are what stood together before, by the times of the stores, for the shortest grace period of the
     * parts, and no longer than each of the parts is accepted: never a mixture of parts that was not in force. A state
     * that lasted less than 10 seconds, or less than a refresh interval if that is shorter, counts as the midst of a
     * rotation of several secrets and is not accepted. When one part is seen to change, the others are read at once, before
     * anything is made of old and new.
     *
     * @param name a name for it, which no secret in use has
     * @param template the template
     * @throws IllegalArgumentException if the template is malformed, with the position; if a reference in it has no store; or
     *     if the name is taken
     */
    public RotatingSecret composed(String name, String template) {
        SecretReference own = SecretReference.parse(name);
        if (own.prefix() != null || own.vendor() != null || own.field() != null) {
            throw new IllegalArgumentException("the name of a composed secret must be a plain one, but is "
                    + SecretReference.quoted(name) + ": leave out ':' and '#'");
        }
        Template parsed = Template.parse(template);
        SecretNode existing = composedBefore(name, template);
        if (existing != null) {
            return existing;
        }
        for (String reference : parsed.references()) { // all of them, before a handle is made for any
            checkPart(name, SecretReference.parse(reference));
        }
        List<Composition.Source> sources = parsed.references().stream()
                .map(SecretReference::parse)
                .map(part -> new Composition.Source(root(part), part.field()))
                .toList();
        Composition composition = new Composition(parsed, sources, threads, this::checkStarting);
        Settings settings = settings(name, composition.policy());
        if (settings.companion() != null) {
            throw new IllegalArgumentException("the composed secret '" + name
                    + "' cannot have a companion: its previous values are made of those of its parts; set it there");
        }
        SecretNode secret = new SecretNode(name, composition, settings, threads, composition);
        synchronized (lock) {
            SecretNode meanwhile = composedBefore(name, template);
            if (meanwhile != null) {
                return meanwhile;
            }
            secrets.put(name, secret);
            templates.put(name, template);
        }
        composition.feed(secret);
        notifyRegistered(secret);
        return secret;
    }

    private void checkPart(String composed, SecretReference part) {
        boolean ours = part.vendor() == null && part.prefix() == null;
        if (ours && part.name().equals(composed)) {
            throw new IllegalArgumentException("the secret '" + composed + "' cannot be composed of itself");
        }
        synchronized (lock) {
            if (ours && templates.containsKey(part.name())) {
                return;
            }
        }
        stores.find(part);
    }

    private @Nullable SecretNode composedBefore(String name, String template) {
        synchronized (lock) {
            SecretNode existing = secrets.get(name);
            if (existing != null && !template.equals(templates.get(name))) {
                throw new IllegalArgumentException("the name '" + name + "' is taken by another secret");
            }
            return existing;
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
        warnAboutUnusedOptions();
        CompletableFuture<Void> settled = begin();
        String silence = "no answer within " + deadline + " from ";
        try {
            Duration wait = deadline.compareTo(LONGEST_START) < 0 ? deadline : LONGEST_START;
            settled.get(wait.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            silence = "the start was interrupted before an answer came from ";
        } catch (TimeoutException late) {
            settled.cancel(false);
        } catch (ExecutionException impossible) {
            throw new IllegalStateException(impossible);
        }
        List<SecretStatus> problems = nodes().stream()
                .filter(secret -> !secret.optional())
                .map(SecretNode::status)
                .filter(status -> status.state() == SecretState.LOADING || status.state() == SecretState.UNAVAILABLE)
                .toList();
        if (!problems.isEmpty()) {
            throw new SecretStartupException(describe(problems, silence), problems);
        }
    }

    /** Options for a misspelt name would change nothing, and nobody would know. */
    private void warnAboutUnusedOptions() {
        Set<String> unused = new TreeSet<>(options.keySet());
        synchronized (lock) {
            unused.removeAll(secrets.keySet());
        }
        if (!unused.isEmpty()) {
            log.warn("Options are set for secrets that nobody has asked for so far: {}; check their names", unused);
        }
    }

    /** Starts without waiting. The future is completed when each secret can be read or cannot without outside help. */
    CompletableFuture<Void> begin() {
        CompletableFuture<Void> settled = new CompletableFuture<>();
        List<ReadGroup> all;
        boolean again;
        synchronized (lock) {
            again = started;
            started = true;
            all = List.copyOf(groups);
        }
        if (again) { // what was hopeless may have been mended since
            var asked = all.stream()
                    .filter(group -> !group.warm())
                    .map(group -> group.refresh(RefreshCause.OPERATOR))
                    .toArray(CompletableFuture<?>[]::new);
            var unused = CompletableFuture.allOf(asked)
                    .thenCompose(read -> CompletableFuture.allOf(nodes().stream()
                            .map(secret -> secret.feed().settle())
                            .toArray(CompletableFuture<?>[]::new)))
                    .whenComplete((done, failure) -> settleLater(settled));
        } else {
            startTogether(all);
            all.forEach(ReadGroup::start);
            settleLater(settled);
        }
        return settled;
    }

    private void settleLater(CompletableFuture<Void> settled) {
        synchronized (lock) {
            starting.add(settled);
        }
        checkStarting();
    }

    /** Lets groups share their first read where their store can answer all at once. */
    private static void startTogether(List<ReadGroup> groups) {
        IdentityHashMap<SecretStore, List<ReadGroup>> byStore = new IdentityHashMap<>();
        for (ReadGroup group : groups) {
            if (group.store().startsTogether()) {
                byStore.computeIfAbsent(group.store(), store -> new ArrayList<>())
                        .add(group);
            }
        }
        byStore.forEach((store, several) -> {
            if (several.size() > 1) {
                FirstReads first = new FirstReads(store);
                several.forEach(group -> group.startWith(first));
            }
        });
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

    private static String describe(List<SecretStatus> problems, String silence) {
        StringBuilder text = new StringBuilder();
        text.append(problems.size() == 1 ? "1 secret" : problems.size() + " secrets")
                .append(" could not be loaded:");
        for (SecretStatus problem : problems) {
            text.append("\n  - '").append(problem.name()).append("': ");
            if (problem.state() == SecretState.LOADING) {
                text.append(silence).append(problem.store()).append("; ").append(Outcome.UNREACHABLE.advice());
            } else {
                text.append(problem.detail());
            }
        }
        return text.toString();
    }

    /**
     * {@return the handle on a secret that is in use; empty if none was made for it} Unlike {@link #secret} it makes none, so that
     * it can be asked with names from outside, such as those of an event that says what was rotated:
     *
     * <pre>{@code
     * secrets.find(event.secretName()).ifPresent(secret -> secret.refresh(RefreshCause.OPERATOR));
     * }</pre>
     *
     * @param name the name of the secret as {@link SecretStatus#name} tells it
     */
    public Optional<RotatingSecret> find(String name) {
        synchronized (lock) {
            return Optional.ofNullable(secrets.get(name));
        }
    }

    /** {@return the state of each secret, in the order in which the handles were made} No I/O, no values. */
    public List<SecretStatus> statuses() {
        return nodes().stream().map(SecretNode::status).toList();
    }

    private List<SecretNode> nodes() {
        synchronized (lock) {
            return List.copyOf(secrets.values());
        }
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

    /**
     * {@return how many calls each store has made of its service so far, by its {@link SecretStore#description}} Only of the
     * stores that count them. No I/O.
     */
    public Map<String, Long> calls() {
        return stores.calls();
    }

    /** Ends all background work. Handles keep serving what they have. */
    @Override
    public void close() {
        List<ReadGroup> all;
        synchronized (lock) {
            closed = true;
            all = List.copyOf(groups);
        }
        all.forEach(ReadGroup::close);
        threads.close();
        nodes().forEach(secret -> secret.feed().close());
    }

    /** The store and the number of secrets; never a value. */
    @Override
    public String toString() {
        synchronized (lock) {
            return "SecretSource[" + stores.description() + ", " + secrets.size() + " secrets]";
        }
    }

    /** Collects what a source is made of. Not safe for use by several threads. */
    public static final class Builder {

        private static final Duration LONGEST_INTERVAL = Duration.ofDays(30);

        private final @Nullable SecretStore plain;
        private final Map<String, SecretStore> prefixed = new LinkedHashMap<>();
        private final Map<String, SecretOptions> options = new HashMap<>();
        private Duration refreshInterval = Duration.ofSeconds(60);
        private Duration grace = Duration.ofHours(24);
        private @Nullable Duration maxStale;
        private boolean failClosed;
        private Clock clock = Clock.systemUTC();
        private @Nullable EngineThreads threads;

        private Builder(@Nullable SecretStore plain) {
            this.plain = plain;
        }

        /**
         * Adds a store whose secrets are asked for with a prefix: {@code aws:db-creds}.
         *
         * @param prefix a letter, and then letters, digits, '.', '_' and '-'. References of vendors look for {@code azure},
         *     {@code aws} and {@code op}; for a second vault, use its name
         * @param store the store
         * @return this builder
         * @throws IllegalArgumentException if the prefix is malformed or taken
         */
        public Builder store(String prefix, SecretStore store) {
            if (!SecretReference.isPrefix(prefix)) {
                throw new IllegalArgumentException(
                        "the prefix of a store must begin with a letter, have letters, digits, "
                                + "'.', '_' and '-' only, and not be 'arn', but is " + SecretReference.quoted(prefix));
            }
            if (prefixed.putIfAbsent(prefix, Objects.requireNonNull(store, "store")) != null) {
                throw new IllegalArgumentException("there are two stores with the prefix '" + prefix + "'");
            }
            return this;
        }

        /**
         * Sets how often the store is checked; a tenth more or less at random, so that a fleet spreads out. Default 60
         * seconds.
         *
         * @param interval at least 10 milliseconds, at most 30 days
         * @return this builder
         * @throws IllegalArgumentException if it is not
         */
        public Builder refreshInterval(Duration interval) {
            if (interval.compareTo(Duration.ofMillis(10)) < 0 || interval.compareTo(LONGEST_INTERVAL) > 0) {
                throw new IllegalArgumentException(
                        "refreshInterval must be at least 10 ms and at most 30 days, but is " + interval);
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
         * Sets how long values may be served without a successful check, for secrets that {@link SecretOptions#maxStale} says
         * nothing else for. Default: no limit.
         *
         * @param period at least two refresh intervals, at most 100 years
         * @return this builder
         * @throws IllegalArgumentException if it is longer
         */
        public Builder maxStale(Duration period) {
            SecretOptions.checkNotAbsurd("maxStale", period);
            this.maxStale = period;
            return this;
        }

        /**
         * Refuses every secret once it is past its limit, which {@link #maxStale} sets: reads throw {@link
         * SecretUnavailableException} until a check succeeds.
         *
         * @return this builder
         */
        public Builder failClosed() {
            this.failClosed = true;
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
         * @param reference the secret, as {@link SecretSource#secret} or {@link SecretSource#composed} is asked for it; a field
         *     in it does not matter, since options are for the whole
         * @param changes sets what differs; called at once
         * @return this builder
         */
        public Builder secret(String reference, Consumer<SecretOptions> changes) {
            changes.accept(options.computeIfAbsent(reference, key -> new SecretOptions()));
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
         * @throws IllegalStateException if it has no store
         * @throws IllegalArgumentException if settings contradict each other
         */
        public SecretSource build() {
            if (plain == null && prefixed.isEmpty()) {
                throw new IllegalStateException("a source needs a store: add one with store(prefix, store)");
            }
            if (failClosed && maxStale == null) {
                throw new IllegalArgumentException("secrets are to fail closed, but no maxStale says when: set both");
            }
            if (maxStale != null && maxStale.compareTo(refreshInterval.multipliedBy(2)) < 0) {
                throw new IllegalArgumentException("maxStale is " + maxStale + ", but must be at least two refresh"
                        + " intervals of " + refreshInterval + ", or one late check would count as staleness");
            }
            RotationPolicy policy = new RotationPolicy(refreshInterval, grace);
            options.forEach((name, one) -> one.settings(name, policy, maxStale, failClosed));
            return new SecretSource(this, threads == null ? EngineThreads.real(clock) : threads);
        }
    }
}
