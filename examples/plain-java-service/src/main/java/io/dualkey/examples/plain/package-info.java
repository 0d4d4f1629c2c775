/** A service on the JDK's own HTTP server whose token key and database login rotate while it serves. */
@NullMarked
package io.dualkey.examples.plain;

import org.jspecify.annotations.NullMarked;
