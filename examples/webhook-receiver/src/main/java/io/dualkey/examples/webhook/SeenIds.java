package io.dualkey.examples.webhook;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The ids of the last messages, so that one that is sent again is not carried out again. In memory, and so for one process: where
 * it matters, use a unique column of the database that the message changes, in the same transaction.
 */
final class SeenIds {

    private static final int MOST = 10_000;

    private final Map<String, Boolean> ids = new LinkedHashMap<>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Boolean> eldest) {
            return size() > MOST;
        }
    };

    /** Remembers an id; false if it was there. */
    boolean add(String id) {
        synchronized (ids) {
            return ids.putIfAbsent(id, Boolean.TRUE) == null;
        }
    }

    /** Forgets an id: what it stood for has not been carried out. */
    void remove(String id) {
        synchronized (ids) {
            ids.remove(id);
        }
    }
}
