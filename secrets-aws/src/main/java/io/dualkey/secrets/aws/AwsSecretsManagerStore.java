package io.dualkey.secrets.aws;

import io.dualkey.secrets.Outcome;
import io.dualkey.secrets.SecretStore;
import io.dualkey.secrets.StoreQuery;
import io.dualkey.secrets.StoreResult;
import io.dualkey.secrets.StoredSecret;
import io.dualkey.secrets.StoredVersion;
import io.dualkey.secrets.StoredVersion.Stage;
import io.dualkey.secrets.aws.CallFailedException.About;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.secretsmanager.SecretsManagerClient;

/**
 * AWS Secrets Manager, in one region.
 *
 * <pre>{@code
 * var secrets = SecretSource.from(AwsSecretsManagerStore.in("eu-central-1"));
 * var database = secrets.secret("prod/orders/db#password");
 * secrets.start(Duration.ofSeconds(10));
 * }</pre>
 *
 * <p>Secrets are named as the service names them: by name, by ARN, or by ARN without the six characters at its end. What
 * is labelled {@code AWSCURRENT} is current, {@code AWSPREVIOUS} is previous, and {@code AWSPENDING} is upcoming.
 *
 * <p>A check is one call of {@code DescribeSecret}, which tells the labels and no value; values are read when a label has
 * moved. Where that action is not allowed, a check reads the current value, and the previous one for as long as it may be
 * accepted. At startup, current values are read twenty at a time by {@code BatchGetSecretValue} where that is allowed.
 * The guide {@code docs/aws.md} has the policies, the calls and their cost, and how exact the grace period is.
 *
 * <p>Safe for use by several threads.
 */
public final class AwsSecretsManagerStore implements SecretStore, AutoCloseable {

    /*
     * Concurrency: this store remembers what it may not do, and nothing else; what was read travels in the queries. `access`
     * has an entry for each secret of which one of the two actions was refused. The reads of one secret follow each other,
     * so an entry has one writer at a time, as has one of `leftOut`, the label of which was said last that its version cannot be
     * read. The flags only ever go from false to true. No call is made under a lock.
     */

    private static final Logger log = LoggerFactory.getLogger(AwsSecretsManagerStore.class);

    /** What a check of a secret begins with, where it is not DescribeSecret. */
    private enum Access {
        /** DescribeSecret is not allowed, and GetSecretValue is. */
        GET_ONLY,
        /** The current value could not be read. It is asked for first, so that each check that fails costs one call. */
        NO_VALUE
    }

    private final SecretsManagerCalls calls;
    private final @Nullable SecretsManagerClient own;
    private final String region;
    private final Map<String, Access> access = new ConcurrentHashMap<>();
    private final Map<String, String> leftOut = new ConcurrentHashMap<>();
    private final AtomicBoolean batchRefused = new AtomicBoolean();
    private final AtomicBoolean toldOfDescribe = new AtomicBoolean();

    private AwsSecretsManagerStore(SecretsManagerClient client, @Nullable SecretsManagerClient own) {
        this.own = own;
        this.calls = new SecretsManagerCalls(client);
        this.region = String.valueOf(client.serviceClientConfiguration().region());
    }

    /**
     * {@return the secrets of a region, read with the SDK's default chain of credentials} The client does not retry, since the
     * {@link io.dualkey.secrets.SecretSource} does, and gives up a call after 10 seconds.
     *
     * @param region as in {@code eu-central-1}
     */
    public static AwsSecretsManagerStore in(String region) {
        SecretsManagerClient client = DefaultClient.in(Region.of(region)).build();
        return new AwsSecretsManagerStore(client, client);
    }

    /**
     * {@return the secrets that a client reads} For credentials, an endpoint or an HTTP client of your own. Let it retry little
     * or not at all, and set {@code apiCallTimeout}, so that a check ends. It is yours to close.
     *
     * @param client a client
     */
    public static AwsSecretsManagerStore over(SecretsManagerClient client) {
        return new AwsSecretsManagerStore(Objects.requireNonNull(client, "client"), null);
    }

    @Override
    public String description() {
        return "AWS Secrets Manager " + region;
    }

    @Override
    public Optional<String> address() {
        return Optional.of("aws:" + region);
    }

    @Override
    public OptionalLong calls() {
        return OptionalLong.of(calls.count());
    }

    @Override
    public boolean startsTogether() {
        return true;
    }

    /** Ends the threads of the client that {@link #in} made; a client of one's own stays open. Close the source first. */
    @Override
    public void close() {
        if (own != null) {
            own.close();
        }
    }

    /** The region; no credentials. */
    @Override
    public String toString() {
        return description();
    }

