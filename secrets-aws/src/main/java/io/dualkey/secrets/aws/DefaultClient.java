package io.dualkey.secrets.aws;

import java.time.Duration;
import software.amazon.awssdk.awscore.retry.AwsRetryStrategy;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.secretsmanager.SecretsManagerClient;
import software.amazon.awssdk.services.secretsmanager.SecretsManagerClientBuilder;

/** The client for those who bring none: no retries, since the engine above has them, and an end to every call. */
final class DefaultClient {

    private static final Duration CONNECT = Duration.ofSeconds(3);
    /** All of it: credentials, connection, request and answer. */
    private static final Duration CALL = Duration.ofSeconds(10);

    private DefaultClient() {}

    static SecretsManagerClientBuilder in(Region region) {
        return in(region, CALL);
    }

    /** For tests, which do not wait so long. */
    static SecretsManagerClientBuilder in(Region region, Duration call) {
        return SecretsManagerClient.builder()
                .region(region)
                .httpClientBuilder(UrlConnectionHttpClient.builder()
                        .connectionTimeout(CONNECT)
                        .socketTimeout(call))
                .overrideConfiguration(
                        all -> all.retryStrategy(AwsRetryStrategy.doNotRetry()).apiCallTimeout(call));
    }
}
