package io.dualkey.docs;

import com.azure.core.credential.TokenCredential;
import com.azure.core.http.jdk.httpclient.JdkHttpClientBuilder;
import com.azure.core.http.policy.FixedDelayOptions;
import com.azure.core.http.policy.RetryOptions;
import com.azure.security.keyvault.secrets.SecretClientBuilder;
import io.dualkey.secrets.RotatingSecret;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.SecretStore;
import io.dualkey.secrets.azure.AzureKeyVaultStore;
import java.time.Duration;

/** The code of {@code docs/azure.md}; a test runs it and compares it with the page. */
final class AzureSnippets {

    private AzureSnippets() {}

    static RotatingSecret basics() {
        // snippet: basics
        var secrets = SecretSource.from(AzureKeyVaultStore.at("https://kv-prod.vault.azure.net"));
        RotatingSecret jwtKey = secrets.secret("jwt-key");
        // then secrets.start(Duration.ofSeconds(10)), and jwtKey.current() wherever it is needed
        // end
        secrets.close();
        return jwtKey;
    }

    static SecretStore ownClient(TokenCredential credential) {
        // snippet: client
        var client = new SecretClientBuilder()
                .vaultUrl("https://kv-prod.vault.azure.net")
                .credential(credential)
                .httpClient(new JdkHttpClientBuilder()
                        .responseTimeout(Duration.ofSeconds(5))
                        .build())
                .retryOptions(new RetryOptions(new FixedDelayOptions(0, Duration.ofMillis(1)))) // Dualkey retries
                .addPolicy(AzureKeyVaultStore.bodyGuard()) // keeps values out of the SDK's logs
                .buildClient();
        SecretStore store = AzureKeyVaultStore.over(client);
        // end
        return store;
    }

    static SecretStore byList() {
        // snippet: list
        SecretStore store =
                AzureKeyVaultStore.at("https://kv-prod.vault.azure.net").checkedByList();
        // end
        return store;
    }

    static SecretSource manyReplicas(SecretStore store) {
        // snippet: interval
        var secrets = SecretSource.builder(store)
                .refreshInterval(Duration.ofMinutes(5))
                .build();
        // end
        return secrets;
    }
}
