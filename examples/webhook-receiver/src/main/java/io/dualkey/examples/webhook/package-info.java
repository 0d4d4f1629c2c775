/** Receives signed webhooks while the secret that signs them rotates. */
@NullMarked
package io.dualkey.examples.webhook;

import org.jspecify.annotations.NullMarked;
