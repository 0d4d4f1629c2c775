package io.dualkey.docs;

import static org.assertj.core.api.Assertions.assertThat;

import com.azure.core.credential.TokenCredential;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.SecretStore;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The code of the page makes what the page says, without a call to any vault. */
class AzureSnippetsTest {

    @Test
    void storesAreMadeWithoutACall() {
        TokenCredential unused = context -> {
            throw new AssertionError("nothing is called before the first read");
        };
        assertThat(List.of(AzureSnippets.byList(), AzureSnippets.ownClient(unused)))
                .extracting(SecretStore::description)
                .containsOnly("Azure Key Vault kv-prod");
        assertThat(AzureSnippets.basics().name()).isEqualTo("jwt-key");
    }

    @Test
    void referencesOfAppServiceFindTheVaultByItsName() {
        try (SecretSource secrets = AzureSnippets.manyReplicas(AzureSnippets.byList())) {
            String reference = "@Microsoft.KeyVault(SecretUri=https://kv-prod.vault.azure.net/secrets/db-url)";
            assertThat(secrets.secret(reference).name()).isEqualTo("db-url");
        }
    }
}
