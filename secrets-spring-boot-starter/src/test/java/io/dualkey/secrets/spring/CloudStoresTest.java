package io.dualkey.secrets.spring;

import static org.assertj.core.api.Assertions.assertThat;

import com.azure.security.keyvault.secrets.SecretClient;
import io.dualkey.secrets.InMemoryStore;
import io.dualkey.secrets.SecretStore;
import io.dualkey.secrets.aws.AwsSecretsManagerStore;
import io.dualkey.secrets.azure.AzureKeyVaultStore;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import software.amazon.awssdk.auth.credentials.AnonymousCredentialsProvider;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.secretsmanager.SecretsManagerClient;

/** Vaults that properties name. No secret is, so that nothing is called. */
class CloudStoresTest {

    private static final String AZURE = "dualkey.stores.azure-key-vault.url=https://kv-prod.vault.azure.net";
    private static final String AWS = "dualkey.stores.aws-secrets-manager.region=eu-central-1";

    private final ApplicationContextRunner runner = new ApplicationContextRunner()
            .withConfiguration(AutoConfigurations.of(
                    AwsSecretsManagerAutoConfiguration.class,
                    AzureKeyVaultAutoConfiguration.class,
                    SecretsAutoConfiguration.class));

    @TempDir
    Path directory;

    @Test
    void makesStoresAndAsksTheNearBeforeTheFar() {
        runner.withPropertyValues(AWS, AZURE, "dualkey.stores.directory.path=" + directory)
                .run(context -> assertThat(context.getBeanProvider(ConfiguredStore.class)
                                .orderedStream()
                                .map(one -> one.store().description()))
                        .containsExactly(
                                "directory " + directory,
                                "Azure Key Vault kv-prod",
                                "AWS Secrets Manager eu-central-1"));
    }

    @Test
    void usesTheApplicationsOwnClient() {
        try (SecretsManagerClient mine = SecretsManagerClient.builder()
                .region(Region.EU_WEST_3)
                .credentialsProvider(AnonymousCredentialsProvider.create())
                .build()) {
            runner.withPropertyValues("dualkey.stores.aws-secrets-manager.region=eu-west-3")
                    .withBean(SecretsManagerClient.class, () -> mine)
                    .run(context -> assertThat(context.getBean(ConfiguredStore.class)
                                    .store()
                                    .description())
                            .isEqualTo("AWS Secrets Manager eu-west-3"));
            runner.withPropertyValues(AWS)
                    .withBean(SecretsManagerClient.class, () -> mine)
                    .run(context -> assertThat(context)
                            .getFailure()
                            .rootCause()
                            .hasMessageContaining("another than that of the SecretsManagerClient bean"));
        }
    }

    @Test
    void referencesOfVendorsFindTheirStores() {
        runner.withPropertyValues(
                        AWS,
                        AZURE,
                        "dualkey.stores.azure-key-vault.prefix=azure",
                        "dualkey.stores.aws-secrets-manager.prefix=aws",
                        "dualkey.secrets[0].name=a",
                        "dualkey.secrets[0].reference=@Microsoft.KeyVault(VaultName=another;SecretName=x)")
                .run(context -> assertThat(context)
                        .getFailure()
                        .rootCause()
                        .hasMessageContaining("Azure Key Vault, vault 'another'"));
    }

    @Test
    void anApplicationsOwnStoreWins() {
        runner.withPropertyValues(AWS, AZURE)
                .withBean(SecretStore.class, InMemoryStore::new)
                .run(context -> assertThat(context).hasNotFailed().doesNotHaveBean(ConfiguredStore.class));
    }

    @Test
    void saysWhatIsWrongWithAUrlOrRegion() {
        runner.withPropertyValues("dualkey.stores.azure-key-vault.url=kv-prod")
                .run(context -> assertThat(context)
                        .getFailure()
                        .rootCause()
                        .isInstanceOf(MisconfigurationException.class)
                        .hasMessageContaining("azure-key-vault.url cannot be used"));
        runner.withPropertyValues("dualkey.stores.aws-secrets-manager.region=Frankfurt, please")
                .run(context -> assertThat(context)
                        .getFailure()
                        .rootCause()
                        .isInstanceOf(MisconfigurationException.class)
                        .hasMessageContaining("not the name of a region"));
    }

    @Test
    void saysWhichLibraryIsMissing() {
        for (List<Object> one : List.<List<Object>>of(
                List.of(AZURE, AzureKeyVaultStore.class, "io.dualkey:secrets-azure"),
                List.of(AZURE, SecretClient.class, "com.azure:azure-security-keyvault-secrets"),
                List.of(AWS, AwsSecretsManagerStore.class, "io.dualkey:secrets-aws"),
                List.of(AWS, SecretsManagerClient.class, "software.amazon.awssdk:secretsmanager"))) {
            runner.withPropertyValues((String) one.get(0))
                    .withClassLoader(new FilteredClassLoader((Class<?>) one.get(1)))
                    .run(context -> assertThat(context)
                            .getFailure()
                            .isInstanceOf(MisconfigurationException.class)
                            .hasMessageContaining((String) one.get(2)));
        }
    }
}
