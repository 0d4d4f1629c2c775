package io.dualkey.secrets;

/**
 * Turns one version of a secret into what an application uses: a key, a pair of credentials, a URL. Called once for
 * each version, on a thread of the library's or on the thread that calls {@link Rotating#map}; it must neither block
 * nor do I/O (what needs I/O is a {@link Gate}).
 *
 * @param <S> what is parsed
 * @param <T> what comes out
 */
@FunctionalInterface
public interface Parser<S, T> {

    /**
     * Parses one version.
     *
     * @param source the version's value
     * @return the parsed value, never null
     * @throws UnusableSecretException if the value cannot be used; its message is shown to operators
     * @throws Exception on any other failure, of which only the class is shown
     */
    T parse(S source) throws Exception;
}
