/** The demo around the service: a database, a secrets directory, a load, an operator who rotates, and a report. */
@NullMarked
package io.dualkey.examples.rotation.demo;

import org.jspecify.annotations.NullMarked;
