package io.dualkey.secrets;

import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** A store as a source knows it that has several: its secrets' names begin with the store's prefix. */
final class PrefixedStore implements SecretStore {

    private final String prefix;
    private final SecretStore store;

    PrefixedStore(String prefix, SecretStore store) {
        this.prefix = prefix + ":";
        this.store = store;
    }

    /** The name in the store. A companion may be configured with or without the prefix. */
    private String stripped(String name) {
        return name.startsWith(prefix) ? name.substring(prefix.length()) : name;
    }

    @Override
    public List<StoreResult> read(List<StoreQuery> queries) throws Exception {
        return store.read(
                queries.stream().map(query -> query.renamed(this::stripped)).toList());
    }

    @Override
    public Optional<String> companionOf(String name) {
        return store.companionOf(stripped(name)).map(companion -> prefix + companion);
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
    public boolean readsTogether() {
        return store.readsTogether();
    }

    @Override
    public boolean startsTogether() {
        return store.startsTogether();
    }

    @Override
    public boolean keepsHistory() {
        return store.keepsHistory();
    }

    @Override
    public OptionalLong calls() {
        return store.calls();
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
