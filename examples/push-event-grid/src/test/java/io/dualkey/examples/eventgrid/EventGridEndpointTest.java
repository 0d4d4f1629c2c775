package io.dualkey.examples.eventgrid;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import io.dualkey.secrets.InMemoryStore;
import io.dualkey.secrets.Outcome;
import io.dualkey.secrets.RefreshCause;
import io.dualkey.secrets.RotatingSecret;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.SecretStartupException;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The example as it is run, and what it does with requests that Event Grid would not send. */
class EventGridEndpointTest {

    private static final String KEY = "example-endpoint-key-of-32-characters";

    private final InMemoryStore vault = new InMemoryStore();
    private final SecretSource secrets =
            SecretSource.builder(vault).refreshInterval(Duration.ofHours(1)).build();
    private final RotatingSecret key = secrets.secret("event-grid-key");
    private final RotatingSecret apiKey = secrets.secret("mail-api-key");
    private HttpServer server;
    private EmbeddedEventGrid grid;

    @BeforeEach
    void start() throws Exception {
        vault.put("event-grid-key", KEY);
        vault.put("mail-api-key", "example-1");
        server = serve("/events", new EventGridEndpoint(secrets, key));
        secrets.start(Duration.ofSeconds(10));
        grid = new EmbeddedEventGrid(uri(server, "/events"));
    }

    @AfterEach
    void stop() {
        server.stop(0);
        secrets.close();
    }

    private static HttpServer serve(String path, com.sun.net.httpserver.HttpHandler handler) throws Exception {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext(path, handler);
        server.start();
        return server;
    }

