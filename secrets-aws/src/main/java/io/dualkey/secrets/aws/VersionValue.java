package io.dualkey.secrets.aws;

import io.dualkey.secrets.SecretValue;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * One version and its value.
 *
 * @param created when the version was made, which may be long before it got a label; null if the service did not say
 */
record VersionValue(String id, @Nullable Instant created, SecretValue value) {}
