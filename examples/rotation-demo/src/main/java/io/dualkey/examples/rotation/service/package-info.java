/** A web service as any other: what it knows of rotation is in {@code application.yaml}. */
@NullMarked
package io.dualkey.examples.rotation.service;

import org.jspecify.annotations.NullMarked;
