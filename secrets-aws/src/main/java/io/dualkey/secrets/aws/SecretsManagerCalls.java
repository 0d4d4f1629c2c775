package io.dualkey.secrets.aws;

import io.dualkey.secrets.Outcome;
import io.dualkey.secrets.SecretValue;
import io.dualkey.secrets.aws.CallFailedException.About;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.services.secretsmanager.SecretsManagerClient;
import software.amazon.awssdk.services.secretsmanager.model.BatchGetSecretValueResponse;
import software.amazon.awssdk.services.secretsmanager.model.DescribeSecretResponse;
import software.amazon.awssdk.services.secretsmanager.model.GetSecretValueRequest;
import software.amazon.awssdk.services.secretsmanager.model.GetSecretValueResponse;
import software.amazon.awssdk.services.secretsmanager.model.SecretValueEntry;

/** The three calls that are made, each one request; what goes wrong is told in our own words. */
final class SecretsManagerCalls {

    static final String DESCRIBE = "DescribeSecret";
    static final String GET = "GetSecretValue";
    static final String BATCH = "BatchGetSecretValue";
    /** What the service answers at most in one call. */
    static final int BATCH_SIZE = 20;
    /** The service takes 64 KiB today. This is for the day on which something else answers. */
    private static final int LARGEST_VALUE = 1024 * 1024;

    private final LongAdder count = new LongAdder();
    private final SecretsManagerClient client;

    SecretsManagerCalls(SecretsManagerClient client) {
        this.client = client;
    }

    Description describe(String secret) throws CallFailedException {
        DescribeSecretResponse response =
                call(DESCRIBE, () -> client.describeSecret(request -> request.secretId(secret)));
        if (response.arn() == null) {
            throw notTheService(DESCRIBE);
        }
        return Description.of(response);
    }

    /** The version that has a label. The label is always named, since a policy may allow no more than that. */
    VersionValue labelled(String secret, String label) throws CallFailedException {
        return value(request -> request.secretId(secret).versionStage(label));
    }

    VersionValue version(String secret, String id) throws CallFailedException {
        return value(request -> request.secretId(secret).versionId(id));
    }

    private VersionValue value(Consumer<GetSecretValueRequest.Builder> request) throws CallFailedException {
        GetSecretValueResponse found = call(GET, () -> client.getSecretValue(request));
        if (found.versionId() == null) {
            throw notTheService(GET);
        }
        SecretValue value = value(found.secretString(), found.secretBinary());
        if (value == null) {
            throw new CallFailedException(About.SECRET, Outcome.MALFORMED, "the version has no value", null);
        }
        if (value.length() > LARGEST_VALUE) {
            throw new CallFailedException(
                    About.SECRET, Outcome.MALFORMED, "the value has more than " + LARGEST_VALUE + " bytes", null);
        }
        return new VersionValue(found.versionId(), found.createdDate(), value);
    }

    /** Something in between answers in its place, and may stop doing so. */
    private static CallFailedException notTheService(String action) {
        return new CallFailedException(
                About.EVERYTHING,
                Outcome.UNREACHABLE,
                action + " was answered with something that is no answer of Secrets Manager",
                null);
    }

    /**
     * The current versions of several secrets, by the names asked for. One that is not among them must be asked for alone,
     * which tells why.
     *
     * @param secrets at most {@value #BATCH_SIZE}
     */
    Map<String, VersionValue> current(Collection<String> secrets) throws CallFailedException {
        BatchGetSecretValueResponse response =
                call(BATCH, () -> client.batchGetSecretValue(request -> request.secretIdList(secrets)));
        if (!response.hasSecretValues() && !response.hasErrors()) {
            throw notTheService(BATCH);
        }
        Map<String, VersionValue> found = new HashMap<>();
        for (SecretValueEntry entry : response.secretValues()) {
            SecretValue value = value(entry.secretString(), entry.secretBinary());
            if (value != null && value.length() <= LARGEST_VALUE && entry.versionId() != null) {
                VersionValue version = new VersionValue(entry.versionId(), entry.createdDate(), value);
                for (String secret : secrets) {
                    // Not by the beginning of an ARN: that may be the whole ARN of another secret.
                    if (secret.equals(entry.name()) || secret.equals(entry.arn())) {
                        found.put(secret, version);
                    }
                }
            }
        }
        return found;
    }

    private static @Nullable SecretValue value(@Nullable String text, @Nullable SdkBytes binary) {
        if (text != null) {
            return SecretValue.ofText(text);
        }
        return binary == null ? null : SecretValue.of(binary.asByteArrayUnsafe());
    }

    /** How many calls of the service there were. */
    long count() {
        return count.sum();
    }

    private <T> T call(String action, Supplier<T> call) throws CallFailedException {
        count.increment();
        try {
            return call.get();
        } catch (RuntimeException failure) {
            throw Failures.of(action, failure);
        }
    }
}
