package io.dualkey.secrets.spring;

import com.azure.security.keyvault.secrets.SecretClient;
import io.dualkey.secrets.SecretStore;
import io.dualkey.secrets.azure.AzureKeyVaultStore;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.context.annotation.Bean;

/** Auto-configuration of an Azure Key Vault as a store. A {@link SecretClient} of the application's own is used if there is one. */
@AutoConfiguration(before = SecretsAutoConfiguration.class)
@ConditionalOnClass({AzureKeyVaultStore.class, SecretClient.class})
@ConditionalOnProperty("dualkey.stores.azure-key-vault.url")
@ConditionalOnMissingBean(SecretStore.class)
public final class AzureKeyVaultAutoConfiguration {

    AzureKeyVaultAutoConfiguration() {}

    private static boolean same(String one, String other) {
        return one.replaceAll("/+$", "").equalsIgnoreCase(other.replaceAll("/+$", ""));
    }

    @Bean
    ConfiguredStore dualkeyAzureKeyVaultStore(DualkeyProperties properties, ObjectProvider<SecretClient> clients) {
        return store(properties, clients.getIfUnique());
    }

    static ConfiguredStore store(DualkeyProperties properties, @Nullable SecretClient own) {
        DualkeyProperties.AzureKeyVault vault = properties.stores().azureKeyVault();
        if (own != null && !same(own.getVaultUrl(), String.valueOf(vault.url()))) {
            throw new MisconfigurationException(
                    "dualkey.stores.azure-key-vault.url names another vault than the SecretClient bean, which would be"
                            + " read.",
                    "Set it to the vault of the bean, or define an AzureKeyVaultStore bean over a client of your own.");
        }
        AzureKeyVaultStore store;
        try {
            store = own == null ? AzureKeyVaultStore.at(String.valueOf(vault.url())) : AzureKeyVaultStore.over(own);
        } catch (IllegalArgumentException malformed) {
            throw new MisconfigurationException(
                    "dualkey.stores.azure-key-vault.url cannot be used: " + malformed.getMessage() + ".",
                    "Set it to the URL of the vault, as its page in the portal shows it.");
        }
        return new ConfiguredStore(
                ConfiguredStore.AZURE_KEY_VAULT, vault.prefix(), vault.checkByList() ? store.checkedByList() : store);
    }
}