    private static URI uri(HttpServer server, String path) {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort() + path);
    }

    private long checks(String name) {
        return secrets.status(name).orElseThrow().checks().values().stream()
                .mapToLong(Long::longValue)
                .sum();
    }

    /** Waits for what an event before has set off: the refresh of another secret is asked for after it. */
    private void awaitInForce(RotatingSecret secret, String value) throws InterruptedException {
        CountDownLatch seen = new CountDownLatch(1);
        secret.onRotation(version -> {
            if (version.value().revealText().equals(value)) {
                seen.countDown();
            }
        });
        assertThat(seen.await(10, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void eventBringsTheNewVersionAtOnce() throws Exception {
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        EventGridDemo.run(new PrintStream(printed, true, StandardCharsets.UTF_8));
        assertThat(printed.toString(StandardCharsets.UTF_8).lines())
                .containsExactly(
                        "subscribed: {\"validationResponse\":\"code-1\"}",
                        "in force: example-1",
                        "event: 200",
                        "in force: example-2",
                        "event without the key: 401");
    }

    @Test
    void returnsTheValidationCodeAndNeverFetchesTheUrl() throws Exception {
        List<URI> fetched = new CopyOnWriteArrayList<>();
        HttpServer trap = serve("/", exchange -> {
            fetched.add(exchange.getRequestURI());
            exchange.close();
        });
        try {
            String validation = EmbeddedEventGrid.validation(
                    "512d38b6-c7b8", uri(trap, "/validate").toString());
            HttpResponse<String> answer = grid.post(KEY, validation);
            assertThat(answer.statusCode()).isEqualTo(200);
            assertThat(answer.headers().firstValue("Content-Type")).hasValue("application/json");
            assertThat(answer.body()).isEqualTo("{\"validationResponse\":\"512d38b6-c7b8\"}");

            HttpResponse<String> stranger = grid.post("guessed", validation);
            assertThat(stranger.statusCode()).isEqualTo(401);
            assertThat(stranger.body()).isEmpty();
            assertThat(fetched).isEmpty();
        } finally {
            trap.stop(0);
        }
    }

    @Test
    void allowsEventGridAloneToSendCloudEvents() throws Exception {
        HttpResponse<String> allowed = grid.options("eventgrid.azure.net");
        assertThat(allowed.statusCode()).isEqualTo(200);
        assertThat(allowed.headers().firstValue("WebHook-Allowed-Origin")).hasValue("eventgrid.azure.net");
        assertThat(grid.options("attacker.example").headers().firstValue("WebHook-Allowed-Origin"))
                .isEmpty();

        vault.put("mail-api-key", "example-2");
        assertThat(grid.post(KEY, EmbeddedEventGrid.cloudEvent("mail-api-key")).statusCode())
                .isEqualTo(200);
        awaitInForce(apiKey, "example-2");
    }

    @Test
    void ownKeyRotatesAsWell() throws Exception {
        String event = EmbeddedEventGrid.newVersion("nobody-uses-this");
        String next = "the-next-endpoint-key-of-32-characters";
        vault.put("event-grid-key", next);
        assertThat(grid.post(KEY, EmbeddedEventGrid.newVersion("event-grid-key"))
                        .statusCode())
                .isEqualTo(200); // the endpoint's key is a secret like any other
        awaitInForce(key, next);
        assertThat(grid.post(next, event).statusCode()).isEqualTo(200);
        assertThat(grid.post(KEY, event).statusCode()).isEqualTo(200); // until Event Grid sends the new one

        String old = key.versions().previous().get(0).id();
        vault.disable("event-grid-key", old);
        key.refresh(RefreshCause.OPERATOR).join();
        assertThat(grid.post(KEY, event).statusCode()).isEqualTo(401);
        assertThat(grid.post(next, event).statusCode()).isEqualTo(200);
    }

    @Test
    void duplicatesUnknownNamesAndOtherEventsAreHarmless() throws Exception {
        String one = EmbeddedEventGrid.event("eventType", "Microsoft.KeyVault.SecretNewVersionCreated", "mail-api-key");
        String expiring = EmbeddedEventGrid.event("eventType", "Microsoft.KeyVault.SecretNearExpiry", "event-grid-key");
        String unknown =
                EmbeddedEventGrid.event("eventType", "Microsoft.KeyVault.SecretNewVersionCreated", "../x\\r\\nforged");
        vault.put("mail-api-key", "example-2");
        String batch = "[" + String.join(",", one, one, unknown, expiring, one) + "]";
        assertThat(grid.post(KEY, batch).statusCode()).isEqualTo(200);
        awaitInForce(apiKey, "example-2");
        apiKey.refresh(RefreshCause.OPERATOR).join();

        assertThat(checks("mail-api-key")).isEqualTo(3); // the start, one for the batch, and the line above
        assertThat(checks("event-grid-key")).isEqualTo(1);
        assertThat(secrets.statuses()).hasSize(2); // no handle was made for a name from outside
    }

    @Test
    void floodOfEventsStaysWithinTheBudget() throws Exception {
        for (int i = 0; i < 200; i++) {
            assertThat(grid.post(KEY, EmbeddedEventGrid.newVersion("mail-api-key"))
                            .statusCode())
                    .isEqualTo(200);
        }
        assertThat(checks("mail-api-key")).isLessThanOrEqualTo(6); // the start, and five a minute
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "{",
                "null",
                "17",
                "\"text\"",
                "[]",
                "[1]",
                "[{}]",
                "{\"data\":{}}",
                "[[[[",
                "[{\"eventType\":\"Microsoft.KeyVault.SecretNewVersionCreated\"},{}]"
            })
    void malformedBodyIsAnswered400(String body) throws Exception {
        assertThat(grid.post(KEY, body).statusCode()).isEqualTo(400);
        assertThat(checks("mail-api-key")).isEqualTo(1);
    }

    @Test
    void refusesWhatIsTooLongOfAnotherMethodOrHasNoKey() throws Exception {
        assertThat(grid.post(KEY, " ".repeat(EventGridEndpoint.MAX_BODY + 1)).statusCode())
                .isEqualTo(413);
        assertThat(grid.send(grid.toEndpoint().GET()).statusCode()).isEqualTo(405);
        assertThat(grid.send(grid.toEndpoint().POST(java.net.http.HttpRequest.BodyPublishers.ofString("[]")))
                        .statusCode())
                .isEqualTo(401);
        assertThat(grid.post(KEY + "x", "[]").statusCode()).isEqualTo(401);
        assertThat(grid.post("", "[]").statusCode()).isEqualTo(401);
    }

    @Test
    void asksForPatienceWhileItHasNoKey() throws Exception {
        vault.failWith(Outcome.DISABLED);
        key.refresh(RefreshCause.OPERATOR).join();
        assertThat(grid.post(KEY, EmbeddedEventGrid.newVersion("mail-api-key")).statusCode())
                .isEqualTo(503);
    }

    @Test
    void weakKeyEndsTheStart() {
        InMemoryStore weak = new InMemoryStore();
        weak.put("event-grid-key", "hunter2");
        try (SecretSource source = SecretSource.from(weak)) {
            var endpoint = new EventGridEndpoint(source, source.secret("event-grid-key"));
            assertThat(endpoint).isNotNull();
            assertThatThrownBy(() -> source.start(Duration.ofSeconds(10)))
                    .isInstanceOf(SecretStartupException.class)
                    .hasMessageContainingAll("'event-grid-key'", "at least 32 characters")
                    .hasMessageNotContaining("hunter2");
        }
    }
}
