package io.dualkey.secrets;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.core.read.ListAppender;
import io.dualkey.secrets.micrometer.SecretMeters;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.NotSerializableException;
import java.io.ObjectOutputStream;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
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

        var registry = new SimpleMeterRegistry();
        new SecretMeters(source).bindTo(registry);
        List<SecretOptions> options = new ArrayList<>();
        SecretSource.Builder builder = SecretSource.builder(store).secret("key", options::add);
        SecretStore directory = DirectoryStore.at(Path.of("target"));
        SecretStore environment = EnvironmentStore.of(Map.of("KEY", CANARY));
        showAll(List.of(builder, options.get(0), directory, environment, store));

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

        shown.add(registry.getMetersAsString());
        assertThat(typesThatMightShow())
                .as("public types of which nothing was shown")
                .isEmpty();
        assertThat(secret.current().revealText())
                .as("the canary was really there")
                .contains(CANARY);
        assertNothingShown();
    }

    private void assertNothingShown() {
        assertThat(shown)
                .hasSizeGreaterThan(50)
                .allSatisfy(text -> assertThat(text).doesNotContain(CANARY));
        assertThat(logged.list).hasSizeGreaterThan(5).allSatisfy(event -> {
            assertThat(event.getFormattedMessage()).doesNotContain(CANARY);
            assertThat(String.valueOf(event.getKeyValuePairs())).doesNotContain(CANARY);
            for (IThrowableProxy thrown = event.getThrowableProxy(); thrown != null; thrown = thrown.getCause()) {
                assertThat(thrown.getMessage()).doesNotContain(CANARY);
            }
        });
    }

    /** The same for fields, layers, companions, pinned versions and composed secrets, and for a start that fails. */
    @Test
    void valueIsShownNowhereByWhatIsMadeOfSecrets() throws Exception {
        InMemoryStore over = new InMemoryStore(time.clock());
        SecretSource source = SecretSource.builder(SecretStore.layered(over, new Leaky()))
                .store("azure", new Leaky())
                .secret("key", key -> key.companion("key-before"))
                .threads(time)
                .build();
        store.put("key-before", CANARY + "-before");
        RotatingSecret key = source.secret("key");
        RotatingSecret password = source.secret("rds#password");
        RotatingSecret nested = source.secret("rds#/nested/0/x");
        RotatingSecret pinned = source.secret("@Microsoft.KeyVault(VaultName=v;SecretName=key;SecretVersion=v2)");
        RotatingSecret url = source.composed("url", "postgresql://{rds#user}:{rds#password}@{host}/app?x={key}");
        Rotating<?>[] all = {password, nested, pinned, url};

        showTogether(source, key, all); // nothing is there yet: a start that fails
        store.put("key", CANARY);
        store.put("host", "db");
        for (String document : List.of(
                "{\"user\":\"u\",\"password\":\"%s\",\"nested\":[{\"x\":\"%s\"}]}",
                "{\"user\":\"u\",\"password\":\"%s\",\"password\":\"%s\"}",
                "{\"user\":\"%s\",\"%s\":1",
                "%s%s",
                "[\"%s\",\"%s\"]",
                "{\"user\":{\"%s\":\"%s\"}}")) {
            store.put("rds", document.formatted(CANARY, CANARY));
            showTogether(source, key, all);
        }
        store.put("host", "db/" + CANARY + "@x"); // cannot stand in a host
        showTogether(source, key, all);
        over.put("key", CANARY + "-over"); // another layer
        showTogether(source, key, all);
        assertThat(key.current().revealText()).isEqualTo(CANARY + "-over");
        assertThat(url.current().revealText()).contains(CANARY);
        over.failWith(Outcome.MALFORMED);
        fail = true;
        showTogether(source, key, all);
        fail = false;
        over.recover();
        over.delete("key");
        store.disable("key", "v2");
        showTogether(source, key, all);
        assertNothingShown();
    }

    private void showTogether(SecretSource source, RotatingSecret secret, Rotating<?>... derived) throws Exception {
        var unused = source.begin();
        time.advance(Duration.ofMinutes(5));
        show(source, secret, derived);
        for (Rotating<?> handle : derived) {
            show(source, (RotatingSecret) handle);
        }
    }

    private volatile boolean fail;
    private final Set<Class<?>> shownTypes = new HashSet<>();

    /** The public types of the package whose objects could show something and have not been asked to, by reflection. */
    private Set<String> typesThatMightShow() throws Exception {
        Path classes = Path.of(SecretSource.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .toURI());
        Set<String> missing = new TreeSet<>();
        try (var files = Files.list(classes.resolve("io/dualkey/secrets"))) {
            for (Path file :
                    files.filter(one -> one.toString().endsWith(".class")).toList()) {
                String name = file.getFileName().toString().replace(".class", "");
                Class<?> type = Class.forName("io.dualkey.secrets." + name);
                boolean silent = type.isInterface()
                        || type.isEnum()
                        || Throwable.class.isAssignableFrom(type)
                        || !Modifier.isPublic(type.getModifiers())
                        || (type.isMemberClass()
                                && !Modifier.isPublic(type.getEnclosingClass().getModifiers()));
                if (!silent && !shownTypes.contains(type)) {
                    missing.add(type.getName());
                }
            }
        }
        return missing;
    }

    /** A store whose exceptions quote the value, as those of SDKs may do. */
    private final class Leaky implements SecretStore {

        private void showOne(Object one) {
            shown.add(one.toString());
            shownTypes.add(one.getClass());
        }

        @Override
        public String description() {
            return "leaky";
        }

        @Override
        public List<StoreResult> read(List<StoreQuery> queries) throws Exception {
            queries.forEach(this::showOne);
            if (fail) {
                throw new IllegalStateException("truncated body: " + CANARY, new RuntimeException(CANARY));
            }
            List<StoreResult> results = store.read(queries);
            for (StoreResult result : results) {
                showOne(result);
                if (result instanceof StoreResult.Found found) {
                    showOne(found.secret());
                    found.secret().versions().forEach(this::showOne);
                }
            }
            showOne(StoreResult.failed(Outcome.UNREACHABLE, "detail"));
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
        all.addAll(secret.status().versions());
        catchMessage(() -> source.start(Duration.ofMillis(1)));
        showAll(all);
    }

    private void showAll(List<?> all) throws Exception {
        for (Object one : all) {
            shownTypes.add(one.getClass());
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
