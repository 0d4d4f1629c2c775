/** Looks at a secret at once when a message on Redis names it. */
@NullMarked
package io.dualkey.examples.redis;

import org.jspecify.annotations.NullMarked;
