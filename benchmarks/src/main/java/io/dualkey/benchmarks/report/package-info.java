/** Writes results as Markdown into pages, as JSON and as plots. */
@NullMarked
package io.dualkey.benchmarks.report;

import org.jspecify.annotations.NullMarked;
