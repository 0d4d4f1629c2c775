/** The code shown in the documentation, compiled so that it stays true. */
@NullMarked
package io.dualkey.docs;

import org.jspecify.annotations.NullMarked;
