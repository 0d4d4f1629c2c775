package io.dualkey.secrets;

import java.time.Clock;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/**
 * A store in memory, for the tests of applications: rotate, disable and remove versions, let reads fail, count them. It
 * keeps history with timestamps as a cloud vault does. Safe for use by several threads.
 *
 * <pre>{@code
 * var store = new InMemoryStore();
 * store.put("api-key", "first");
 * var secrets = SecretSource.from(store);
 * }</pre>
 */
public final class InMemoryStore implements SecretStore {

    private final Clock clock;
    private final Object lock = new Object();
    private final Map<String, List<StoredVersion>> secrets = new HashMap<>();
    private @Nullable StoreResult failure;
    private @Nullable CountDownLatch hanging;
    private long changes;
    private long reads;

    /** An empty store that dates versions by the system's clock. */
    public InMemoryStore() {
        this(Clock.systemUTC());
    }

    /**
     * An empty store that dates versions by a clock.
     *
     * @param clock says when a version is put
     */
    public InMemoryStore(Clock clock) {
        this.clock = Objects.requireNonNull(clock, "clock");
    }

    /**
     * Adds a version that is in force from now on.
     *
     * @param name the secret
     * @param value the new value
     * @return the id of the version
     */
    public String put(String name, String value) {
        return put(name, SecretValue.ofText(value));
    }

    /**
     * Adds a version that is in force from now on.
     *
     * @param name the secret
     * @param value the new value
     * @return the id of the version
     */
    public String put(String name, SecretValue value) {
        synchronized (lock) {
            String id = "v" + (changes + 1);
            add(name, StoredVersion.of(id, value).withActivatedAt(clock.instant()));
            return id;
        }
    }

    /**
     * Adds a version with times of its own, such as one that is announced with {@link StoredVersion#withNotBefore}.
     *
     * @param name the secret
     * @param version the version
     */
    public void add(String name, StoredVersion version) {
        synchronized (lock) {
            changes++;
            secrets.computeIfAbsent(name, key -> new ArrayList<>()).add(version);
        }
    }

    /**
     * Disables a version, as an operator does whose key has leaked.
     *
     * @param name the secret
     * @param id the version's id
     */
    public void disable(String name, String id) {
        synchronized (lock) {
            changes++;
            versions(name).replaceAll(version -> version.id().equals(id) ? version.withEnabled(false) : version);
        }
    }

    /**
     * Removes a version.
     *
     * @param name the secret
     * @param id the version's id
     */
    public void remove(String name, String id) {
        synchronized (lock) {
            changes++;
            versions(name).removeIf(version -> version.id().equals(id));
        }
    }

    /**
     * Removes a secret with all its versions.
     *
     * @param name the secret
     */
    public void delete(String name) {
        synchronized (lock) {
            changes++;
            secrets.remove(name);
        }
    }

    /**
     * Lets all reads fail until {@link #recover}.
     *
     * @param outcome how they fail; not {@link Outcome#OK}
     */
    public void failWith(Outcome outcome) {
        synchronized (lock) {
            failure = StoreResult.failed(outcome, outcome.description());
        }
    }

    /**
     * Lets all reads hang, as those of a vault do that takes connections and does not answer, until {@link #recover}.
     */
    public void hang() {
        synchronized (lock) {
            hanging = hanging == null ? new CountDownLatch(1) : hanging;
        }
    }

    /** Ends {@link #failWith} and {@link #hang}. */
    public void recover() {
        synchronized (lock) {
            failure = null;
            if (hanging != null) {
                hanging.countDown();
                hanging = null;
            }
        }
    }

    /** {@return how many reads were made so far, one for each secret and check} */
    public long reads() {
        synchronized (lock) {
            return reads;
        }
    }

    private List<StoredVersion> versions(String name) {
        List<StoredVersion> versions = secrets.get(name);
        if (versions == null) {
            throw new IllegalArgumentException("no secret '" + name + "' has been put");
        }
        return versions;
    }

    @Override
    public OptionalLong calls() {
        return OptionalLong.of(reads());
    }

    @Override
    public String description() {
        return "memory";
    }

    @Override
    public List<StoreResult> read(List<StoreQuery> queries) throws InterruptedException {
        CountDownLatch answer;
        synchronized (lock) {
            answer = hanging;
        }
        if (answer != null) {
            answer.await();
        }
        synchronized (lock) {
            return queries.stream().map(this::read).toList();
        }
    }

    private StoreResult read(StoreQuery query) {
        reads++;
        if (failure != null) {
            return failure;
        }
        List<StoredVersion> versions = secrets.get(query.name());
        if (versions == null) {
            return StoreResult.failed(Outcome.NOT_FOUND, Outcome.NOT_FOUND.description());
        }
        String tag = Long.toString(changes);
        if (query.known().map(known -> known.tag().equals(tag)).orElse(false)) {
            return StoreResult.unchanged();
        }
        return StoreResult.found(StoredSecret.of(tag, versions));
    }
}
