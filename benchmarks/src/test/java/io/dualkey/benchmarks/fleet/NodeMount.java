package io.dualkey.benchmarks.fleet;

import io.dualkey.secrets.Outcome;
import io.dualkey.secrets.Registration;
import io.dualkey.secrets.SecretStore;
import io.dualkey.secrets.StoreQuery;
import io.dualkey.secrets.StoreResult;
import io.dualkey.secrets.StoredSecret;
import io.dualkey.secrets.StoredVersion;
import io.dualkey.secrets.StoredVersion.Stage;
import io.dualkey.secrets.VirtualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A directory that a provider fills on a node, as {@code DirectoryStore} sees it: the latest version of each secret without
 * its times, and the one before as its companion. All replicas of the node read and watch it.
 */
final class NodeMount implements SecretStore {

    private static final String COMPANION = "-previous";

    private final SimulatedVault vault;
    private final List<String> names;
    private final Map<String, StoredSecret> files = new HashMap<>();
    private final List<Runnable> watchers = new ArrayList<>();

    NodeMount(SimulatedVault vault, List<String> names) {
        this.vault = vault;
        this.names = names;
        fill();
    }

    /** Fills it again and again. */
    void every(Duration interval, Duration first, VirtualTime time) {
        var unused = time.schedule(first, () -> {
            if (fill()) {
                List.copyOf(watchers).forEach(Runnable::run);
            }
            every(interval, interval, time);
        });
    }

    /** {@return whether anything is new} Where the provider is throttled, the file stays as it was. */
    private boolean fill() {
        boolean changed = false;
        for (String name : names) {
            List<StoredVersion> versions = vault.mount(name);
            if (versions != null) {
                StoredSecret latest = file(versions.get(versions.size() - 1), Stage.NONE);
                StoredSecret before = files.put(name, latest);
                files.put(name + COMPANION, file(versions.get(0), Stage.PREVIOUS));
                changed |= before == null || !before.tag().equals(latest.tag());
            }
        }
        return changed;
    }

    private static StoredSecret file(StoredVersion version, Stage stage) {
        StoredVersion bare =
                StoredVersion.of(version.id(), version.value().orElseThrow()).withStage(stage);
        return StoredSecret.of(version.id(), List.of(bare));
    }

    @Override
    public String description() {
        return "mount";
    }

    @Override
    public boolean readsTogether() {
        return true;
    }

    @Override
    public boolean keepsHistory() {
        return false;
    }

    @Override
    public Optional<String> companionOf(String name) {
        return Optional.of(name + COMPANION);
    }

    @Override
    public Registration watch(Runnable changed) {
        watchers.add(changed);
        return () -> watchers.remove(changed);
    }

    @Override
    public List<StoreResult> read(List<StoreQuery> queries) {
        return queries.stream().map(this::read).toList();
    }

    private StoreResult read(StoreQuery query) {
        StoredSecret file = files.get(query.name());
        if (file == null) {
            return StoreResult.failed(Outcome.NOT_FOUND, Outcome.NOT_FOUND.description());
        }
        boolean same =
                query.known().map(known -> known.tag().equals(file.tag())).orElse(false);
        return same ? StoreResult.unchanged() : StoreResult.found(file);
    }
}
