/**
 * Verification and signing of JSON Web Tokens with keys that rotate. Begin with {@link
 * io.dualkey.secrets.jwt.JwtVerifier} and {@link io.dualkey.secrets.jwt.JwtSigner}.
 */
@NullMarked
package io.dualkey.secrets.jwt;

import org.jspecify.annotations.NullMarked;
