/** Meters of a {@link io.dualkey.secrets.SecretSource} for Micrometer, which must be on the class path to use them. */
@NullMarked
package io.dualkey.secrets.micrometer;

import org.jspecify.annotations.NullMarked;
