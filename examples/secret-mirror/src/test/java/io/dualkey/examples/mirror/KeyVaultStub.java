package io.dualkey.examples.mirror;

import static com.github.tomakehurst.wiremock.client.ResponseDefinitionBuilder.responseDefinition;

import com.azure.core.credential.AccessToken;
import com.azure.core.http.jdk.httpclient.JdkHttpClientBuilder;
import com.azure.core.http.policy.FixedDelayOptions;
import com.azure.core.http.policy.RetryOptions;
import com.azure.security.keyvault.secrets.SecretClient;
import com.azure.security.keyvault.secrets.SecretClientBuilder;
import com.github.tomakehurst.wiremock.WireMockServer;
import com.github.tomakehurst.wiremock.client.ResponseDefinitionBuilder;
import com.github.tomakehurst.wiremock.client.WireMock;
import com.github.tomakehurst.wiremock.common.Json;
import com.github.tomakehurst.wiremock.core.WireMockConfiguration;
import com.github.tomakehurst.wiremock.extension.ResponseDefinitionTransformerV2;
import com.github.tomakehurst.wiremock.http.Fault;
import com.github.tomakehurst.wiremock.http.Request;
import com.github.tomakehurst.wiremock.http.RequestMethod;
import com.github.tomakehurst.wiremock.http.ResponseDefinition;
import com.github.tomakehurst.wiremock.stubbing.ServeEvent;
import io.dualkey.secrets.azure.AzureKeyVaultStore;
import java.net.Socket;
import java.net.http.HttpClient;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedTrustManager;
import reactor.core.publisher.Mono;

/** A key vault with one secret, on the wire. */
final class KeyVaultStub implements ResponseDefinitionTransformerV2, AutoCloseable {

    /** What is wrong with the vault. */
    enum Trouble {
        NONE,
        DOWN,
        /** It does what it is told, and the answer never arrives. */
        LOSES_ANSWERS
    }

    /** One version as it was put. */
    record Held(String value, Object awsVersion) {}

    private final WireMockServer server = new WireMockServer(WireMockConfiguration.options()
            .httpDisabled(true)
            .dynamicHttpsPort()
            .bindAddress("127.0.0.1")
            .http2TlsDisabled(true)
            .extensions(this));
    private final List<Held> versions = new ArrayList<>();
    private final AtomicInteger requests = new AtomicInteger();
    private volatile Trouble trouble = Trouble.NONE;
    private boolean latestDisabled;

    KeyVaultStub() {
        server.start();
        server.stubFor(WireMock.any(WireMock.anyUrl()));
    }

    synchronized List<Held> versions() {
        return List.copyOf(versions);
    }

    synchronized void putByHand(String value) {
        versions.add(new Held(value, null));
    }

    /** As an operator does whose key has leaked. */
    synchronized void disableLatest() {
        latestDisabled = true;
    }

    void trouble(Trouble wrong) {
        trouble = wrong;
    }

    int requests() {
        return requests.get();
    }

    SecretClient client() {
        try {
            SSLContext trust = SSLContext.getInstance("TLS");
            trust.init(null, new X509ExtendedTrustManager[] {new TrustTheLoopback()}, new SecureRandom());
            return new SecretClientBuilder()
                    .vaultUrl("https://127.0.0.1:" + server.httpsPort())
                    .credential(context -> Mono.just(new AccessToken(
                            "token", OffsetDateTime.now(ZoneOffset.UTC).plusHours(1))))
                    .httpClient(new JdkHttpClientBuilder(HttpClient.newBuilder().sslContext(trust)).build())
                    .retryOptions(new RetryOptions(new FixedDelayOptions(0, Duration.ofMillis(1))))
                    .addPolicy(AzureKeyVaultStore.bodyGuard())
                    .disableChallengeResourceVerification()
                    .buildClient();
        } catch (GeneralSecurityException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    @Override
    public String getName() {
        return "key-vault";
    }

    @Override
    public synchronized ResponseDefinition transform(ServeEvent event) {
        requests.incrementAndGet();
        if (trouble == Trouble.DOWN) {
            return json(503, Map.of("error", Map.of("code", "ServiceUnavailable", "message", "quoted")))
                    .build();
        }
        Request request = event.getRequest();
        if (!request.containsHeader("Authorization")) { // the SDK asks once without, and without a body
            return json(401, Map.of("error", Map.of("code", "Unauthorized")))
                    .withHeader(
                            "WWW-Authenticate",
                            "Bearer authorization=\"https://login.example.com/tenant\","
                                    + " resource=\"https://vault.example.com\"")
                    .build();
        }
        boolean put = request.getMethod().equals(RequestMethod.PUT);
        if (put) {
            Map<?, ?> body = Json.read(request.getBodyAsString(), Map.class);
            Map<?, ?> tags = (Map<?, ?>) body.get("tags");
            versions.add(new Held(String.valueOf(body.get("value")), tags.get(SecretMirror.VERSION_TAG)));
            latestDisabled = false;
        }
        if (put && trouble == Trouble.LOSES_ANSWERS) {
            return responseDefinition().withFault(Fault.EMPTY_RESPONSE).build();
        }
        if (versions.isEmpty()) {
            return json(404, Map.of("error", Map.of("code", "SecretNotFound"))).build();
        }
        if (request.getUrl().contains("/versions")) {
            return json(
                            200,
                            Map.of(
                                    "value",
                                    IntStream.range(0, versions.size())
                                            .mapToObj(this::listed)
                                            .toList()))
                    .build();
        }
        if (latestDisabled) {
            return json(
                            403,
                            Map.of(
                                    "error",
                                    Map.of("code", "Forbidden", "innererror", Map.of("code", "SecretDisabled"))))
                    .build();
        }
        Held latest = versions.get(versions.size() - 1);
        String id = "https://127.0.0.1/secrets/db-copy/%032x".formatted(versions.size());
        return json(200, Map.of("value", latest.value(), "id", id, "attributes", Map.of("enabled", true)))
                .build();
    }

    private Map<String, ?> listed(int index) {
        Object tag = versions.get(index).awsVersion();
        return Map.of(
                "id",
                "https://127.0.0.1/secrets/db-copy/%032x".formatted(index + 1),
                "attributes",
                Map.of("enabled", !latestDisabled || index + 1 < versions.size(), "created", 1_700_000_000 + index),
                "tags",
                tag == null ? Map.of() : Map.of(SecretMirror.VERSION_TAG, tag));
    }

    private static ResponseDefinitionBuilder json(int status, Map<String, ?> body) {
        return responseDefinition()
                .withStatus(status)
                .withHeader("Content-Type", "application/json; charset=utf-8")
                .withBody(Json.write(body));
    }

    @Override
    public void close() {
        server.stop();
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
