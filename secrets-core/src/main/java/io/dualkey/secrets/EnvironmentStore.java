package io.dualkey.secrets;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The environment variables of this process as a store. They cannot change while it runs, so they are read once and never
 * rotate. {@code NAME_PREVIOUS}, if it is set and not blank, is accepted beside {@code NAME} as its previous value. Safe for
 * use by several threads.
 */
public final class EnvironmentStore implements SecretStore {

    private final Map<String, String> variables;

    private EnvironmentStore(Map<String, String> variables) {
        this.variables = variables;
    }

    /** {@return the variables of this process} */
    public static EnvironmentStore system() {
        return new EnvironmentStore(System.getenv());
    }

    static EnvironmentStore of(Map<String, String> variables) {
        return new EnvironmentStore(Map.copyOf(variables));
    }

    @Override
    public String description() {
        return "environment variables";
    }

    @Override
    public List<StoreResult> read(List<StoreQuery> queries) {
        return queries.stream().map(this::read).toList();
    }

    private StoreResult read(StoreQuery query) {
        String value = variables.get(query.name());
        if (value == null) {
            return StoreResult.failed(Outcome.NOT_FOUND, "no environment variable " + query.name() + " is set");
        }
        if (query.known().isPresent()) {
            return StoreResult.unchanged();
        }
        return StoreResult.found(
                StoredSecret.of("static", List.of(StoredVersion.of("environment", SecretValue.ofText(value)))));
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
        return Optional.of(name + "_PREVIOUS");
    }

    @Override
    public boolean canChange() {
        return false;
    }
}