    @Override
    public List<StoreResult> read(List<StoreQuery> queries) {
        Map<String, VersionValue> current = new HashMap<>();
        CallFailedException broken = startTogether(queries, current);
        List<StoreResult> results = new ArrayList<>();
        for (StoreQuery query : queries) {
            if (broken == null && Thread.currentThread().isInterrupted()) {
                broken = new CallFailedException(
                        About.EVERYTHING, Outcome.UNREACHABLE, "the read was interrupted", null);
            }
            if (broken != null) { // it would be for all the others as well, each after its timeout
                results.add(broken.result());
                continue;
            }
            try {
                results.add(readOne(query, current.get(query.name())));
            } catch (CallFailedException failed) {
                results.add(failed.result());
                broken = failed.about() == About.EVERYTHING ? failed : null;
            }
        }
        return results;
    }

    /**
     * Reads the current versions of secrets of which nothing is known yet, many in a call.
     *
     * @param current what was read, by name
     * @return why nothing can be read at all; null if that is not so
     */
    private @Nullable CallFailedException startTogether(List<StoreQuery> queries, Map<String, VersionValue> current) {
        Set<String> names = new LinkedHashSet<>();
        for (StoreQuery query : queries) {
            if (query.known().isEmpty() && query.version().isEmpty()) {
                names.add(query.name());
            }
        }
        List<String> rest = new ArrayList<>(names);
        while (rest.size() > 1 && !batchRefused.get()) {
            List<String> batch = rest.subList(0, Math.min(SecretsManagerCalls.BATCH_SIZE, rest.size()));
            try {
                current.putAll(calls.current(batch));
            } catch (CallFailedException failed) {
                if (failed.about() == About.PERMISSION) {
                    batchRefused.set(true);
                    log.info(
                            "{} does not allow {}: secrets are read one by one at startup",
                            description(),
                            SecretsManagerCalls.BATCH);
                } else if (failed.about() == About.EVERYTHING && failed.outcome() != Outcome.THROTTLED) {
                    return failed;
                }
                return null; // reading them one by one has a quota of its own, a hundred times larger
            }
            rest = rest.subList(batch.size(), rest.size());
        }
        return null;
    }

    private StoreResult readOne(StoreQuery query, @Nullable VersionValue current) throws CallFailedException {
        String name = query.name();
        String pinned = query.version().orElse(null);
        if (pinned != null) {
            return readPinned(query, pinned);
        }
        Access known = access.get(name);
        if (known != null) {
            VersionValue read = current == null ? readCurrent(name) : current;
            if (known == Access.GET_ONLY) {
                return answerByValue(query, read);
            }
            access.remove(name); // it can be read again: ask once more what is allowed
            current = read;
        }
        Description description;
        try {
            description = calls.describe(name);
        } catch (CallFailedException failed) {
            if (failed.about() != About.PERMISSION) {
                throw failed;
            }
            access.put(name, Access.GET_ONLY); // unless that is not possible either
            VersionValue read = current == null ? readCurrent(name) : current;
            if (!toldOfDescribe.getAndSet(true)) {
                log.warn(
                        "{} does not allow {} for secret '{}' and maybe others: each check reads the value instead,"
                                + " and the grace period is counted from when a version was created;"
                                + " allow secretsmanager:{} and start this process again",
                        description(),
                        SecretsManagerCalls.DESCRIBE,
                        name,
                        SecretsManagerCalls.DESCRIBE);
            }
            return answerByValue(query, read);
        }
        return answerByLabels(query, description, current);
    }

    private VersionValue readCurrent(String name) throws CallFailedException {
        try {
            return calls.labelled(name, Description.CURRENT);
        } catch (CallFailedException failed) {
            noteUnreadable(name, failed);
            throw failed;
        }
    }

    private void noteUnreadable(String name, CallFailedException failed) {
        if (failed.about() == About.PERMISSION || failed.about() == About.SECRET) {
            access.put(name, Access.NO_VALUE);
        }
    }

    private StoreResult readPinned(StoreQuery query, String version) throws CallFailedException {
        VersionValue read = calls.version(query.name(), version);
        String tag = "pinned|" + read.id();
        return isKnown(query, tag)
                ? StoreResult.unchanged()
                : found(tag, List.of(dated(read, Stage.NONE, read.created())));
    }

