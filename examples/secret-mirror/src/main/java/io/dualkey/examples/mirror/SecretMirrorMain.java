package io.dualkey.examples.mirror;

import com.azure.core.http.jdk.httpclient.JdkHttpClientBuilder;
import com.azure.core.http.policy.FixedDelayOptions;
import com.azure.core.http.policy.RetryOptions;
import com.azure.identity.DefaultAzureCredentialBuilder;
import com.azure.security.keyvault.secrets.SecretClientBuilder;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.SecretStartupException;
import io.dualkey.secrets.aws.AwsSecretsManagerStore;
import io.dualkey.secrets.azure.AzureKeyVaultStore;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;

/** Runs a {@link SecretMirror} until it is stopped. */
public final class SecretMirrorMain {

    private SecretMirrorMain() {}

    /**
     * Runs the example.
     *
     * @param arguments the AWS region, the URL of the key vault, and {@code secret=copy} for each secret
     * @throws InterruptedException if the main thread is interrupted
     */
    public static void main(String[] arguments) throws InterruptedException {
        if (arguments.length < 3) {
            System.err.println("usage: SecretMirrorMain <region> https://<vault>.vault.azure.net <secret>=<copy>...");
            System.exit(2);
        }
        Map<String, String> targets = targets(Arrays.asList(arguments).subList(2, arguments.length));
        var vault = new SecretClientBuilder()
                .vaultUrl(arguments[1])
                .credential(new DefaultAzureCredentialBuilder().build())
                .httpClient(new JdkHttpClientBuilder()
                        .connectionTimeout(Duration.ofSeconds(5))
                        .responseTimeout(Duration.ofSeconds(10))
                        .build())
                .retryOptions(new RetryOptions(new FixedDelayOptions(0, Duration.ofMillis(1)))) // the next check does
                .addPolicy(AzureKeyVaultStore.bodyGuard()) // keeps values out of the SDK's logs
                .buildClient();
        try (SecretSource secrets = SecretSource.from(AwsSecretsManagerStore.in(arguments[0]));
                SecretMirror mirror = new SecretMirror(secrets, vault, targets)) {
            secrets.start(Duration.ofSeconds(30));
            Runtime.getRuntime().addShutdownHook(new Thread(mirror::close));
            new CountDownLatch(1).await();
        } catch (SecretStartupException problems) {
            System.err.println(problems.getMessage());
            System.exit(1);
        }
    }

    /** The copy's name stands after the last '='; the name of a secret in AWS may have others. */
    static Map<String, String> targets(List<String> arguments) {
        Map<String, String> targets = new LinkedHashMap<>();
        for (String argument : arguments) {
            int equals = argument.lastIndexOf('=');
            if (equals < 1 || equals == argument.length() - 1) {
                throw new IllegalArgumentException("an argument must be <secret>=<copy>, but is " + argument);
            }
            targets.put(argument.substring(0, equals), argument.substring(equals + 1));
        }
        return targets;
    }
}
