package io.dualkey.docs;

import io.dualkey.secrets.RefreshCause;
import io.dualkey.secrets.RefreshResult;
import io.dualkey.secrets.RotatingSecret;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.SecretStatus;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** The code of {@code docs/push.md}; a test runs it and compares it with the page. */
final class PushSnippets {

    private PushSnippets() {}

    /** What somebody sends when a secret was rotated. */
    record Event(String secretName) {}

    static Optional<CompletableFuture<RefreshResult>> seam(SecretSource secrets, Event event) {
        // snippet: seam
        var asked = secrets.find(event.secretName()).map(secret -> secret.refresh(RefreshCause.OPERATOR));
        // end
        return asked;
    }

    static CompletableFuture<String> result(RotatingSecret secret) {
        // snippet: result
        CompletableFuture<RefreshResult> asked = secret.refresh(RefreshCause.OPERATOR); // never waits, never fails
        CompletableFuture<String> told = asked.thenApply(result -> switch (result) {
            case CHANGED -> "a new version is in force";
            case UNCHANGED -> "nothing new: a duplicate, or the schedule was faster";
            case FAILED -> "the store could not be read: the schedule tries again";
            case LIMITED -> "not asked, the budget is spent: the schedule finds it";
        });
        // end
        return told;
    }

    static void caughtUp(SecretSource secrets) {
        // snippet: caught-up
        for (SecretStatus status : secrets.statuses()) { // each time a subscription is made, the first time too
            var unused = secrets.find(status.name()).map(secret -> secret.refresh(RefreshCause.OPERATOR));
        }
        // end
    }
}
