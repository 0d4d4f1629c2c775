package io.dualkey.secrets;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;

class JsonPointerTest {

    private static final String DOCUMENT = """
            {"engine": "postgres", "port": 5432, "tls": true, "none": null, "empty": "", "ratio": 1.50e3,
             "primary": {"password": "p\\u00e4ss\\"word", "hosts": ["a", {"name": "b"}], "": "x"},
             "a/b": "slash", "m~n": "tilde", "0": "zero"}
            """;

    private static String select(String pointer, String document) {
        return JsonPointer.parse("#" + pointer, 1)
                .select(SecretValue.ofText(document))
                .revealText();
    }

    private static void refuses(String pointer, String document, String problem) {
        assertThatThrownBy(() -> select(pointer, document))
                .isInstanceOf(UnusableSecretException.class)
                .hasNoCause()
                .hasMessageContaining(problem)
                .hasMessageNotContaining("canary");
    }

    @Test
    void selectsSingleValues() {
        assertThat(select("engine", DOCUMENT)).isEqualTo("postgres");
        assertThat(select("port", DOCUMENT)).isEqualTo("5432");
        assertThat(select("tls", DOCUMENT)).isEqualTo("true");
        assertThat(select("ratio", DOCUMENT)).isEqualTo("1.50e3");
        assertThat(select("empty", DOCUMENT)).isEmpty();
        assertThat(select("primary/password", DOCUMENT)).isEqualTo("p\u00e4ss\"word");
        assertThat(select("/primary/hosts/0", DOCUMENT)).isEqualTo("a");
        assertThat(select("/primary/hosts/1/name", DOCUMENT)).isEqualTo("b");
        assertThat(select("a~1b", DOCUMENT)).isEqualTo("slash");
        assertThat(select("m~0n", DOCUMENT)).isEqualTo("tilde");
        assertThat(select("0", DOCUMENT)).isEqualTo("zero");
        assertThat(select("0", "[1, 2]")).isEqualTo("1");
    }

    @Test
    void refusesWhatIsNotThere() {
        refuses("user", DOCUMENT, "has no field '/user'");
        refuses("primary/user", DOCUMENT, "has no field '/primary/user'");
        refuses("primary/hosts/2", DOCUMENT, "has no field");
        refuses("primary/hosts/00", DOCUMENT, "has no field");
        refuses("engine/x", DOCUMENT, "has no field");
        refuses("x", "\"canary\"", "has no field");
        refuses("none", DOCUMENT, "is null");
        refuses("primary", DOCUMENT, "an object");
        refuses("primary/hosts", DOCUMENT, "an array");
        refuses("x", "  ", "is empty");
    }

    @Test
    void refusesWhatIsNotStrictlyJson() {
        refuses("a", "{\"a\": \"canary\", \"a\": \"canary\"}", "not valid JSON");
        refuses("a", "{\"a\": \"x\", \"b\": {\"canary\": 1, \"canary\": 2}}", "not valid JSON");
        refuses("a", "{\"a\": \"canary\"} canary", "not valid JSON");
        refuses("a", "{\"a\": \"canary\"} {}", "after the end");
        refuses("a", "{\"a\": \"canary\"", "not valid JSON");
        refuses("a", "{\"a\": canary}", "not valid JSON, see character");
        refuses("a", "{'a': 'canary'}", "not valid JSON");
        refuses("a", "{\"a\": \"canary\",}", "not valid JSON");
        refuses("a", "canary", "not valid JSON");
        refuses("a", "{\"a\": \"canary\"}" + "]", "not valid JSON");
        refuses("a", "{\"b\": " + "[".repeat(70) + "\"canary\"" + "]".repeat(70) + ", \"a\": 1}", "not valid JSON");
        refuses("a", "/* canary */ {\"a\": 1}", "not valid JSON");
        refuses("a", "{\"a\": NaN}", "not valid JSON");
    }

    @Test
    void refusesInvalidUtf8() {
        byte[] bytes = "{\"a\": \"canary_\"}".getBytes(StandardCharsets.UTF_8);
        bytes[8] = (byte) 0xff;
        assertThatThrownBy(() -> JsonPointer.parse("a", 0).select(SecretValue.of(bytes)))
                .isInstanceOf(UnusableSecretException.class)
                .hasMessageNotContaining("canary");
    }

    /** P7: damage a document in any place: it is still read, or refused without a word of it. */
    @Test
    void damagedDocumentIsNeverQuoted() {
        String document = "{\"a\": {\"password\": \"canary-4711\", \"canary-key\": [1, \"canary-4712\"]}, \"b\": 12}";
        JsonPointer pointer = JsonPointer.parse("a/password", 0);
        Random random = new Random(7);
        int refused = 0;
        for (int i = 0; i < 20_000; i++) {
            byte[] bytes = document.getBytes(StandardCharsets.UTF_8);
            for (int n = random.nextInt(3); n >= 0; n--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
            }
            try {
                assertThat(pointer.select(SecretValue.of(bytes))).isNotNull();
            } catch (UnusableSecretException damaged) {
                refused++;
                assertThat(damaged)
                        .hasNoCause()
                        .hasMessageNotContaining("canary")
                        .hasMessageNotContaining("4711");
            }
        }
        assertThat(refused).isGreaterThan(4_000);
    }

    // As part of a reference

    private final VirtualTime time = new VirtualTime();
    private final InMemoryStore store = new InMemoryStore(time.clock());
    private final SecretSource source =
            SecretSource.builder(store).threads(time).build();

    private void start() {
        var unused = source.begin();
        time.run();
    }

    @Test
    void fieldRotatesWithItsSecret() {
        store.put("db", "{\"user\":\"app\",\"password\":\"one\"}");
        RotatingSecret password = source.secret("db#password");
        RotatingSecret user = source.secret("db#user");
        start();
        store.put("db", "{\"user\":\"app\",\"password\":\"two\"}");
        time.advance(java.time.Duration.ofSeconds(67));
        assertThat(password.versions().accepted())
                .extracting(version -> version.value().revealText())
                .containsExactly("two", "one");
        assertThat(user.current().revealText()).isEqualTo("app");
        assertThat(store.reads()).isLessThanOrEqualTo(3);
        assertThat(password.status().name()).isEqualTo("db");
        assertThat(source.secret("db#/password")).isSameAs(password);
        assertThat(source.statuses()).hasSize(1);
    }

    @Test
    void versionWithoutTheFieldIsHeldOff() {
        store.put("db", "{\"password\":\"one\"}");
        RotatingSecret password = source.secret("db#password");
        start();
        store.put("db", "{\"passwort\":\"canary\"}");
        time.advance(java.time.Duration.ofSeconds(67));
        assertThat(password.current().revealText()).isEqualTo("one");
        assertThat(password.status().state()).isEqualTo(SecretState.DEGRADED);
        assertThat(password.status().detail()).contains("no field '/password'").doesNotContain("canary");
    }

    @Test
    void missingFieldKeepsTheSourceFromStarting() {
        store.put("db", "{\"passwort\":\"canary\"}");
        source.secret("db#password");
        start();
        SecretStatus status = source.status("db").orElseThrow();
        assertThat(status.state()).isEqualTo(SecretState.UNAVAILABLE);
        assertThat(status.detail()).contains("no field '/password'").doesNotContain("canary");
    }
}
