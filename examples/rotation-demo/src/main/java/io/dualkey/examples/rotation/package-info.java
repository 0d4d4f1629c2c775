/** A web application that keeps serving while its secrets are rotated. */
@NullMarked
package io.dualkey.examples.rotation;

import org.jspecify.annotations.NullMarked;
