package io.dualkey.secrets;

import io.dualkey.secrets.SecretReference.Vendor;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The stores of a source: at most one without a prefix, and others under theirs. Finds the one that a reference means. */
final class Stores {

    /**
     * A secret in its store.
     *
     * @param name the name by which the source knows it, with the store's prefix
     * @param store reads it under this name
     */
    record Place(String name, SecretStore store) {}

    private final @Nullable SecretStore plain;
    private final Map<String, PrefixedStore> prefixed = new LinkedHashMap<>();

    Stores(@Nullable SecretStore plain, Map<String, SecretStore> byPrefix) {
        this.plain = plain;
        byPrefix.forEach((prefix, store) -> prefixed.put(prefix, new PrefixedStore(prefix, store)));
    }

    String description() {
        String others = prefixed.entrySet().stream()
                .map(entry -> entry.getKey() + ": " + entry.getValue().description())
                .collect(Collectors.joining(", "));
        if (plain == null) {
            return others;
        }
        return plain.description() + (others.isEmpty() ? "" : ", " + others);
    }

    /** How many calls each store that counts them has made of its service, by its description. */
    Map<String, Long> calls() {
        Map<String, Long> calls = new LinkedHashMap<>();
        Stream.concat(Stream.ofNullable(plain), prefixed.values().stream())
                .forEach(store -> store.calls().ifPresent(count -> calls.merge(store.description(), count, Long::sum)));
        return Collections.unmodifiableMap(calls);
    }

    /**
     * Finds a secret's store.
     *
     * @throws IllegalArgumentException if there is none; the message says how to add it
     */
    Place find(SecretReference reference) {
        Vendor vendor = reference.vendor();
        String prefix = vendor == null ? reference.prefix() : prefixOf(reference, vendor);
        SecretStore store = prefix == null ? plain : prefixed.get(prefix);
        if (store == null) {
            throw new IllegalArgumentException(
                    prefix == null
                            ? "secret " + SecretReference.quoted(reference.name())
                                    + " names no store, and this source has none without a prefix; " + known()
                            : "there is no store '" + prefix + "' for secret "
                                    + SecretReference.quoted(prefix + ":" + reference.name()) + "; " + known()
                                    + "; add one with SecretSource.Builder.store(\"" + prefix + "\", ...)");
        }
        String name = (prefix == null ? "" : prefix + ":") + reference.name();
        String version = reference.version();
        return version == null
                ? new Place(name, store)
                : new Place(name + "?version=" + version, new PinnedStore(store, name, version));
    }

    /** Under which prefix a vendor's reference is served; null for the store without one. */
    private @Nullable String prefixOf(SecretReference reference, Vendor vendor) {
        String place = String.valueOf(reference.place());
        String address = vendor.prefix + ":" + place;
        for (Map.Entry<String, PrefixedStore> entry : prefixed.entrySet()) {
            if (isAt(entry.getValue(), address)) {
                return entry.getKey();
            }
        }
        if (plain != null && isAt(plain, address)) {
            return null;
        }
        for (String prefix : new String[] {place, vendor.prefix}) {
            SecretStore store = prefixed.get(prefix);
            if (store != null && store.address().isEmpty()) {
                return prefix; // it does not say where it is: its prefix must do
            }
        }
        String free = prefixed.containsKey(vendor.prefix) ? place : vendor.prefix;
        throw new IllegalArgumentException("secret " + SecretReference.quoted(reference.name()) + " is in "
                + vendor.title + ", " + vendor.kindOfPlace + " " + SecretReference.quoted(place)
                + ", and this source has no store for that; " + known()
                + "; add one with SecretSource.Builder.store(\"" + free + "\", ...)");
    }

    private static boolean isAt(SecretStore store, String address) {
        Optional<String> at = store.address();
        return at.isPresent() && at.get().toLowerCase(Locale.ROOT).equals(address.toLowerCase(Locale.ROOT));
    }

    private String known() {
        return prefixed.isEmpty()
                ? "it has no stores with a prefix"
                : "the prefixes it knows are " + String.join(", ", new TreeSet<>(prefixed.keySet()));
    }
}
