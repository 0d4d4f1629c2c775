package io.dualkey.secrets;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.core.read.ListAppender;
import java.io.NotSerializableException;
import java.io.ObjectOutputStream;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** P7: a canary in every value goes through every path and is found nowhere. */
class CanaryTest {

    private static final String CANARY = "canary-5up3r53cr3t";

    private final ListAppender<ILoggingEvent> logged = new ListAppender<>();
    private final Logger root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    private final Level level = root.getLevel();
    private final VirtualTime time = new VirtualTime();
    private final InMemoryStore store = new InMemoryStore(time.clock());
    private final List<String> shown = new ArrayList<>();

    @BeforeEach
    void listen() {
        root.setLevel(Level.TRACE);
        logged.start();
        root.addAppender(logged);
    }

    @AfterEach
    void stopListening() {
        root.detachAppender(logged);
        root.setLevel(level);
    }

    @Test
    void valueIsShownNowhere() throws Exception {
        SecretSource source = SecretSource.builder(new Leaky()).threads(time).build();
        RotatingSecret secret = source.secret("key");
        Rotating<String> parsed = secret.map(value -> {
            String text = value.revealText();
            if (text.contains("bad")) {
                throw new IllegalArgumentException("cannot parse " + text, new Error(text));
            }
            return text;
        });
        Rotating<SecretValue> gated = secret.gatedBy(version -> {
            String text = version.value().revealText();
            if (text.contains("wrong")) {
                throw new IllegalStateException("server said: no such password " + text);
            }
        });
        secret.onRotation(version -> {
            throw new IllegalStateException("listener: " + version.value().revealText());
        });
        source.observe(new SecretObserver() {
            @Override
            public void checked(String name, Outcome outcome, Duration took) {
                throw new IllegalStateException(secret.current().revealText());
            }
        });

        show(source, secret, parsed, gated);
        for (String suffix : List.of("", "-bad", "-wrong", "-last")) {
            store.put("key", CANARY + suffix);
            var unused = source.begin();
            time.advance(Duration.ofMinutes(5));
            show(source, secret, parsed, gated);
        }
        fail = true;
        time.advance(Duration.ofHours(1));
        show(source, secret, parsed, gated);
        fail = false;
        store.put("other", CANARY);
        Rotating<Integer> hopeless = source.secret("other").map(value -> Integer.valueOf(value.revealText()));
        time.advance(Duration.ofMinutes(5));
        show(source, secret, parsed, hopeless);

        assertThat(secret.current().revealText())
                .as("the canary was really there")
                .contains(CANARY);
        assertThat(shown)
                .hasSizeGreaterThan(50)
                .allSatisfy(text -> assertThat(text).doesNotContain(CANARY));
        assertThat(logged.list).hasSizeGreaterThan(5).allSatisfy(event -> {
            assertThat(event.getFormattedMessage()).doesNotContain(CANARY);
            for (IThrowableProxy thrown = event.getThrowableProxy(); thrown != null; thrown = thrown.getCause()) {
                assertThat(thrown.getMessage()).doesNotContain(CANARY);
            }
        });
    }

    private volatile boolean fail;

    /** A store whose exceptions quote the value, as those of SDKs may do. */
    private final class Leaky implements SecretStore {

        @Override
        public String description() {
            return "leaky";
        }

        @Override
        public List<StoreResult> read(List<StoreQuery> queries) {
            shown.add(queries.toString());
            if (fail) {
                throw new IllegalStateException("truncated body: " + CANARY, new RuntimeException(CANARY));
            }
            List<StoreResult> results = store.read(queries);
            shown.add(results.toString());
            return results;
        }
    }

    /** Everything that a log statement, a debugger or a careless developer might print. */
    private void show(SecretSource source, RotatingSecret secret, Rotating<?>... derived) throws Exception {
        List<Object> all =
                new ArrayList<>(List.of(source, secret, secret.status(), secret.versions(), source.statuses()));
        secret.versions().accepted().forEach(version -> {
            all.add(version);
            all.add(version.value());
        });
        for (Rotating<?> handle : derived) {
            all.add(handle);
            all.add(handle.versions());
            all.add(handle.policy());
            catchMessage(handle::current);
        }
        catchMessage(() -> source.start(Duration.ofMillis(1)));
        for (Object one : all) {
            shown.add(one.toString());
            shown.add(String.valueOf(one.hashCode()));
            try (ObjectOutputStream out = new ObjectOutputStream(OutputStream.nullOutputStream())) {
                out.writeObject(one);
                assertThat(one.getClass().getName()).startsWith("java.");
            } catch (NotSerializableException expected) {
                shown.add(String.valueOf(expected.getMessage()));
            }
        }
    }

    private void catchMessage(Runnable action) {
        try {
            action.run();
        } catch (SecretException failure) {
            StringWriter text = new StringWriter();
            failure.printStackTrace(new PrintWriter(text));
            shown.add(text.toString());
        }
    }
}
