/** Calls a service with an API key that is replaced while the client runs. */
@NullMarked
package io.dualkey.examples.apikey;

import org.jspecify.annotations.NullMarked;
