/** Benchmarks of Dualkey and of what people use today, behind one interface. */
@NullMarked
package io.dualkey.benchmarks;

import org.jspecify.annotations.NullMarked;
