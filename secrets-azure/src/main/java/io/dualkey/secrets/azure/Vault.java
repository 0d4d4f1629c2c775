package io.dualkey.secrets.azure;

import com.azure.core.http.rest.PagedResponse;
import com.azure.core.util.Context;
import com.azure.security.keyvault.secrets.SecretClient;
import com.azure.security.keyvault.secrets.models.KeyVaultSecret;
import com.azure.security.keyvault.secrets.models.SecretProperties;
import io.dualkey.secrets.Outcome;
import io.dualkey.secrets.SecretValue;
import io.dualkey.secrets.StoreResult;
import io.dualkey.secrets.StoredVersion;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The calls to one vault, and what is remembered of it: whether versions may be listed. Safe for use by several threads. */
final class Vault {

    /**
     * 1,000 versions at 25 a page: a rotation each day for nearly three years. More would take a start longer than its
     * deadline, and only those of the last grace period matter.
     */
    static final int MAX_PAGES = 40;

    /** The service takes 25 KB; this leaves room for other ways of counting. */
    static final int MAX_VALUE = 32 * 1024;

    private static final Logger log = LoggerFactory.getLogger(AzureKeyVaultStore.class);

    /** What a GET brought. */
    sealed interface Answer {}

    /**
     * A version with its value.
     *
     * @param version the version
     */
    record Got(StoredVersion version) implements Answer {}

    /** That the version is disabled; an answer to an unversioned GET does not say which one. */
    record Disabled() implements Answer {}

    /** That there is no such version. */
    record Missing(StoreResult result) implements Answer {}

    /**
     * What a list brought.
     *
     * @param versions without values, in no order
     * @param pages how many pages were read
     * @param complete whether these are all
     */
    record Listing(List<StoredVersion> versions, int pages, boolean complete) {}

    /** A call failed, and the check with it. */
    static final class FailedCallException extends Exception {

        private static final long serialVersionUID = 1;

        private final transient StoreResult result;

        FailedCallException(StoreResult result) {
            super("a call failed", null, false, false);
            this.result = result;
        }

        StoreResult result() {
            return result;
        }
    }

    private final SecretClient client;
    private final String description;
    private final LongAdder calls = new LongAdder();
    /** Secrets whose versions this identity may not list: roles can be given for single secrets. */
    private final Set<String> notListable = ConcurrentHashMap.newKeySet();

    private final AtomicBoolean toldOfListing = new AtomicBoolean();
    /** For how many checks not to list secrets whose versions are all disabled, so that an error costs no more than health. */
    private final Map<String, Integer> rests = new ConcurrentHashMap<>();

    Vault(SecretClient client, String description) {
        this.client = client;
        this.description = description;
    }

    /** How many calls of the vault there were, without those that get a token. */
    long calls() {
        return calls.sum();
    }

    /** Whether listing has not been refused so far. */
    boolean mayList(String name) {
        return !notListable.contains(name);
    }

    /** Notes that listing a secret was in vain, and for how many checks not to do it again. */
    void restFrom(String name, int checks) {
        rests.put(name, checks);
    }

    /** Whether it is too early to list a secret again. */
    boolean rests(String name) {
        return rests.computeIfPresent(name, (any, left) -> left > 0 ? left - 1 : null) != null;
    }

    /**
     * Reads one version.
     *
     * @param version its id; null for the latest
     */
    Answer get(String name, @Nullable String version) throws FailedCallException, InterruptedException {
        String action = "reading secret '" + name + "'" + (version == null ? "" : ", version " + version + ",");
        KeyVaultSecret secret;
        calls.increment();
        try {
            secret = client.getSecretWithResponse(name, version, Context.NONE).getValue();
        } catch (RuntimeException | Error failure) {
            if (Failures.disabled(failure)) {
                return new Disabled();
            }
            StoreResult result = result(failure, action);
            if (Failures.missing(failure)) {
                return new Missing(result);
            }
            throw new FailedCallException(result);
        }
        if (secret == null
                || secret.getValue() == null
                || secret.getProperties().getVersion() == null) {
            throw new FailedCallException(StoreResult.failed(
                    Outcome.UNREACHABLE, action + " failed: the answer is not what a key vault answers"));
        }
        SecretValue value = SecretValue.ofText(secret.getValue());
        if (value.length() > MAX_VALUE) {
            throw new FailedCallException(StoreResult.failed(
                    Outcome.MALFORMED, action + " gave a value of more than " + MAX_VALUE + " bytes"));
        }
        return new Got(dated(StoredVersion.of(secret.getProperties().getVersion(), value), secret.getProperties()));
    }

    /**
     * Lists the versions, as far as there are not too many.
     *
     * @return null if this identity may not, which is then not tried again
     */
    @Nullable
    Listing list(String name) throws FailedCallException, InterruptedException {
        String action = "listing the versions of secret '" + name + "'";
        List<StoredVersion> versions = new ArrayList<>();
        int pages = 0;
        String next = null;
        calls.increment();
        try {
            for (PagedResponse<SecretProperties> page :
                    client.listPropertiesOfSecretVersions(name).iterableByPage()) {
                for (SecretProperties properties : page.getValue()) {
                    if (properties.getVersion() != null) {
                        versions.add(dated(StoredVersion.unread(properties.getVersion()), properties));
                    }
                }
                next = page.getContinuationToken();
                if (++pages == MAX_PAGES || next == null || next.isEmpty()) {
                    break;
                }
                calls.increment();
            }
        } catch (RuntimeException | Error failure) {
            if (Failures.notPermitted(failure)) {
                denied(name);
                return null;
            }
            throw new FailedCallException(result(failure, action));
        }
        return new Listing(versions, pages, next == null || next.isEmpty());
    }

    private void denied(String name) {
        notListable.add(name);
        if (toldOfListing.compareAndSet(false, true)) {
            log.warn(
                    "{}: listing versions is not permitted. Rotations are seen all the same, but after a restart the"
                            + " previous version is not known, and so not accepted. Grant 'list' on secrets, or the role"
                            + " Key Vault Secrets User. It is not tried again before a restart",
                    description);
        }
    }

    private static StoreResult result(Throwable failure, String action) throws InterruptedException {
        if (failure instanceof VirtualMachineError broken) {
            throw broken; // not the vault's doing
        }
        if (Failures.interruption(failure).isPresent()) {
            throw new InterruptedException();
        }
        return Failures.of(failure, action);
    }

    private static StoredVersion dated(StoredVersion version, SecretProperties properties) {
        StoredVersion dated = version.withEnabled(!Boolean.FALSE.equals(properties.isEnabled()));
        OffsetDateTime created = properties.getCreatedOn();
        OffsetDateTime opens = properties.getNotBefore();
        OffsetDateTime expires = properties.getExpiresOn();
        dated = created == null ? dated : dated.withActivatedAt(created.toInstant());
        dated = opens == null ? dated : dated.withNotBefore(opens.toInstant());
        return expires == null ? dated : dated.withExpires(expires.toInstant());
    }
}
