/** A resource server of Spring Security whose public key rotates while it serves. */
@NullMarked
package io.dualkey.examples.resource;

import org.jspecify.annotations.NullMarked;
