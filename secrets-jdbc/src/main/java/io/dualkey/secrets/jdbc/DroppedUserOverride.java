package io.dualkey.secrets.jdbc;

import com.zaxxer.hikari.SQLExceptionOverride;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/**
 * Notices that an old user was dropped too early, or has lost its rights. HikariCP does not say which connection failed,
 * but only old ones can have this problem, so it is enough to be rid of all that are old. If there are none, the failure
 * is the application's own.
 */
final class DroppedUserOverride implements SQLExceptionOverride {

    private final @Nullable SQLExceptionOverride next;
    private final Generations generations;
    private final Runnable onDropped;

    DroppedUserOverride(@Nullable SQLExceptionOverride next, Generations generations, Runnable onDropped) {
        this.next = next;
        this.generations = generations;
        this.onDropped = onDropped;
    }

    @java.lang.Override
    public SQLExceptionOverride.Override adjudicate(SQLException failure) {
        if (generations.anyStale() && LoginRefusal.mayBeOfDroppedUser(failure)) {
            onDropped.run();
        }
        return next == null ? SQLExceptionOverride.Override.CONTINUE_EVICT : next.adjudicate(failure);
    }
}
