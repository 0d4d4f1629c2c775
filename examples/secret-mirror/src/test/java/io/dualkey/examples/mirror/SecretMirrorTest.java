package io.dualkey.examples.mirror;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.core.read.ListAppender;
import io.dualkey.examples.mirror.KeyVaultStub.Held;
import io.dualkey.examples.mirror.KeyVaultStub.Trouble;
import io.dualkey.secrets.SecretSource;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** The mirror between the wire protocols of both clouds. */
class SecretMirrorTest {

    private static final String FIRST = "canary-f1r5t";
    private static final String SECOND = "canary-s3c0nd";
    private static final String THIRD = "canary-th1rd";

    private final AwsStub aws = new AwsStub();
    private final KeyVaultStub vault = new KeyVaultStub();
    private SecretSource source;
    private SecretMirror mirror;

    private final List<ILoggingEvent> logged = new CopyOnWriteArrayList<>();
    private final Logger root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    private final Level level = root.getLevel();
    private final ListAppender<ILoggingEvent> appender = new ListAppender<>() {
        @Override
        protected void append(ILoggingEvent event) {
            logged.add(event);
        }
    };

    @BeforeEach
    void listen() {
        root.setLevel(Level.TRACE);
        appender.start();
        root.addAppender(appender);
    }

    @AfterEach
    void stop() {
        if (mirror != null) {
            stopMirror();
        }
        vault.close();
        aws.close();
        root.detachAppender(appender);
        root.setLevel(level);
    }

    private void startMirror() {
        source = SecretSource.builder(aws.store())
                .refreshInterval(Duration.ofMillis(100))
                .build();
        mirror = new SecretMirror(source, vault.client(), Map.of("db", "db-copy"));
        source.start(Duration.ofSeconds(20));
    }

    private void stopMirror() {
        mirror.close();
        source.close();
        mirror = null;
    }

    private void awaitLog(String text) {
        await().until(() -> logged.stream()
                .anyMatch(event -> event.getLoggerName().startsWith("io.dualkey")
                        && event.getFormattedMessage().contains(text)));
    }

    private void awaitVersions(Held... versions) {
        await().untilAsserted(() -> assertThat(vault.versions()).containsExactly(versions));
    }

    @Test
    void writesEachRotationOnceWithTheVersionItIs() {
        aws.put("v1", FIRST);
        startMirror();
        awaitVersions(new Held(FIRST, "v1"));
        aws.put("v2", SECOND);
        awaitVersions(new Held(FIRST, "v1"), new Held(SECOND, "v2"));
        aws.moveCurrentTo("v1"); // taken back
        awaitVersions(new Held(FIRST, "v1"), new Held(SECOND, "v2"), new Held(FIRST, "v1"));
        assertNoValueIsLogged();
    }

    @Test
    void writesNothingAfterARestart() {
        aws.put("v1", FIRST);
        startMirror();
        awaitLog("written to 'db-copy'");
        stopMirror();
        startMirror();
        awaitLog("already in 'db-copy'");
        assertThat(vault.versions()).containsExactly(new Held(FIRST, "v1"));
    }

    @Test
    void writesNothingThatIsThereAlready() {
        vault.putByHand(FIRST);
        aws.put("v1", FIRST);
        startMirror();
        awaitLog("already in 'db-copy'");
        assertThat(vault.versions()).containsExactly(new Held(FIRST, null));
    }

    /** The copy of a value that has leaked is disabled and stays so; the next value arrives all the same. */
    @Test
    void writesPastACopyThatWasDisabledAndNotOverIt() {
        aws.put("v1", FIRST);
        startMirror();
        awaitLog("written to 'db-copy'");
        vault.disableLatest();
        stopMirror();
        startMirror();
        awaitLog("already in 'db-copy'");
        assertThat(vault.versions()).containsExactly(new Held(FIRST, "v1"));
        aws.put("v2", SECOND);
        awaitVersions(new Held(FIRST, "v1"), new Held(SECOND, "v2"));
        assertNoValueIsLogged();
    }

    @Test
    void asksTheVaultNothingWhileNothingIsRotated() {
        aws.put("v1", FIRST);
        startMirror();
        awaitLog("written to 'db-copy'");
        int before = vault.requests();
        long checks = checks();
        await().until(() -> checks() >= checks + 5);
        assertThat(vault.requests()).isEqualTo(before);
    }

    private long checks() {
        return source.status("db").orElseThrow().checks().values().stream()
                .mapToLong(Long::longValue)
                .sum();
    }

    @Test
    void writesTheNewestOnceTheVaultIsBack() {
        aws.put("v1", FIRST);
        startMirror();
        awaitVersions(new Held(FIRST, "v1"));
        vault.trouble(Trouble.DOWN);
        aws.put("v2", SECOND);
        awaitLog("version v2, could not be written to 'db-copy': HttpResponseException, HTTP 503");
        aws.put("v3", THIRD);
        awaitLog("version v3, could not be written");
        vault.trouble(Trouble.NONE);
        awaitLog("version v3: written to 'db-copy'");
        assertThat(vault.versions()).containsExactly(new Held(FIRST, "v1"), new Held(THIRD, "v3"));
        assertNoValueIsLogged();
    }

    @Test
    void writesOnceThoughTheAnswerIsLost() {
        vault.trouble(Trouble.LOSES_ANSWERS);
        aws.put("v1", FIRST);
        startMirror();
        awaitLog("version v1, could not be written");
        awaitLog("version v1: already in 'db-copy'");
        assertThat(vault.versions()).containsExactly(new Held(FIRST, "v1"));
        assertNoValueIsLogged();
    }

    @Test
    void takesTheNamesApart() {
        assertThat(SecretMirrorMain.targets(List.of("prod/db=db", "a=b=c")))
                .containsExactly(Map.entry("prod/db", "db"), Map.entry("a=b", "c"));
        assertThatIllegalArgumentException().isThrownBy(() -> SecretMirrorMain.targets(List.of("db=")));
    }

    /** WireMock logs what it answers; nobody else may. */
    private void assertNoValueIsLogged() {
        List<ILoggingEvent> events = logged.stream()
                .filter(event -> !event.getLoggerName().toLowerCase(Locale.ROOT).contains("wiremock"))
                .toList();
        assertThat(events).anySatisfy(event -> assertThat(event.getLoggerName()).startsWith("com.azure"));
        assertThat(events).anySatisfy(event -> assertThat(event.getLoggerName()).startsWith("software.amazon"));
        for (ILoggingEvent event : events) {
            StringBuilder text = new StringBuilder(event.getFormattedMessage());
            for (IThrowableProxy thrown = event.getThrowableProxy(); thrown != null; thrown = thrown.getCause()) {
                text.append(thrown.getMessage());
            }
            assertThat(text).as(event.getLoggerName()).doesNotContain("canary-");
        }
    }
}
