package io.dualkey.secrets.spring;

import io.dualkey.secrets.SecretSource;

/**
 * A part of the starter that reads secrets. It makes its handles, parsers included, before the source is started, so that one
 * exception at startup names every secret that is missing or cannot be used.
 */
interface SecretHandles {

    /**
     * Makes the handles. Called at most once for each source, and possibly again with the same one: handles are kept.
     *
     * @param source not started yet
     */
    void makeFrom(SecretSource source);
}
