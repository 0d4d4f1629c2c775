package io.dualkey.benchmarks;

import org.jspecify.annotations.Nullable;

/** A library at work: signature, {@code exp}, {@code nbf}, {@code iss} and {@code aud} are checked. */
interface TokenVerifier extends AutoCloseable {

    /** The subject of a token; null if the token is refused. */
    @Nullable
    String subject(TokenSample sample);

    @Override
    default void close() {}
}
