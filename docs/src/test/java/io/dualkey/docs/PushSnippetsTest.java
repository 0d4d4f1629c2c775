package io.dualkey.docs;

import static org.assertj.core.api.Assertions.assertThat;

import io.dualkey.docs.PushSnippets.Event;
import io.dualkey.secrets.InMemoryStore;
import io.dualkey.secrets.Outcome;
import io.dualkey.secrets.RotatingSecret;
import io.dualkey.secrets.SecretSource;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Runs the code of docs/push.md, on a schedule that would take an hour. */
class PushSnippetsTest {

    private final InMemoryStore store = new InMemoryStore();
    private final SecretSource secrets =
            SecretSource.builder(store).refreshInterval(Duration.ofHours(1)).build();
    private final RotatingSecret database = secrets.secret("database-url");
    private final RotatingSecret key = secrets.secret("jwt-key");
    private final BlockingQueue<String> inForce = new LinkedBlockingQueue<>();

    @BeforeEach
    void start() throws Exception {
        store.put("database-url", "db-1");
        store.put("jwt-key", "key-1");
        secrets.start(Duration.ofSeconds(10));
        database.onRotation(version -> inForce.add(version.value().revealText()));
        key.onRotation(version -> inForce.add(version.value().revealText()));
        assertThat(List.of(next(), next())).containsExactlyInAnyOrder("db-1", "key-1");
    }

    @AfterEach
    void stop() {
        secrets.close();
    }

    private String next() throws InterruptedException {
        return String.valueOf(inForce.poll(10, TimeUnit.SECONDS));
    }

    @Test
    void eventBringsTheVersionItTellsOfAndNothingElse() throws Exception {
        store.put("database-url", "db-2");
        store.put("jwt-key", "key-2");
        assertThat(PushSnippets.seam(secrets, new Event("nobody-uses-this"))).isEmpty();
        assertThat(PushSnippets.seam(secrets, new Event("database-url"))).isPresent();
        assertThat(next()).isEqualTo("db-2");
        assertThat(key.current().revealText()).isEqualTo("key-1");
        assertThat(secrets.statuses()).hasSize(2);
    }

    @Test
    void tellsWhatBecameOfARequest() {
        store.put("database-url", "db-2");
        assertThat(PushSnippets.result(database).join()).startsWith("a new version");
        assertThat(PushSnippets.result(database).join()).startsWith("nothing new");
        store.failWith(Outcome.UNREACHABLE);
        assertThat(PushSnippets.result(database).join()).startsWith("the store could not be read");
    }

    /** Five at once, and then none for the rest of the minute; the budget of another secret is its own. */
    @Test
    void floodIsLimitedForTheSecretItNames() {
        List<String> told = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            told.add(PushSnippets.result(database).join());
        }
        assertThat(told.subList(0, 5)).allMatch(text -> text.startsWith("nothing new"));
        assertThat(told.subList(5, 100)).allMatch(text -> text.startsWith("not asked"));
        store.put("jwt-key", "key-2");
        assertThat(PushSnippets.result(key).join()).startsWith("a new version");
    }

    @Test
    void whatWasMissedIsCaughtUpWithAllAtOnce() throws Exception {
        store.put("database-url", "db-2");
        store.put("jwt-key", "key-2");
        PushSnippets.caughtUp(secrets);
        assertThat(List.of(next(), next())).containsExactlyInAnyOrder("db-2", "key-2");
    }
}
