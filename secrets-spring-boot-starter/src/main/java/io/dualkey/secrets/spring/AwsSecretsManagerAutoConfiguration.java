package io.dualkey.secrets.spring;

import io.dualkey.secrets.SecretStore;
import io.dualkey.secrets.aws.AwsSecretsManagerStore;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.context.annotation.Bean;
import software.amazon.awssdk.services.secretsmanager.SecretsManagerClient;

/**
 * Auto-configuration of AWS Secrets Manager as a store. A {@link SecretsManagerClient} of the application's own is used if there
 * is one.
 */
@AutoConfiguration(before = SecretsAutoConfiguration.class)
@ConditionalOnClass({AwsSecretsManagerStore.class, SecretsManagerClient.class})
@ConditionalOnProperty("dualkey.stores.aws-secrets-manager.region")
@ConditionalOnMissingBean(SecretStore.class)
public final class AwsSecretsManagerAutoConfiguration {

    AwsSecretsManagerAutoConfiguration() {}

    @Bean
    ConfiguredStore dualkeyAwsSecretsManagerStore(
            DualkeyProperties properties, ObjectProvider<SecretsManagerClient> clients) {
        return store(properties, clients.getIfUnique());
    }

    static ConfiguredStore store(DualkeyProperties properties, @Nullable SecretsManagerClient own) {
        DualkeyProperties.AwsSecretsManager service = properties.stores().awsSecretsManager();
        String region = service.region();
        if (region == null || !region.matches("[a-z0-9-]{1,32}")) {
            throw new MisconfigurationException(
                    "dualkey.stores.aws-secrets-manager.region is not the name of a region.",
                    "Set it to one such as eu-central-1.");
        }
        if (own != null
                && !region.equals(own.serviceClientConfiguration().region().id())) {
            throw new MisconfigurationException(
                    "dualkey.stores.aws-secrets-manager.region is another than that of the SecretsManagerClient bean, which"
                            + " would be read.",
                    "Set it to the region of the bean, or define an AwsSecretsManagerStore bean over a client of your own.");
        }
        return new ConfiguredStore(
                ConfiguredStore.AWS_SECRETS_MANAGER,
                service.prefix(),
                own == null ? AwsSecretsManagerStore.in(region) : AwsSecretsManagerStore.over(own));
    }
}
