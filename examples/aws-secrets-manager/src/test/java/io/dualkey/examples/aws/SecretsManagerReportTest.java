package io.dualkey.examples.aws;

import static com.github.tomakehurst.wiremock.client.WireMock.containing;
import static com.github.tomakehurst.wiremock.client.WireMock.equalTo;
import static com.github.tomakehurst.wiremock.client.WireMock.jsonResponse;
import static com.github.tomakehurst.wiremock.client.WireMock.okJson;
import static com.github.tomakehurst.wiremock.client.WireMock.post;
import static org.assertj.core.api.Assertions.assertThat;

import com.github.tomakehurst.wiremock.WireMockServer;
import com.github.tomakehurst.wiremock.client.ResponseDefinitionBuilder;
import com.github.tomakehurst.wiremock.core.WireMockConfiguration;
import io.dualkey.secrets.aws.AwsSecretsManagerStore;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.awscore.retry.AwsRetryStrategy;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.secretsmanager.SecretsManagerClient;

/** The example against a stub of the service on the loopback. */
class SecretsManagerReportTest {

    private final WireMockServer service =
            new WireMockServer(WireMockConfiguration.options().dynamicPort().bindAddress("127.0.0.1"));
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    @BeforeEach
    void start() {
        service.start();
    }

    @AfterEach
    void stop() {
        service.stop();
    }

    @Test
    void printsTheVersionsInForceAndNoValue() {
        long now = Instant.now().getEpochSecond();
        answer("DescribeSecret", "db", okJson("""
                {"ARN": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:db-AbCdEf", "Name": "db",
                 "LastChangedDate": %d,
                 "VersionIdsToStages": {"v1": ["AWSPREVIOUS"], "v2": ["AWSCURRENT", "AWSPENDING"]}}""".formatted(now - 60)));
        answer("GetSecretValue", "AWSCURRENT", version("v2", "new-value", now - 60));
        answer("GetSecretValue", "AWSPREVIOUS", version("v1", "old-value", now - 1_000_000));

        assertThat(print()).isTrue();

        String printed = out.toString(StandardCharsets.UTF_8);
        assertThat(printed.lines())
                .satisfiesExactly(
                        line -> assertThat(line).isEqualTo("db in AWS Secrets Manager eu-central-1: healthy"),
                        line -> assertThat(line).startsWith("  current v2, since "),
                        line -> assertThat(line)
                                .startsWith("  previous v1, since ")
                                .contains(", until "));
        assertThat(printed).doesNotContain("-value");
    }

    @Test
    void saysWhatIsMissing() {
        answer("DescribeSecret", "db", jsonResponse("{\"__type\":\"ResourceNotFoundException\"}", 400));

        assertThat(print()).isFalse();

        assertThat(out.toString(StandardCharsets.UTF_8)).contains("'db'", "ResourceNotFoundException");
    }

    private boolean print() {
        var client = SecretsManagerClient.builder()
                .region(Region.EU_CENTRAL_1)
                .endpointOverride(URI.create(service.baseUrl()))
                .credentialsProvider(StaticCredentialsProvider.create(AwsBasicCredentials.create("test", "test")))
                .httpClientBuilder(UrlConnectionHttpClient.builder())
                .overrideConfiguration(all -> all.retryStrategy(AwsRetryStrategy.doNotRetry()))
                .build();
        return SecretsManagerReport.print(
                AwsSecretsManagerStore.over(client), List.of("db"), new PrintStream(out, true, StandardCharsets.UTF_8));
    }

    private void answer(String action, String inRequest, ResponseDefinitionBuilder answer) {
        service.stubFor(post("/")
                .withHeader("X-Amz-Target", equalTo("secretsmanager." + action))
                .withRequestBody(containing("\"" + inRequest + "\""))
                .willReturn(answer));
    }

    private static ResponseDefinitionBuilder version(String id, String value, long created) {
        return okJson("{\"Name\":\"db\",\"VersionId\":\"%s\",\"SecretString\":\"%s\",\"CreatedDate\":%d.5}"
                .formatted(id, value, created));
    }
}
