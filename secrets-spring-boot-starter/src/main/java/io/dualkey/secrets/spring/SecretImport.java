package io.dualkey.secrets.spring;

import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.config.ConfigDataLocation;
import org.springframework.boot.context.config.ConfigDataResource;

/** One location of {@code spring.config.import} that is a secret. Immutable; two of the same location are equal. */
final class SecretImport extends ConfigDataResource {

    private final String location;
    private final @Nullable String property;
    private final String reference;
    private final boolean mayBeAbsent;
    private final DualkeyProperties properties;

    /**
     * Makes one.
     *
     * @param property the property to set; null if the secret is JSON whose fields are the properties
     * @param reference the secret
     * @param properties where secrets are kept
     */
    SecretImport(
            ConfigDataLocation location, @Nullable String property, String reference, DualkeyProperties properties) {
        this.location = location.getValue();
        this.property = property;
        this.reference = reference;
        this.mayBeAbsent = location.isOptional();
        this.properties = properties;
    }

    /** As it is written, which names secrets and properties, and no value. */
    String location() {
        return location;
    }

    @Nullable
    String property() {
        return property;
    }

    String reference() {
        return reference;
    }

    boolean mayBeAbsent() {
        return mayBeAbsent;
    }

    DualkeyProperties properties() {
        return properties;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof SecretImport that
                && location.equals(that.location)
                && properties.stores().equals(that.properties.stores());
    }

    @Override
    public int hashCode() {
        return Objects.hash(location, properties.stores());
    }

    /** The location. */
    @Override
    public String toString() {
        return location;
    }
}
