/** A database connection pool whose credentials rotate while it serves. */
@NullMarked
package io.dualkey.secrets.jdbc;

import org.jspecify.annotations.NullMarked;