    /** The answer where DescribeSecret is allowed. */
    private StoreResult answerByLabels(StoreQuery query, Description labels, @Nullable VersionValue read)
            throws CallFailedException {
        String name = query.name();
        if (labels.deleted()) {
            return StoreResult.failed(
                    Outcome.NOT_FOUND, "it is scheduled for deletion: restore it while that is possible");
        }
        String id = labels.current();
        if (id == null) {
            // The service takes the label from the old version before it puts it on the new one. Nothing was
            // withdrawn, so what is served stands; but should it last, operators must see it.
            return StoreResult.failed(
                    Outcome.UNREACHABLE,
                    "no version has the label " + Description.CURRENT
                            + ": a rotation is moving it just now, or the secret has no value yet");
        }
        if (isKnown(query, labels.tag()) || isKnown(query, labels.exactTag())) {
            return StoreResult.unchanged();
        }
        VersionValue current = read != null && read.id().equals(id) ? read : asDescribed(readCurrent(name), id);
        boolean inGrace = isAccepted(labels.latestActivation(current.created()), query);
        VersionValue previous = inGrace ? readIfPossible(name, Description.PREVIOUS, labels.previous()) : null;
        VersionValue pending = readIfPossible(name, Description.PENDING, labels.pending());

        boolean rolledBack = previous != null && isAfter(previous.created(), current.created());
        boolean incomplete =
                (previous == null && labels.previous() != null) || (pending == null && labels.pending() != null);
        List<StoredVersion> versions = new ArrayList<>();
        if (previous != null) {
            versions.add(dated(previous, Stage.PREVIOUS, previous.created()));
        }
        versions.add(dated(current, Stage.CURRENT, labels.activation(current.created(), rolledBack)));
        if (pending != null) {
            versions.add(dated(pending, Stage.PENDING, null));
        }
        // A value that is put later, and a label that is moved back, show in the time of the last change alone.
        return found(rolledBack || incomplete ? labels.exactTag() : labels.tag(), versions);
    }

    /** Versions of before and after a rotation are never put together. */
    private static VersionValue asDescribed(VersionValue read, String id) throws CallFailedException {
        if (read.id().equals(id)) {
            return read;
        }
        throw new CallFailedException(
                About.LABEL, Outcome.UNREACHABLE, "a rotation moved its labels while it was read", null);
    }

    /**
     * A version beside the current one: null where there is none, where it has no value yet, and where it cannot be read for a
     * reason that will last. A new current version must not wait for those.
     */
    private @Nullable VersionValue readIfPossible(String name, String label, @Nullable String id)
            throws CallFailedException {
        VersionValue read = id == null ? null : readIfPossible(name, label);
        return read == null || id == null ? null : asDescribed(read, id);
    }

    private @Nullable VersionValue readIfPossible(String name, String label) throws CallFailedException {
        try {
            return calls.labelled(name, label);
        } catch (CallFailedException failed) {
            if (failed.about() == About.EVERYTHING) {
                throw failed;
            }
            if (failed.about() != About.LABEL
                    && failed.outcome() != Outcome.NOT_FOUND
                    && !label.equals(leftOut.put(name, label))) {
                log.warn("The version {} of secret '{}' is left out: {}", label, name, failed.detail());
            }
            return null;
        }
    }

    /** The answer where only GetSecretValue is allowed. */
    private StoreResult answerByValue(StoreQuery query, VersionValue current) throws CallFailedException {
        String tag = "get|" + current.id() + "|";
        StoredSecret known = query.known().orElse(null);
        if (known != null && known.tag().startsWith(tag) && !isAccepted(lastActivation(known), query)) {
            return StoreResult.unchanged(); // there is no previous version to accept, whether it has its label or not
        }
        VersionValue previous = readIfPossible(query.name(), Description.PREVIOUS);
        tag += previous == null ? null : previous.id();
        if (isKnown(query, tag)) {
            return StoreResult.unchanged();
        }
        List<StoredVersion> versions = new ArrayList<>();
        if (previous != null && !previous.id().equals(current.id())) {
            versions.add(dated(previous, Stage.PREVIOUS, previous.created()));
        }
        versions.add(dated(current, Stage.CURRENT, current.created()));
        return found(tag, versions);
    }

    /** From when on a previous version's grace is counted: the label counts, even where the times contradict it. */
    private static @Nullable Instant lastActivation(StoredSecret known) {
        return Description.latest(known.versions().stream()
                .map(version -> version.activatedAt().orElse(null))
                .toArray(Instant[]::new));
    }

    /** Whether what was succeeded at a moment is still accepted. */
    private static boolean isAccepted(@Nullable Instant succeeded, StoreQuery query) {
        if (succeeded == null) {
            return false;
        }
        try {
            return query.now().isBefore(succeeded.plus(query.grace()));
        } catch (DateTimeException | ArithmeticException farAway) {
            return true;
        }
    }

    private static boolean isAfter(@Nullable Instant one, @Nullable Instant other) {
        return one != null && other != null && one.isAfter(other);
    }

    private static boolean isKnown(StoreQuery query, String tag) {
        return query.known().map(known -> known.tag().equals(tag)).orElse(false);
    }

    private static StoredVersion dated(VersionValue version, Stage stage, @Nullable Instant activated) {
        StoredVersion stored = StoredVersion.of(version.id(), version.value()).withStage(stage);
        return activated == null ? stored : stored.withActivatedAt(activated);
    }

    private static StoreResult found(String tag, List<StoredVersion> versions) {
        return StoreResult.found(StoredSecret.of(tag, versions));
    }
}
