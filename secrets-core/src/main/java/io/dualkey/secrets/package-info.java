/**
 * Secrets that rotate while the application runs: a {@link io.dualkey.secrets.SecretSource} keeps the secrets of a
 * {@link io.dualkey.secrets.SecretStore} fresh in the background and hands out {@link io.dualkey.secrets.Rotating}
 * handles whose reads never wait.
 */
@NullMarked
package io.dualkey.secrets;

import org.jspecify.annotations.NullMarked;
