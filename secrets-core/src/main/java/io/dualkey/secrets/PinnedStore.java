package io.dualkey.secrets;

import io.dualkey.secrets.StoreResult.Failed;
import io.dualkey.secrets.StoreResult.Found;
import io.dualkey.secrets.StoredVersion.Stage;
import java.util.List;
import java.util.Optional;

/** One version of one secret of a store, as a reference asks for that names a version: it never rotates. */
final class PinnedStore implements SecretStore {

    private final SecretStore store;
    private final String name;
    private final String version;

    PinnedStore(SecretStore store, String name, String version) {
        this.store = store;
        this.name = name;
        this.version = version;
    }

    @Override
    public List<StoreResult> read(List<StoreQuery> queries) throws Exception {
        return store
                .read(queries.stream()
                        .map(query -> query.renamed(any -> name).pinnedTo(version))
                        .toList())
                .stream()
                .map(this::pinned)
                .toList();
    }

    private StoreResult pinned(StoreResult result) {
        if (!(result instanceof Found found)) {
            return result;
        }
        List<StoredVersion> wanted = found.secret().versions().stream()
                .filter(stored -> stored.id().equals(version))
                .map(stored -> stored.withStage(Stage.NONE))
                .toList();
        return wanted.isEmpty()
                ? new Failed(
                        Outcome.NOT_FOUND,
                        "version " + version + ", to which the reference is pinned, is not among those that exist",
                        null)
                : StoreResult.found(found.secret().withVersions(wanted));
    }

    @Override
    public String description() {
        return store.description();
    }

    @Override
    public Optional<String> address() {
        return store.address();
    }

    @Override
    public boolean canChange() {
        return store.canChange();
    }

    @Override
    public Registration watch(Runnable changed) {
        return store.watch(changed);
    }
}
