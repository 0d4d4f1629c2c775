/** A web service with two databases: orders through JPA, with Flyway, and a report of sales through plain JDBC. */
@NullMarked
package io.dualkey.examples.shop;

import org.jspecify.annotations.NullMarked;
