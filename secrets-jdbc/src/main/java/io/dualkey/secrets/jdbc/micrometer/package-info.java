/**
 * Meters of a {@link io.dualkey.secrets.jdbc.RotatingDataSource} for Micrometer, which must be on the class path to use
 * them.
 */
@NullMarked
package io.dualkey.secrets.jdbc.micrometer;

import org.jspecify.annotations.NullMarked;
