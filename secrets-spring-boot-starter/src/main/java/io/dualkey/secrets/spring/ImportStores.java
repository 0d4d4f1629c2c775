package io.dualkey.secrets.spring;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.springframework.boot.bootstrap.BootstrapRegistry;
import org.springframework.boot.bootstrap.ConfigurableBootstrapContext;

/**
 * The stores that imported secrets are read from. A client of a vault is made once for all imports, and is closed when the
 * environment of the application is complete: the application makes its own. Used by the thread that starts the application.
 */
final class ImportStores {

    private final Map<DualkeyProperties.Stores, List<ConfiguredStore>> stores = new HashMap<>();

    private ImportStores() {}

    static ImportStores in(ConfigurableBootstrapContext bootstrap) {
        ImportStores known = bootstrap.isRegistered(ImportStores.class) ? bootstrap.get(ImportStores.class) : null;
        if (known != null) {
            return known;
        }
        ImportStores fresh = new ImportStores();
        bootstrap.register(ImportStores.class, BootstrapRegistry.InstanceSupplier.of(fresh));
        bootstrap.addCloseListener(closed -> fresh.close());
        return fresh;
    }

    /** The stores that are configured, those that go first at the beginning. */
    List<ConfiguredStore> of(DualkeyProperties properties) {
        return stores.computeIfAbsent(properties.stores(), configured -> make(properties));
    }

    private static List<ConfiguredStore> make(DualkeyProperties properties) {
        DualkeyProperties.Stores configured = properties.stores();
        List<ConfiguredStore> made = new ArrayList<>();
        if (configured.directory().path() != null) {
            made.add(SecretsAutoConfiguration.directory(properties));
        }
        if (configured.environment().enabled()) {
            made.add(SecretsAutoConfiguration.environment(properties));
        }
        if (configured.azureKeyVault().url() != null) {
            RequiredLibraries.requireAzure(ImportStores.class.getClassLoader());
            made.add(AzureKeyVaultAutoConfiguration.store(properties, null));
        }
        if (configured.awsSecretsManager().region() != null) {
            RequiredLibraries.requireAws(ImportStores.class.getClassLoader());
            made.add(AwsSecretsManagerAutoConfiguration.store(properties, null));
        }
        return made;
    }

    void close() {
        stores.values().forEach(several -> several.forEach(ImportStores::close));
        stores.clear();
    }

    private static void close(ConfiguredStore store) {
        try {
            store.destroy();
        } catch (Exception failure) {
            throw new IllegalStateException(store.store().description() + " could not be closed: "
                    + failure.getClass().getName());
        }
    }
}
