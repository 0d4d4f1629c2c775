package io.dualkey.examples.mirror;

import static com.github.tomakehurst.wiremock.client.ResponseDefinitionBuilder.responseDefinition;

import com.github.tomakehurst.wiremock.WireMockServer;
import com.github.tomakehurst.wiremock.client.ResponseDefinitionBuilder;
import com.github.tomakehurst.wiremock.client.WireMock;
import com.github.tomakehurst.wiremock.common.Json;
import com.github.tomakehurst.wiremock.core.WireMockConfiguration;
import com.github.tomakehurst.wiremock.extension.ResponseDefinitionTransformerV2;
import com.github.tomakehurst.wiremock.http.Request;
import com.github.tomakehurst.wiremock.http.ResponseDefinition;
import com.github.tomakehurst.wiremock.stubbing.ServeEvent;
import io.dualkey.secrets.aws.AwsSecretsManagerStore;
import java.net.URI;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.awscore.retry.AwsRetryStrategy;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.secretsmanager.SecretsManagerClient;

/** AWS Secrets Manager with one secret, on the wire. */
final class AwsStub implements ResponseDefinitionTransformerV2, AutoCloseable {

    private final WireMockServer server = new WireMockServer(WireMockConfiguration.options()
            .dynamicPort()
            .bindAddress("127.0.0.1")
            .extensions(this));
    private final Map<String, String> values = new LinkedHashMap<>();
    private final Map<String, String> labels = new LinkedHashMap<>();

    AwsStub() {
        server.start();
        server.stubFor(WireMock.any(WireMock.anyUrl()));
    }

    synchronized void put(String id, String value) {
        values.put(id, value);
        moveCurrentTo(id);
    }

    synchronized void moveCurrentTo(String id) {
        String old = labels.put("AWSCURRENT", id);
        if (old != null) {
            labels.put("AWSPREVIOUS", old);
        }
    }

    AwsSecretsManagerStore store() {
        return AwsSecretsManagerStore.over(SecretsManagerClient.builder()
                .region(Region.EU_CENTRAL_1)
                .endpointOverride(URI.create(server.baseUrl()))
                .credentialsProvider(StaticCredentialsProvider.create(AwsBasicCredentials.create("test", "test")))
                .httpClientBuilder(UrlConnectionHttpClient.builder())
                .overrideConfiguration(all -> all.retryStrategy(AwsRetryStrategy.doNotRetry()))
                .build());
    }

    @Override
    public String getName() {
        return "secrets-manager";
    }

    @Override
    public synchronized ResponseDefinition transform(ServeEvent event) {
        return answer(event.getRequest())
                .withHeader("Content-Type", "application/x-amz-json-1.1")
                .build();
    }

    private ResponseDefinitionBuilder answer(Request request) {
        long created = Instant.now().getEpochSecond();
        if (request.getHeader("X-Amz-Target").equals("secretsmanager.DescribeSecret")) {
            Map<String, List<String>> stages = new LinkedHashMap<>();
            labels.forEach((label, id) -> stages.put(id, List.of(label)));
            return json(Map.of("ARN", "arn:aws:stub", "LastChangedDate", created, "VersionIdsToStages", stages));
        }
        Object label = Json.read(request.getBodyAsString(), Map.class).get("VersionStage");
        String id = labels.get(String.valueOf(label));
        return json(Map.of("VersionId", id, "SecretString", values.get(id), "CreatedDate", created));
    }

    private static ResponseDefinitionBuilder json(Map<String, ?> body) {
        return responseDefinition().withStatus(200).withBody(Json.write(body));
    }

    @Override
    public void close() {
        server.stop();
    }
}
