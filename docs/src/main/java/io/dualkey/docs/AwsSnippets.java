package io.dualkey.docs;

import io.dualkey.secrets.RotatingSecret;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.aws.AwsSecretsManagerStore;
import java.time.Duration;
import java.util.List;
import software.amazon.awssdk.auth.credentials.ProfileCredentialsProvider;
import software.amazon.awssdk.awscore.retry.AwsRetryStrategy;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.secretsmanager.SecretsManagerClient;

/** The code of {@code docs/aws.md}. */
final class AwsSnippets {

    private AwsSnippets() {}

    static List<RotatingSecret> basics() {
        // snippet: basics
        var secrets = SecretSource.from(AwsSecretsManagerStore.in("eu-central-1"));
        RotatingSecret password = secrets.secret("prod/orders/db#password"); // a field of a JSON document
        RotatingSecret key = secrets.secret("arn:aws:secretsmanager:eu-central-1:123456789012:secret:jwt-key-AbCdEf");
        secrets.start(Duration.ofSeconds(10));
        // end
        return List.of(password, key);
    }

    static SecretSource client() {
        // snippet: client
        var client = SecretsManagerClient.builder()
                .region(Region.EU_WEST_1)
                .credentialsProvider(ProfileCredentialsProvider.create("orders"))
                .httpClientBuilder(UrlConnectionHttpClient.builder())
                .overrideConfiguration(all -> all.retryStrategy(AwsRetryStrategy.doNotRetry()) // the source retries
                        .apiCallTimeout(Duration.ofSeconds(5)))
                .build();
        var secrets = SecretSource.builder(AwsSecretsManagerStore.over(client))
                .refreshInterval(Duration.ofMinutes(5))
                .grace(Duration.ofHours(12))
                .build();
        // end
        return secrets;
    }
}
