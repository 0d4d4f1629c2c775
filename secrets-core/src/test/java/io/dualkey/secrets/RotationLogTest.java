package io.dualkey.secrets;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** The steps of a rotation can be followed in the log by their key-value pairs. */
class RotationLogTest {

    private final ListAppender<ILoggingEvent> logged = new ListAppender<>();
    private final Logger logger = (Logger) LoggerFactory.getLogger(SecretSource.class);
    private final VirtualTime time = new VirtualTime();
    private final InMemoryStore store = new InMemoryStore(time.clock());

    @BeforeEach
    void listen() {
        logger.setLevel(Level.INFO);
        logged.start();
        logger.addAppender(logged);
    }

    @AfterEach
    void stopListening() {
        logger.detachAppender(logged);
        logger.setLevel(null);
    }

    @Test
    void aRotationIsToldStepByStep() {
        String first = store.put("key", "one");
        SecretSource source = SecretSource.builder(store)
                .grace(Duration.ofHours(1))
                .threads(time)
                .build();
        boolean[] refuse = {false};
        Rotating<SecretValue> tried = source.secret("key").gatedBy(version -> {
            if (refuse[0]) {
                throw new UnusableSecretException("the server refuses it");
            }
        });
        var unused = source.begin();
        time.advance(Duration.ofSeconds(1));
        assertThat(tried.current().revealText()).isEqualTo("one");
        assertThat(events()).as("what is there at first is no news").isEmpty();

        refuse[0] = true;
        String second = store.put("key", "two");
        time.advance(Duration.ofSeconds(80));
        refuse[0] = false;
        time.advance(Duration.ofMinutes(3));
        assertThat(tried.current().revealText()).isEqualTo("two");
        time.advance(Duration.ofHours(1));

        assertThat(events())
                .contains(
                        Map.of("dualkey.event", "version-seen", "dualkey.secret", "key", "dualkey.version", second),
                        Map.of("dualkey.event", "state-changed", "dualkey.secret", "key", "dualkey.state", "DEGRADED"),
                        Map.of("dualkey.event", "version-held-off", "dualkey.secret", "key", "dualkey.version", second))
                .containsSubsequence(
                        Map.of(
                                "dualkey.event",
                                "version-current",
                                "dualkey.secret",
                                "key",
                                "dualkey.version",
                                second,
                                "dualkey.previous",
                                first),
                        Map.of(
                                "dualkey.event",
                                "version-validated",
                                "dualkey.secret",
                                "key",
                                "dualkey.version",
                                second),
                        Map.of("dualkey.event", "state-changed", "dualkey.secret", "key", "dualkey.state", "HEALTHY"),
                        Map.of("dualkey.event", "version-ended", "dualkey.secret", "key", "dualkey.version", first));
    }

    @Test
    void aFailedCheckIsToldOnceAtWarningAndEachTimeForDebugging() {
        logger.setLevel(Level.DEBUG);
        store.put("key", "one");
        SecretSource source = SecretSource.builder(store).threads(time).build();
        assertThat(source.secret("key").name()).isEqualTo("key");
        var unused = source.begin();
        time.advance(Duration.ofSeconds(1));
        store.failWith(Outcome.ACCESS_DENIED);
        time.advance(Duration.ofMinutes(10));

        Map<String, String> failed =
                Map.of("dualkey.event", "check-failed", "dualkey.secret", "key", "dualkey.outcome", "ACCESS_DENIED");
        assertThat(events().stream().filter(failed::equals).count()).isGreaterThan(1);
        assertThat(events().stream()
                        .filter(pairs -> "state-changed".equals(pairs.get("dualkey.event")))
                        .count())
                .isEqualTo(1);
    }

    private List<Map<String, String>> events() {
        return logged.list.stream()
                .filter(event -> event.getKeyValuePairs() != null)
                .map(event -> event.getKeyValuePairs().stream()
                        .collect(Collectors.toMap(pair -> pair.key, pair -> String.valueOf(pair.value))))
                .toList();
    }
}
