/** Stress tests of the core's concurrency, in its package so that they reach it. */
@NullMarked
package io.dualkey.secrets;

import org.jspecify.annotations.NullMarked;
