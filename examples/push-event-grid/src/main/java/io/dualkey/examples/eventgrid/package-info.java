/** Looks at a secret at once when Azure Event Grid tells of a new version. */
@NullMarked
package io.dualkey.examples.eventgrid;

import org.jspecify.annotations.NullMarked;
