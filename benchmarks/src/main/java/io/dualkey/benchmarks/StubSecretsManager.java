package io.dualkey.benchmarks;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayInputStream;
import software.amazon.awssdk.auth.credentials.AnonymousCredentialsProvider;
import software.amazon.awssdk.http.AbortableInputStream;
import software.amazon.awssdk.http.ExecutableHttpRequest;
import software.amazon.awssdk.http.HttpExecuteRequest;
import software.amazon.awssdk.http.HttpExecuteResponse;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.SdkHttpResponse;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.secretsmanager.SecretsManagerClient;

/** Answers for AWS Secrets Manager, below the SDK's real client: one secret, and no network. */
final class StubSecretsManager implements SdkHttpClient {

    private static final String VERSION = "11111111-2222-3333-4444-555555555555";

    private final String value;

    private StubSecretsManager(String value) {
        this.value = value;
    }

    /** Returns a client that finds this value for any secret. */
    static SecretsManagerClient holding(String value) {
        return SecretsManagerClient.builder()
                .region(Region.EU_CENTRAL_1)
                .credentialsProvider(AnonymousCredentialsProvider.create())
                .httpClient(new StubSecretsManager(value))
                .build();
    }

    @Override
    public ExecutableHttpRequest prepareRequest(HttpExecuteRequest request) {
        boolean describe = request.httpRequest()
                .firstMatchingHeader("X-Amz-Target")
                .orElse("")
                .endsWith(".DescribeSecret");
        String body = describe
                ? "{\"Name\":\"key\",\"VersionIdsToStages\":{\"" + VERSION + "\":[\"AWSCURRENT\"]}}"
                : "{\"Name\":\"key\",\"VersionId\":\"" + VERSION + "\",\"SecretString\":\"" + value + "\"}";
        return new ExecutableHttpRequest() {
            @Override
            public HttpExecuteResponse call() {
                return HttpExecuteResponse.builder()
                        .response(SdkHttpResponse.builder()
                                .statusCode(200)
                                .putHeader("Content-Type", "application/x-amz-json-1.1")
                                .build())
                        .responseBody(AbortableInputStream.create(new ByteArrayInputStream(body.getBytes(UTF_8))))
                        .build();
            }

            @Override
            public void abort() {
                // the answer is there at once
            }
        };
    }

    @Override
    public void close() {
        // nothing is open
    }
}
