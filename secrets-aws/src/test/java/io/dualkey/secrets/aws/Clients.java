package io.dualkey.secrets.aws;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.secretsmanager.SecretsManagerClient;
import software.amazon.awssdk.services.secretsmanager.SecretsManagerClientBuilder;

/** The default client, but for where it calls and with which credentials. */
final class Clients {

    private Clients() {}

    static SecretsManagerClient of(SecretsManagerStub stub) {
        return with(DefaultClient.in(Region.EU_CENTRAL_1), stub).build();
    }

    /** One that gives a call up soon. */
    static SecretsManagerClient impatient(SecretsManagerStub stub, Duration call) {
        return with(DefaultClient.in(Region.EU_CENTRAL_1, call), stub).build();
    }

    private static SecretsManagerClientBuilder with(SecretsManagerClientBuilder builder, SecretsManagerStub stub) {
        return builder.endpointOverride(stub.endpoint())
                .credentialsProvider(StaticCredentialsProvider.create(AwsBasicCredentials.create("test", "test")));
    }

    /** The stub's time, for the source above the store. */
    static Clock clock(SecretsManagerStub stub) {
        return new Clock() {
            @Override
            public ZoneId getZone() {
                return ZoneOffset.UTC;
            }

            @Override
            public Clock withZone(ZoneId zone) {
                return this;
            }

            @Override
            public Instant instant() {
                return stub.now();
            }
        };
    }
}
