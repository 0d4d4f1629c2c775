package io.dualkey.secrets.spring;

import io.dualkey.secrets.SecretSource;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** By which names the application knows its secrets: those of {@code dualkey.secrets}, else those in the store. Immutable. */
final class SecretNames {

    private final Map<String, String> aliases = new HashMap<>(); // by the name that the source knows
    private final Map<String, String> names = new HashMap<>(); // the reverse
    private final Set<String> optional = new HashSet<>();

    SecretNames(SecretSource source, List<DualkeyProperties.Secret> secrets) {
        for (DualkeyProperties.Secret secret : secrets) {
            String alias = secret.name();
            String name = source.secret(secret.where()).name();
            if (alias != null && aliases.putIfAbsent(name, alias) == null) {
                names.put(alias, name);
            }
            if (!secret.required()) {
                optional.add(name);
            }
        }
    }

    String aliasOf(String name) {
        return aliases.getOrDefault(name, name);
    }

    String nameOf(String alias) {
        return names.getOrDefault(alias, alias);
    }

    boolean isOptional(String name) {
        return optional.contains(name);
    }
}
