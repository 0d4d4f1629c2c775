package io.dualkey.secrets.spring;

import io.dualkey.secrets.Outcome;
import io.dualkey.secrets.RotatingSecret;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.SecretStartupException;
import io.dualkey.secrets.UnusableSecretException;
import java.util.List;
import java.util.Map;
import org.springframework.boot.context.config.ConfigData;
import org.springframework.boot.context.config.ConfigDataLoader;
import org.springframework.boot.context.config.ConfigDataLoaderContext;

/** Reads a secret once and makes properties of it. Nothing of it is refreshed afterwards. */
final class SecretImportLoader implements ConfigDataLoader<SecretImport> {

    SecretImportLoader() {}

    @Override
    public ConfigData load(ConfigDataLoaderContext context, SecretImport secret) {
        ImportStores stores = ImportStores.in(context.getBootstrapContext());
        try {
            List<ConfiguredStore> configured = stores.of(secret.properties());
            return configured.isEmpty() ? nowhere(secret) : load(secret, configured);
        } catch (RuntimeException failure) {
            stores.close(); // the start ends here, and nobody closes the bootstrap context
            throw failure;
        }
    }

    private static ConfigData nowhere(SecretImport secret) {
        if (secret.mayBeAbsent()) {
            return ConfigData.EMPTY;
        }
        throw new MisconfigurationException(
                "spring.config.import has \"" + secret + "\", but nothing says where secrets are kept.",
                "Set dualkey.stores.directory.path, dualkey.stores.environment.enabled=true, dualkey.stores.azure-key-vault.url"
                        + " or dualkey.stores.aws-secrets-manager.region in the file that has the import or in the"
                        + " environment: files of profiles and SecretStore beans come later. Or write \"optional:"
                        + secret
                        + "\".");
    }

    private static ConfigData load(SecretImport secret, List<ConfiguredStore> stores) {
        DualkeyProperties properties = secret.properties();
        try (SecretSource source = SecretsAutoConfiguration.builder(stores).build()) {
            RotatingSecret handle =
                    NamedSecret.of(source, "spring.config.import", properties.resolve(secret.reference()));
            source.start(properties.startupTimeout());
            Map<String, String> values = ImportedSecret.properties(
                    secret.property(), handle.current().revealText());
            String origin = "secret '" + handle.name() + "' in "
                    + source.status(handle.name()).map(status -> status.store()).orElse("its store");
            // A secret is a value; it neither imports files nor switches profiles on.
            return new ConfigData(
                    List.of(new ImportedSecret(secret.location(), origin, values)),
                    ConfigData.Option.IGNORE_IMPORTS,
                    ConfigData.Option.IGNORE_PROFILES);
        } catch (SecretStartupException missing) {
            if (secret.mayBeAbsent() && isAbsent(missing)) {
                return ConfigData.EMPTY;
            }
            throw new MisconfigurationException(
                    "spring.config.import has \"" + secret + "\". " + missing.getMessage(),
                    "Do what the line of the secret says, and start the application again. If the application can do without it"
                            + " where it does not exist, write \"optional:" + secret + "\".");
        } catch (UnusableSecretException unusable) {
            throw new MisconfigurationException(
                    "spring.config.import has \"" + secret + "\", but " + unusable.getMessage() + ".",
                    secret.property() == null
                            ? "For a secret that is no JSON object, write the property that it is for:"
                                    + " \"dualkey:some.property=secret\"."
                            : "Write a text to the store.");
        } catch (IllegalArgumentException outOfRange) {
            throw new MisconfigurationException(
                    "The stores under dualkey.stores cannot be used: " + outOfRange.getMessage() + ".",
                    "Correct the prefix of the store.");
        }
    }

    /** Only that it does not exist passes an optional import over; a vault that is down must not change what a service is. */
    private static boolean isAbsent(SecretStartupException missing) {
        return missing.problems().stream()
                .allMatch(problem ->
                        problem.outcome().filter(Outcome.NOT_FOUND::equals).isPresent());
    }
}
