package io.dualkey.secrets;

/**
 * A test that a version must pass before {@link Rotating#gatedBy} serves it as the current one: a canary login, a trial
 * request. It may block and do I/O, but should end within a bounded time. It runs on a thread of the library's, one version
 * at a time for each handle. A version that passed is not asked again until another one has replaced it; one that was held
 * off is tried again as long as it is wanted.
 *
 * @param <T> what is tested
 */
@FunctionalInterface
public interface Gate<T> {

    /**
     * Returns normally when the version can be used.
     *
     * @param version the version in question
     * @throws UnusableSecretException if it cannot be used now; its message is shown to operators, its
     *     {@link UnusableSecretException#retryAfter} says when to try again
     * @throws Exception on any other failure, of which only the class is shown
     */
    void admit(Version<T> version) throws Exception;
}
