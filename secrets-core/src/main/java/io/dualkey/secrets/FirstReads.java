package io.dualkey.secrets;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/** The first reads of several groups, made in one call by the group that comes first. */
final class FirstReads {

    /*
     * Concurrency: `queries` is filled before any group starts. The future task sees to it that one caller reads and the
     * others wait for what it gets; they are workers, which may wait, and a read ends within the store's own time.
     */

    private final List<StoreQuery> queries = new ArrayList<>();
    private final FutureTask<List<StoreResult>> answer;

    FirstReads(SecretStore store) {
        this.answer = new FutureTask<>(() -> results(store));
    }

    private List<StoreResult> results(SecretStore store) throws Exception {
        List<StoreResult> results = store.read(List.copyOf(queries));
        if (results.size() != queries.size()) {
            throw new IllegalStateException("the number of results is not that of the queries");
        }
        return results;
    }

    /** Adds the questions of one group; what is returned gives the answers to them. */
    Callable<List<StoreResult>> add(List<StoreQuery> more) {
        int from = queries.size();
        queries.addAll(more);
        int to = queries.size();
        return () -> {
            answer.run();
            try {
                return answer.get().subList(from, to);
            } catch (ExecutionException failed) {
                throw failed.getCause() instanceof Exception cause ? cause : failed; // by whose class it is reported
            }
        };
    }
}
