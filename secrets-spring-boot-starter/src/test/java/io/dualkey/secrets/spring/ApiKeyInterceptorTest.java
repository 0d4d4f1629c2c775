package io.dualkey.secrets.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import io.dualkey.secrets.InMemoryStore;
import io.dualkey.secrets.Outcome;
import io.dualkey.secrets.RefreshCause;
import io.dualkey.secrets.Role;
import io.dualkey.secrets.RotatingSecret;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.SecretUnavailableException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.http.HttpStatusCode;
import org.springframework.web.client.RestClient;

/** A client of a real HTTP server that accepts one API key. */
class ApiKeyInterceptorTest {

    private final InMemoryStore store = new InMemoryStore();
    private final SecretSource source =
            SecretSource.builder(store).refreshInterval(Duration.ofHours(1)).build();
    private final RotatingSecret key = source.secret("api-key");
    private final List<String> received = new CopyOnWriteArrayList<>();
    private volatile String accepted = "";
    private HttpServer server;

    @BeforeEach
    void serve() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            String sent = String.valueOf(exchange.getRequestHeaders().getFirst("Authorization"));
            String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            received.add(sent + " " + body);
            exchange.sendResponseHeaders(sent.equals("Bearer " + accepted) ? 204 : 401, -1);
            exchange.close();
        });
        server.start();
        accepted = "k-1";
        store.put("api-key", "k-1");
        source.start(Duration.ofSeconds(10));
    }

    @AfterEach
    void stop() {
        server.stop(0);
        source.close();
    }

    private HttpStatusCode post() {
        RestClient client = RestClient.builder()
                .baseUrl("http://127.0.0.1:" + server.getAddress().getPort())
                .requestInterceptor(ApiKeyInterceptor.bearer(key))
                .build();
        return Objects.requireNonNull(
                client.post().body("mail").exchange((request, response) -> response.getStatusCode()));
    }

    @Test
    void sendsTheCurrentKeyAndRecordsItsUse() {
        assertThat(post().value()).isEqualTo(204);
        assertThat(received).containsExactly("Bearer k-1 mail");
        assertThat(key.status().uses()).containsEntry(Role.CURRENT, 1L);
    }

    @Test
    void refusedKeyIsReplacedAndTheRequestSentOnceMore() {
        accepted = "k-2";
        store.put("api-key", "k-2"); // the next scheduled check is far away
        assertThat(post().value()).isEqualTo(204);
        assertThat(received).containsExactly("Bearer k-1 mail", "Bearer k-2 mail");
        assertThat(post().value()).isEqualTo(204);
        assertThat(received).hasSize(3);
    }

    @Test
    void refusedKeyIsNotSentAgain() {
        accepted = "another";
        assertThat(post().value()).isEqualTo(401);
        assertThat(received).containsExactly("Bearer k-1 mail");
        assertThat(key.status().uses()).containsEntry(Role.CURRENT, 0L);
    }

    @Test
    void keyThatIsRefusedTwiceIsAnswered401() {
        accepted = "another";
        store.put("api-key", "k-2");
        assertThat(post().value()).isEqualTo(401);
        assertThat(received).containsExactly("Bearer k-1 mail", "Bearer k-2 mail");
    }

    @Test
    void floodOfRefusalsStaysWithinTheBudget() {
        accepted = "another";
        long before = store.reads();
        for (int i = 0; i < 200; i++) {
            assertThat(post().value()).isEqualTo(401);
        }
        assertThat(store.reads() - before).isLessThanOrEqualTo(8);
        assertThat(received).hasSize(200);
    }

    @Test
    void storeThatFailsLeavesTheAnswerAsItIs() {
        accepted = "another";
        store.failWith(Outcome.UNREACHABLE);
        assertThat(post().value()).isEqualTo(401);
    }

    @Test
    void keyWithALineBreakIsNamedAndNotQuoted() {
        store.put("api-key", "canary\r\nX-Injected: 1");
        assertThat(key.refresh(RefreshCause.OPERATOR)).succeedsWithin(Duration.ofSeconds(10));
        assertThatThrownBy(this::post)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContainingAll("'api-key'", "cannot stand in a header")
                .hasMessageNotContaining("canary")
                .hasNoCause();
        assertThat(received).isEmpty();
    }

    @Test
    void missingKeyIsToldBeforeAnythingIsSent() {
        store.failWith(Outcome.DISABLED);
        assertThat(key.refresh(RefreshCause.OPERATOR)).succeedsWithin(Duration.ofSeconds(10));
        assertThatThrownBy(this::post).isInstanceOf(SecretUnavailableException.class);
        assertThat(received).isEmpty();
    }

    @Test
    void otherHeadersCanBeUsedAndNothingIsShown() {
        assertThat(ApiKeyInterceptor.header("X-Api-Key", key)).hasToString("ApiKeyInterceptor[api-key, X-Api-Key]");
    }
}
