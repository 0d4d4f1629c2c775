package io.dualkey.examples.mirror;

import com.azure.core.exception.HttpResponseException;
import com.azure.core.exception.ResourceModifiedException;
import com.azure.core.exception.ResourceNotFoundException;
import com.azure.security.keyvault.secrets.SecretClient;
import com.azure.security.keyvault.secrets.models.KeyVaultSecret;
import com.azure.security.keyvault.secrets.models.SecretProperties;
import io.dualkey.secrets.Outcome;
import io.dualkey.secrets.Registration;
import io.dualkey.secrets.RotatingSecret;
import io.dualkey.secrets.SecretObserver;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.SecretValue;
import io.dualkey.secrets.UnusableSecretException;
import io.dualkey.secrets.Version;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes the current version of secrets of a source to a key vault, whenever it is another one. Safe for use by several
 * threads.
 */
final class SecretMirror implements AutoCloseable {

    /*
     * Concurrency: all writes, and all that is remembered of them, belong to the one thread of `worker`. A task does not carry
     * a version but takes the one that is current when it runs, so an old one never follows a new one, and a version that
     * failed and was replaced meanwhile is not written any more.
     */

    /** The tag that tells operators of the key vault which version they look at. */
    static final String VERSION_TAG = "aws-version-id";

    private static final Logger log = LoggerFactory.getLogger(SecretMirror.class);

    private final SecretClient vault;
    private final ExecutorService worker = Executors.newSingleThreadExecutor(task -> {
        Thread thread = new Thread(task, "secret-mirror");
        thread.setDaemon(true);
        return thread;
    });
    private final Map<String, Copy> copies = new LinkedHashMap<>(); // filled when made, then only read
    private final List<Registration> registrations = new ArrayList<>(); // likewise

    /** One secret and the name of its copy. */
    private final class Copy {

        private final RotatingSecret secret;
        private final String target;
        private @Nullable Version<SecretValue> written; // on the worker only

        Copy(RotatingSecret secret, String target) {
            this.secret = secret;
            this.target = target;
        }

        void bringUpToDate() {
            Version<SecretValue> current = secret.versions().current().orElse(null);
            Version<SecretValue> last = written;
            if (current == null || (last != null && last.generation() == current.generation())) {
                return;
            }
            try {
                boolean wrote = write(current);
                written = current;
                log.info(
                        "Secret '{}', version {}: {} '{}'",
                        secret.name(),
                        current.id(),
                        wrote ? "written to" : "already in",
                        target);
            } catch (
                    RuntimeException
                            failure) { // whatever it is, the other secrets go on and the next check tries again
                log.warn(
                        "Secret '{}', version {}, could not be written to '{}': {}; the next check tries again",
                        secret.name(),
                        current.id(),
                        target,
                        reason(failure));
            }
        }

        /** Says whether anything had to be written: not after a restart, and not if an answer was merely lost. */
        private boolean write(Version<SecretValue> version) {
            String text = version.value().revealText();
            try {
                String held = vault.getSecret(target).getValue();
                if (SecretValue.ofText(held).equals(version.value())) { // in constant time
                    return false;
                }
            } catch (ResourceNotFoundException none) {
                log.debug("There is no '{}' yet", target);
            } catch (ResourceModifiedException disabled) { // an operator's word about the version that is there
                if (version.id().equals(versionOfLatestCopy())) {
                    return false;
                }
            }
            var unused = vault.setSecret(new KeyVaultSecret(target, text)
                    .setProperties(new SecretProperties().setTags(Map.of(VERSION_TAG, version.id()))));
            return true;
        }

        /** Which version the latest copy is of, by its tag; it can be asked where the value cannot. */
        private @Nullable String versionOfLatestCopy() {
            SecretProperties latest = null;
            for (SecretProperties one : vault.listPropertiesOfSecretVersions(target)) {
                if (latest == null || !one.getCreatedOn().isBefore(latest.getCreatedOn())) {
                    latest = one;
                }
            }
            return latest == null || latest.getTags() == null
                    ? null
                    : latest.getTags().get(VERSION_TAG);
        }
    }

    /**
     * Begins to mirror; the first writes follow the start of the source.
     *
     * @param source has the secrets
     * @param vault takes them
     * @param targets the secrets' names, and those of their copies
     */
    SecretMirror(SecretSource source, SecretClient vault, Map<String, String> targets) {
        this.vault = vault;
        targets.forEach((name, target) -> copies.put(name, new Copy(source.secret(name), target)));
        for (Copy copy : copies.values()) {
            registrations.add(copy.secret.onRotation(version -> worker.execute(copy::bringUpToDate)));
        }
        registrations.add(source.observe(new SecretObserver() {
            @Override
            public void checked(String secret, Outcome outcome, Duration took) {
                Copy copy = copies.get(secret);
                if (copy != null) { // which does nothing unless a write has failed
                    worker.execute(copy::bringUpToDate);
                }
            }
        }));
    }

    /** Never the message: it may quote what was sent. */
    private static String reason(RuntimeException failure) {
        if (failure instanceof UnusableSecretException unusable) {
            return String.valueOf(unusable.getMessage());
        }
        String name = failure.getClass().getSimpleName();
        return failure instanceof HttpResponseException refused && refused.getResponse() != null
                ? name + ", HTTP " + refused.getResponse().getStatusCode()
                : name;
    }

    /** Lets a write that is under way end. */
    @Override
    public void close() {
        registrations.forEach(Registration::close);
        worker.shutdown();
        try {
            if (!worker.awaitTermination(30, TimeUnit.SECONDS)) {
                log.warn("A write to the key vault has not ended");
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
