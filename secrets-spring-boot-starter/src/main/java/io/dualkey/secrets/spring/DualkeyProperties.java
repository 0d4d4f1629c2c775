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
 * @param stores Where the secrets are kept; exactly one store.
 * @param secrets Names of secrets to load at startup, besides those that other properties name.
 * @param refreshInterval How often the store is checked; a tenth more or less at random.
 * @param grace How long a version is accepted after another has become current.
 * @param startupTimeout How long startup waits at most until all secrets are loaded.
 */
@ConfigurationProperties("dualkey")
public record DualkeyProperties(
        @DefaultValue Stores stores,
        @DefaultValue List<String> secrets,
        @DefaultValue("60s") Duration refreshInterval,
        @DefaultValue("24h") Duration grace,
        @DefaultValue("10s") Duration startupTimeout) {

    /**
     * Where secrets are kept.
     *
     * @param directory A directory with one file for each secret.
     * @param environment The environment variables of this process.
     */
    public record Stores(
            @DefaultValue Directory directory, @DefaultValue Environment environment) {}

    /**
     * A directory with one file for each secret.
     *
     * @param path The directory, such as the mount of a Kubernetes Secret or of the Secrets Store CSI driver.
     */
    public record Directory(@Nullable String path) {}

    /**
     * The environment variables of this process.
     *
     * @param enabled Whether secrets are read from environment variables, which are read once and never rotate.
     */
    public record Environment(@DefaultValue("false") boolean enabled) {}
}
