package io.dualkey.secrets.jdbc;

import java.sql.Connection;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/** One physical connection and what it logged in with. The driver's own object goes into the pool, not this. */
final class Session {

    private final Connection connection;
    private final long generation;

    /** The pool's task that ends this connection's life; null until the pool has made it. */
    private volatile @Nullable Lifetime lifetime;

    Session(Connection connection, long generation) {
        this.connection = connection;
        this.generation = generation;
    }

    long generation() {
        return generation;
    }

    @Nullable
    Lifetime lifetime() {
        return lifetime;
    }

    void attach(Lifetime task) {
        lifetime = task;
    }

    /** Whether the connection is closed; the drivers we know answer without I/O. */
    boolean isClosed() {
        try {
            return connection.isClosed();
        } catch (SQLException broken) {
            return true;
        }
    }
}
