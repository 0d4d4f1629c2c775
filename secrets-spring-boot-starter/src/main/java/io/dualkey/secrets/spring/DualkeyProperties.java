package io.dualkey.secrets.spring;

import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * What is configured under {@code dualkey}. It has names of secrets and where they are kept, never a value. Safe
 * for use by several threads.
 *
 * @param stores Where the secrets are kept. Of several without a prefix, the first that has a secret wins: the directory, then
 *     environment variables, then Azure Key Vault, then AWS Secrets Manager.
 * @param secrets Secrets to load at startup, besides those that other properties name. Each is a name, or a name with settings
 *     of its own.
 * @param refreshInterval How often the store is checked; a tenth more or less at random.
 * @param grace How long a version is accepted after another has become current.
 * @param maxStale How long secrets may be served without a successful check; without it there is no limit.
 * @param failClosed Whether they are refused after that time, rather than warned about.
 * @param startupTimeout How long startup waits at most until all secrets are loaded.
 */
@ConfigurationProperties("dualkey")
public record DualkeyProperties(
        @DefaultValue Stores stores,
        @DefaultValue List<Secret> secrets,
        @DefaultValue("60s") Duration refreshInterval,
        @DefaultValue("24h") Duration grace,
        @Nullable Duration maxStale,
        @DefaultValue("false") boolean failClosed,
        @DefaultValue("10s") Duration startupTimeout) {

    /** The secret that a property means: an alias, or a reference as it stands. */
    @Nullable
    String resolve(@Nullable String nameOrReference) {
        for (Secret secret : secrets) {
            if (secret.name() != null && secret.name().equals(nameOrReference)) {
                return secret.where();
            }
        }
        return nameOrReference;
    }

    /**
     * One secret.
     *
     * @param name The name by which the application knows the secret.
     * @param reference Where it is kept, if not under that name: with a store's prefix before it or a JSON field after it, such
     *     as "aws:prod/payment#key".
     * @param required Whether startup fails without the secret.
     * @param grace How long a version of this secret is accepted after another has become current.
     * @param companion Name of the secret in the same store that holds the previous value while it is accepted.
     * @param maxStale How long the secret may be served without a successful check, in place of dualkey.max-stale.
     * @param failClosed Whether it is refused after that time, rather than warned about. With dualkey.fail-closed all are.
     * @param rotateEvery How often it ought to be rotated; later than that it is warned about.
     */
    public record Secret(
            @Nullable String name,
            @Nullable String reference,
            @DefaultValue("true") boolean required,
            @Nullable Duration grace,
            @Nullable String companion,
            @Nullable Duration maxStale,
            @DefaultValue("false") boolean failClosed,
            @Nullable Duration rotateEvery) {

        /**
         * {@return a secret with no settings of its own; how an entry is read that is a name alone}
         *
         * @param name the name
         */
        public static Secret valueOf(String name) {
            return new Secret(name, null, true, null, null, null, false, null);
        }

        String where() {
            return reference != null ? reference : name != null ? name : "";
        }

        boolean hasSettings() {
            return !required
                    || grace != null
                    || companion != null
                    || maxStale != null
                    || failClosed
                    || rotateEvery != null;
        }
    }

    /**
     * Where secrets are kept.
     *
     * @param directory A directory with one file for each secret.
     * @param environment The environment variables of this process.
     * @param azureKeyVault An Azure Key Vault. Needs io.dualkey:secrets-azure.
     * @param awsSecretsManager AWS Secrets Manager in one region. Needs io.dualkey:secrets-aws.
     */
    public record Stores(
            @DefaultValue Directory directory,
            @DefaultValue Environment environment,
            @DefaultValue AzureKeyVault azureKeyVault,
            @DefaultValue AwsSecretsManager awsSecretsManager) {}

    /**
     * An Azure Key Vault.
     *
     * @param url The vault, such as "https://kv-prod.vault.azure.net". A SecretClient bean takes the place of it.
     * @param checkByList Whether checks list versions, which reads no values, for vaults whose operators are alerted when a
     *     secret is read often.
     * @param prefix What stands before the names of its secrets, with a colon, where several stores are used side by side.
     */
    public record AzureKeyVault(
            @Nullable String url,
            @DefaultValue("false") boolean checkByList,
            @Nullable String prefix) {}

    /**
     * AWS Secrets Manager.
     *
     * @param region The region, such as "eu-central-1". A SecretsManagerClient bean takes the place of the client made for it.
     * @param prefix What stands before the names of its secrets, with a colon, where several stores are used side by side.
     */
    public record AwsSecretsManager(
            @Nullable String region, @Nullable String prefix) {}

    /**
     * A directory with one file for each secret.
     *
     * @param path The directory, such as the mount of a Kubernetes Secret or of the Secrets Store CSI driver.
     * @param prefix What stands before the names of its secrets, with a colon, where several stores are used side by side.
     */
    public record Directory(@Nullable String path, @Nullable String prefix) {}

    /**
     * The environment variables of this process.
     *
     * @param enabled Whether secrets are read from environment variables, which are read once and never rotate.
     * @param prefix What stands before the names of its secrets, with a colon, where several stores are used side by side.
     */
    public record Environment(
            @DefaultValue("false") boolean enabled,
            @Nullable String prefix) {}
}
