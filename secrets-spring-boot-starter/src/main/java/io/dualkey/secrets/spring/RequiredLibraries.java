package io.dualkey.secrets.spring;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.config.BeanFactoryPostProcessor;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.core.env.Environment;
import org.springframework.util.ClassUtils;

/**
 * Ends the start of an application that asks for rotation without the library that would do it, before anything else is made:
 * nothing that is configured to rotate silently does not.
 */
final class RequiredLibraries implements BeanFactoryPostProcessor {

    private static final String JWT_VERIFIER = "io.dualkey.secrets.jwt.JwtVerifier";
    private static final String AZURE_STORE = "io.dualkey.secrets.azure.AzureKeyVaultStore";
    private static final String AWS_STORE = "io.dualkey.secrets.aws.AwsSecretsManagerStore";
    private static final String AZURE = "dualkey.stores.azure-key-vault.url";
    private static final String AWS = "dualkey.stores.aws-secrets-manager.region";
    private static final String SECRETS_JWT = "io.dualkey:secrets-jwt";

    private final Environment environment;

    RequiredLibraries(Environment environment) {
        this.environment = environment;
    }

    @Override
    public void postProcessBeanFactory(ConfigurableListableBeanFactory beans) {
        ClassLoader loader = beans.getBeanClassLoader();
        for (String property : List.of("dualkey.jwt.secret", "dualkey.jwt.signer.secret")) {
            require(property, JWT_VERIFIER, SECRETS_JWT, loader);
            require(property, "com.nimbusds.jose.JWSObject", "com.nimbusds:nimbus-jose-jwt", loader);
        }
        if (environment.getProperty("dualkey.jwt.filter.enabled", Boolean.class, false)) {
            require("dualkey.jwt.filter.enabled", JWT_VERIFIER, SECRETS_JWT, loader);
            require(
                    "dualkey.jwt.filter.enabled",
                    "jakarta.servlet.Filter",
                    "jakarta.servlet:jakarta.servlet-api",
                    loader);
        }
        if (environment.containsProperty(AZURE)) {
            requireAzure(loader);
        }
        if (environment.containsProperty(AWS)) {
            requireAws(loader);
        }
        for (String property : JdbcSecrets.references(environment).keySet()) {
            needs(property, "io.dualkey.secrets.jdbc.RotatingDataSource", "io.dualkey:secrets-jdbc", loader);
            needs(property, "com.zaxxer.hikari.HikariDataSource", "com.zaxxer:HikariCP", loader);
        }
    }

    private void require(String property, String type, String library, @Nullable ClassLoader loader) {
        if (environment.containsProperty(property)) {
            needs(property, type, library, loader);
        }
    }

    static void requireAzure(@Nullable ClassLoader loader) {
        needs(AZURE, AZURE_STORE, "io.dualkey:secrets-azure", loader);
        needs(
                AZURE,
                "com.azure.security.keyvault.secrets.SecretClient",
                "com.azure:azure-security-keyvault-secrets",
                loader);
    }

    static void requireAws(@Nullable ClassLoader loader) {
        needs(AWS, AWS_STORE, "io.dualkey:secrets-aws", loader);
        needs(
                AWS,
                "software.amazon.awssdk.services.secretsmanager.SecretsManagerClient",
                "software.amazon.awssdk:secretsmanager",
                loader);
    }

    private static void needs(String property, String type, String library, @Nullable ClassLoader loader) {
        if (!ClassUtils.isPresent(type, loader)) {
            throw new MisconfigurationException(
                    property + " is set, but " + library + " is not on the class path.",
                    "Add the dependency " + library + ", or remove the property.");
        }
    }
}
