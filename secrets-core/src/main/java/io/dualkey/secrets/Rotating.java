package io.dualkey.secrets;

import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/**
 * A handle on one thing that rotates: the value that is current, those before it that are still within their grace
 * period, and the one to come where the store announces it. Get one from {@link SecretSource#secret}, derive others
 * from it with {@link #map}, and keep it: it follows every rotation for as long as its source is open.
 *
 * <p>{@link #current}, {@link #versions} and what they return are wait-free: one volatile read, no I/O, no clock, no
 * allocation. Safe for use by several threads.
 *
 * <pre>{@code
 * Rotating<String> apiKey = secrets.secret("sendgrid-api-key").map(SecretValue::revealText);
 * secrets.start(Duration.ofSeconds(10));
 * request.header("Authorization", "Bearer " + apiKey.current());
 * }</pre>
 *
 * @param <T> the type of the value
 */
public sealed interface Rotating<T> permits RotatingSecret, Node {

    /** {@return the name of the secret, for messages and meters; never a value} */
    String name();

    /** {@return how the secret rotates} */
    RotationPolicy policy();

    /**
     * {@return the value to use now}
     *
     * @throws SecretUnavailableException if none has been loaded yet or none can be used
     */
    T current();

    /**
     * {@return all versions as they stand, as one consistent, immutable view} Read it once for each operation,
     * so that, say, a
     * user name and a password come from the same version.
     */
    Versions<T> versions();

    /**
     * Derives another handle whose values are parsed from this one's: once for each version. A version that cannot be
     * parsed never replaces one that can: the last good one is served on, and the secret's state says why.
     *
     * @param parser turns a version's value into the derived one
     * @param <R> what the parser makes
     * @return the derived handle; keep it, each call makes another
     */
    <R> Rotating<R> map(Parser<? super T, ? extends R> parser);

    /**
     * Derives another handle in which a version becomes current only once the gate has admitted it. Until then the last
     * admitted version is served on, even beyond its grace period, unless the store disables or removes it. Such a handle
     * has a current version and no previous ones: one that has been replaced must pass again before it is used.
     *
     * @param gate the test; it may block
     * @return the derived handle; keep it, each call makes another
     */
    Rotating<T> gatedBy(Gate<T> gate);

    /**
     * Calls the listener with the version that is current now, if there is one, and then with each one that becomes
     * current: in order, each once, on a thread of the library's. One that comes back, after a rollback or after its store had
     * taken it away, is told again. A listener that blocks or throws delays nobody else;
     * what it throws is logged by class.
     *
     * @param listener receives each version
     * @return to end the registration
     */
    Registration onRotation(Consumer<? super Version<T>> listener);

    /**
     * Asks for a check with the store ahead of the schedule. Requests that meet are answered by one read of the store,
     * and each cause has a budget.
     *
     * @param cause why
     * @return completed once the result is published; it never completes exceptionally
     */
    CompletableFuture<RefreshResult> refresh(RefreshCause cause);

    /**
     * Records that a version was used: that its key verified a token, that its password opened a connection. The counts
     * by role and the time of the last use tell operators whether a previous version can go. Costs a few nanoseconds
     * and allocates nothing.
     *
     * @param version a version of this handle
     * @param epochMillis the time of the use, in milliseconds since 1970
     */
    void recordUse(Version<T> version, long epochMillis);
}
