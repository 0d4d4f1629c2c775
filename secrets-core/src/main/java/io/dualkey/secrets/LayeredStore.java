package io.dualkey.secrets;

import io.dualkey.secrets.StoreResult.Failed;
import io.dualkey.secrets.StoreResult.Found;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Several stores as one: see {@link SecretStore#layered}. It holds no state: what is known of a secret says which layer
 * answered, so each layer is asked whether its own last answer still holds.
 */
final class LayeredStore implements SecretStore {

    private final List<SecretStore> layers;

    private LayeredStore(List<SecretStore> layers) {
        this.layers = layers;
    }

    static LayeredStore of(SecretStore first, SecretStore... more) {
        return new LayeredStore(Stream.concat(Stream.of(first), Arrays.stream(more))
                .flatMap(store -> store instanceof LayeredStore layered
                        ? layered.layers.stream()
                        : Stream.of(Objects.requireNonNull(store, "store")))
                .toList());
    }

    /** A secret that no layer has been found to have yet, and the companion that is wanted with it. */
    private static final class Search {

        private final int index;
        private int companion = -1;
        private final List<String> missing = new ArrayList<>();

        Search(int index) {
            this.index = index;
        }
    }

    @Override
    public List<StoreResult> read(List<StoreQuery> queries) {
        StoreResult[] results = new StoreResult[queries.size()];
        Arrays.fill(results, StoreResult.failed(Outcome.NOT_FOUND, "no layer has it"));
        List<Search> open = searches(queries);
        for (SecretStore layer : layers) {
            if (!open.isEmpty()) {
                open = readLayer(layer, open, queries, results);
            }
        }
        for (Search search : open) {
            results[search.index] = StoreResult.failed(Outcome.NOT_FOUND, String.join("; ", search.missing));
        }
        return List.of(results);
    }

    private static List<Search> searches(List<StoreQuery> queries) {
        Map<String, Search> searches = new HashMap<>();
        List<Search> inOrder = new ArrayList<>();
        for (int i = 0; i < queries.size(); i++) {
            StoreQuery query = queries.get(i);
            Search main = query.companionTo().map(searches::get).orElse(null);
            if (main == null) {
                main = new Search(i);
                searches.put(query.name(), main);
                inOrder.add(main);
            } else {
                main.companion = i;
            }
        }
        return inOrder;
    }

    /** Asks one layer for all that is open, in one call; gives back what it does not have. */
    private List<Search> readLayer(
            SecretStore layer, List<Search> open, List<StoreQuery> queries, StoreResult[] results) {
        List<StoreQuery> asked = new ArrayList<>();
        List<@Nullable StoreQuery> companions = new ArrayList<>();
        for (Search search : open) {
            StoreQuery main = queries.get(search.index);
            StoreQuery companion =
                    search.companion < 0 ? null : companionIn(layer, main, queries.get(search.companion));
            asked.add(main.knownOnlyFrom(layer));
            companions.add(companion);
            if (companion != null) {
                asked.add(companion.knownOnlyFrom(layer));
            }
        }
        List<StoreResult> answers = ask(layer, asked);
        List<Search> rest = new ArrayList<>();
        int next = 0;
        for (int i = 0; i < open.size(); i++) {
            Search search = open.get(i);
            StoreResult main = answers.get(next++);
            StoreResult companion = companions.get(i) == null ? null : answers.get(next++);
            if (main instanceof Failed failed && failed.outcome() == Outcome.NOT_FOUND) {
                search.missing.add(failed.detail() + " in " + layer.description());
                rest.add(search);
                continue;
            }
            results[search.index] = from(layer, main);
            if (companion == null
                    && search.companion >= 0
                    && main instanceof Failed failed
                    && failed.outcome() != Outcome.DISABLED) {
                results[search.companion] = results[search.index]; // nobody can tell, so what is known of it stands
            }
            if (companion != null) {
                results[search.companion] = from(layer, companion);
            }
        }
        return rest;
    }

    /** A layer's companion has the name that is its custom, unless another one was configured. */
    private @Nullable StoreQuery companionIn(SecretStore layer, StoreQuery main, StoreQuery companion) {
        boolean custom = companionOf(main.name()).map(companion.name()::equals).orElse(false);
        if (!custom) {
            return companion;
        }
        return layer.companionOf(main.name())
                .map(name -> companion.renamed(any -> name))
                .orElse(null);
    }

    private static List<StoreResult> ask(SecretStore layer, List<StoreQuery> queries) {
        String problem;
        try {
            List<StoreResult> answers = layer.read(queries);
            if (answers.size() == queries.size()) {
                return answers;
            }
            problem = "it gave " + answers.size() + " results for " + queries.size() + " queries";
        } catch (Throwable failure) { // of this layer alone: what those above it have found stands
            if (failure instanceof InterruptedException) {
                Thread.currentThread().interrupt();
            }
            problem = "reading it failed with " + failure.getClass().getName();
        }
        StoreResult failed = StoreResult.failed(Outcome.UNREACHABLE, problem);
        return queries.stream().map(query -> failed).toList();
    }

    private static StoreResult from(SecretStore layer, StoreResult result) {
        if (result instanceof Found found) {
            return StoreResult.found(found.secret().from(layer));
        }
        if (result instanceof Failed failed) {
            return new Failed(
                    failed.outcome(), "layer " + layer.description() + ": " + failed.detail(), failed.retryAfter());
        }
        return result;
    }

    @Override
    public String description() {
        return layers.stream().map(SecretStore::description).collect(Collectors.joining(", then ", "layers ", ""));
    }

    @Override
    public Optional<String> address() {
        return layers.stream().flatMap(layer -> layer.address().stream()).findFirst();
    }

    /** Only where all layers do: a vault is not read secret by secret in one long call because a directory lies over it. */
    @Override
    public boolean readsTogether() {
        return layers.stream().allMatch(SecretStore::readsTogether);
    }

    @Override
    public Optional<String> companionOf(String name) {
        return layers.stream()
                .flatMap(layer -> layer.companionOf(name).stream())
                .findFirst();
    }

    @Override
    public OptionalLong calls() {
        return layers.stream()
                .map(SecretStore::calls)
                .filter(OptionalLong::isPresent)
                .mapToLong(OptionalLong::getAsLong)
                .reduce(Long::sum);
    }

    @Override
    public boolean canChange() {
        return layers.stream().anyMatch(SecretStore::canChange);
    }

    @Override
    public Registration watch(Runnable changed) {
        List<Registration> watches = new ArrayList<>();
        Registration all = () -> watches.forEach(Registration::close);
        try {
            for (SecretStore layer : layers) {
                watches.add(layer.watch(changed));
            }
        } catch (RuntimeException failure) {
            all.close();
            throw failure;
        }
        return all;
    }
}
