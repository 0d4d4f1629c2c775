package io.dualkey.secrets.spring;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.config.ConfigDataLocation;
import org.springframework.boot.context.config.ConfigDataLocationResolver;
import org.springframework.boot.context.config.ConfigDataLocationResolverContext;
import org.springframework.boot.context.config.Profiles;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;

/**
 * Understands {@code spring.config.import=dualkey:property=secret}, one property that is a secret, and {@code dualkey:secret}, a
 * JSON secret whose fields are properties.
 */
final class SecretImportResolver implements ConfigDataLocationResolver<SecretImport> {

    static final String PREFIX = "dualkey:";

    /** What is no such thing before the first equals sign is part of a reference: those of Azure have equals signs. */
    private static final Pattern ONE_PROPERTY =
            Pattern.compile("(?<property>[A-Za-z0-9_][A-Za-z0-9_.\\[\\]-]*)\\s*=\\s*(?<reference>.*)");

    SecretImportResolver() {}

    @Override
    public boolean isResolvable(ConfigDataLocationResolverContext context, ConfigDataLocation location) {
        return location.hasPrefix(PREFIX);
    }

    /** Nothing yet: the stores may be configured in a part of the file that is for a profile. */
    @Override
    public List<SecretImport> resolve(ConfigDataLocationResolverContext context, ConfigDataLocation location) {
        return List.of();
    }

    @Override
    public List<SecretImport> resolveProfileSpecific(
            ConfigDataLocationResolverContext context, ConfigDataLocation location, Profiles profiles) {
        String text = location.getNonPrefixedValue(PREFIX).strip();
        Matcher one = ONE_PROPERTY.matcher(text);
        @Nullable String property = null;
        if (one.matches()) {
            property = one.group("property");
            text = one.group("reference");
        }
        if (text.isEmpty()) {
            throw new MisconfigurationException(
                    "spring.config.import has \"" + location.getValue() + "\", which names no secret.",
                    "Write \"dualkey:some.property=secret\" for a property that is a secret, or \"dualkey:secret\" for a"
                            + " JSON secret whose fields are properties.");
        }
        return List.of(new SecretImport(location, property, text, properties(context.getBinder())));
    }

    private static DualkeyProperties properties(Binder binder) {
        return binder.bindOrCreate("dualkey", Bindable.of(DualkeyProperties.class));
    }
}
