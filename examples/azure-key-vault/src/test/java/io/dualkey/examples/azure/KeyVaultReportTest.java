package io.dualkey.examples.azure;

import static com.github.tomakehurst.wiremock.client.WireMock.get;
import static com.github.tomakehurst.wiremock.client.WireMock.okJson;
import static com.github.tomakehurst.wiremock.client.WireMock.urlPathEqualTo;
import static org.assertj.core.api.Assertions.assertThat;

import com.azure.core.credential.AccessToken;
import com.azure.core.http.jdk.httpclient.JdkHttpClientBuilder;
import com.azure.security.keyvault.secrets.SecretClient;
import com.azure.security.keyvault.secrets.SecretClientBuilder;
import com.github.tomakehurst.wiremock.WireMockServer;
import com.github.tomakehurst.wiremock.core.WireMockConfiguration;
import io.dualkey.secrets.azure.AzureKeyVaultStore;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.net.Socket;
import java.net.http.HttpClient;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedTrustManager;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;

/** The example against a key vault on the loopback. */
class KeyVaultReportTest {

    private final WireMockServer vault = new WireMockServer(WireMockConfiguration.options()
            .httpDisabled(true)
            .dynamicHttpsPort()
            .bindAddress("127.0.0.1"));

    @BeforeEach
    void start() {
        vault.start();
    }

    @AfterEach
    void stop() {
        vault.stop();
    }

    @Test
    void printsTheVersionsInForceAndNoValue() throws GeneralSecurityException {
        Instant now = Instant.now();
        String first = version("11aa", now.minusSeconds(1_000_000));
        String second = version("22bb", now.minusSeconds(60));
        String url = "/secrets/api-key";
        vault.stubFor(get(urlPathEqualTo(url)).willReturn(okJson("{\"value\":\"new-value\"," + second + "}")));
        vault.stubFor(get(urlPathEqualTo(url + "/")).willReturn(okJson("{\"value\":\"new-value\"," + second + "}")));
        vault.stubFor(get(urlPathEqualTo(url + "/11aa")).willReturn(okJson("{\"value\":\"old-value\"," + first + "}")));
        vault.stubFor(get(urlPathEqualTo(url + "/versions"))
                .willReturn(okJson("{\"value\":[{" + second + "},{" + first + "}],\"nextLink\":null}")));

        ByteArrayOutputStream out = new ByteArrayOutputStream();
        boolean well = KeyVaultReport.print(
                AzureKeyVaultStore.over(client()),
                List.of("api-key"),
                new PrintStream(out, true, StandardCharsets.UTF_8));

        String printed = out.toString(StandardCharsets.UTF_8);
        assertThat(well).isTrue();
        assertThat(printed.lines())
                .satisfiesExactly(
                        line -> assertThat(line).isEqualTo("api-key in Azure Key Vault 127: healthy"),
                        line -> assertThat(line).startsWith("  current 22bb, since "),
                        line -> assertThat(line)
                                .startsWith("  previous 11aa, since ")
                                .contains(", until "));
        assertThat(printed).doesNotContain("-value");
    }

    @Test
    void saysWhatIsMissing() throws GeneralSecurityException {
        vault.stubFor(get(urlPathEqualTo("/secrets/api-key/"))
                .willReturn(okJson("{\"error\":{\"code\":\"SecretNotFound\"}}").withStatus(404)));
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        boolean well = KeyVaultReport.print(
                AzureKeyVaultStore.over(client()),
                List.of("api-key"),
                new PrintStream(out, true, StandardCharsets.UTF_8));
        assertThat(well).isFalse();
        assertThat(out.toString(StandardCharsets.UTF_8)).contains("'api-key'", "404");
    }

    private String version(String id, Instant created) {
        return "\"id\":\"https://127.0.0.1/secrets/api-key/" + id + "\",\"attributes\":{\"enabled\":true,\"created\":"
                + created.getEpochSecond() + "}";
    }

    private SecretClient client() throws GeneralSecurityException {
        SSLContext trust = SSLContext.getInstance("TLS");
        trust.init(null, new X509ExtendedTrustManager[] {new TrustTheLoopback()}, new SecureRandom());
        return new SecretClientBuilder()
                .vaultUrl("https://127.0.0.1:" + vault.httpsPort())
                .credential(context -> Mono.just(new AccessToken(
                        "token", OffsetDateTime.now(ZoneOffset.UTC).plusHours(1))))
                .httpClient(new JdkHttpClientBuilder(HttpClient.newBuilder().sslContext(trust)).build())
                .addPolicy(AzureKeyVaultStore.bodyGuard())
                .disableChallengeResourceVerification()
                .buildClient();
    }

    /** WireMock's certificate names nobody; it is only ever met on the loopback. */
    private static final class TrustTheLoopback extends X509ExtendedTrustManager {

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
