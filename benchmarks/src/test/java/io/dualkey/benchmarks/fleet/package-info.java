/** What a fleet of replicas asks of a vault, and how soon it learns of a rotation, in simulated time. */
@NullMarked
package io.dualkey.benchmarks.fleet;

import org.jspecify.annotations.NullMarked;
