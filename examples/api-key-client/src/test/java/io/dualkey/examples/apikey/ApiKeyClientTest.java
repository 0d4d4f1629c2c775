package io.dualkey.examples.apikey;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.dualkey.secrets.InMemoryStore;
import io.dualkey.secrets.Outcome;
import io.dualkey.secrets.Role;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.SecretStartupException;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The example as it is run, and what can go wrong. */
class ApiKeyClientTest {

    private final InMemoryStore vault = new InMemoryStore();
    private final SecretSource secrets =
            SecretSource.builder(vault).refreshInterval(Duration.ofHours(1)).build();
    private final ApiKeyClient client = new ApiKeyClient(secrets.secret("mail-api-key"));
    private EmbeddedProvider provider;

    @BeforeEach
    void open() throws Exception {
        provider = new EmbeddedProvider();
    }

    @AfterEach
    void close() {
        provider.close();
        secrets.close();
    }

    private HttpRequest.Builder mail() {
        return HttpRequest.newBuilder(provider.uri()).POST(HttpRequest.BodyPublishers.ofString("Dear Alice"));
    }

    @Test
    void changesItsKeyAtTheFirstRefusalAndSparesTheVault() throws Exception {
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        ApiKeyClientDemo.run(new PrintStream(printed, true, StandardCharsets.UTF_8));
        assertThat(printed.toString(StandardCharsets.UTF_8).lines())
                .containsExactly(
                        "first key: 200 (the service answered [200])",
                        "new key in the vault, both good: 200 (the service answered [200])",
                        "old key revoked: 200 (the service answered [401, 200])",
                        "next request: 200 (the service answered [200])",
                        "50 requests with a revoked key: at most 10 calls to the vault: yes");
    }

    @Test
    void sendsTheBodyAgainWithTheOtherKey() throws Exception {
        vault.put("mail-api-key", "example-key-1");
        provider.issue("example-key-2");
        secrets.start(Duration.ofSeconds(10));
        vault.put("mail-api-key", "example-key-2");
        HttpResponse<InputStream> answer = client.send(mail(), HttpResponse.BodyHandlers.ofInputStream());
        try (InputStream body = answer.body()) {
            assertThat(body).hasContent("Dear Alice");
        }
        assertThat(provider.answers()).containsExactly(401, 200);
        assertThat(secrets.status("mail-api-key").orElseThrow().uses()).containsEntry(Role.CURRENT, 1L);
    }

    @Test
    void passesTheRefusalOnWhereTheVaultCannotBeAsked() throws Exception {
        vault.put("mail-api-key", "example-key-1");
        secrets.start(Duration.ofSeconds(10));
        vault.failWith(Outcome.UNREACHABLE);
        HttpResponse<String> answer = client.send(mail(), HttpResponse.BodyHandlers.ofString());
        assertThat(answer.statusCode()).isEqualTo(401);
        assertThat(answer.body()).isEqualTo("unknown key");
        assertThat(provider.answers()).containsExactly(401);
    }

    @Test
    void keyThatCannotStandInAHeaderIsToldAtTheStartAndNotQuoted() {
        vault.put("mail-api-key", "canary\r\nX-Injected: 1");
        assertThatThrownBy(() -> secrets.start(Duration.ofSeconds(10)))
                .isInstanceOf(SecretStartupException.class)
                .hasMessageContainingAll("'mail-api-key'", "printable ASCII")
                .hasMessageNotContaining("canary");
    }
}
