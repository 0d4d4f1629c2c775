/** Verification and signing of JSON Web Tokens with keys that rotate. */
@NullMarked
package io.dualkey.secrets.jwt;

import org.jspecify.annotations.NullMarked;
