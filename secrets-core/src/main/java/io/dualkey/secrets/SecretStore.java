package io.dualkey.secrets;

import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * A place where secrets are kept: the interface to implement for a new kind of vault. A store does blocking I/O, keeps
 * no cache, and needs no retries, timers or threads: the {@link SecretSource} above it has them.
 *
 * <p>A read is conditional, like an HTTP GET with an ETag: each {@link StoreQuery} carries what the last read found,
 * and
 * the store answers {@link StoreResult#unchanged} in the cheapest way it knows. Values are read only when something
 * changed, and only of versions that can be accepted: now, or by the mere passing of time, as the one before a version that
 * expires. A version that was not read counts as never having been there, so what was current when must not depend on it.
 *
 * <p>Implementations are safe for use by several threads. A read is never called while another read of the same secret
 * is under way. It should end within a bounded time; when its thread is interrupted, it should end early.
 */
public interface SecretStore {

    /**
     * {@return several stores as one, in which the first that has a secret wins} Thus a developer's directory or environment
     * variable goes before a vault:
     *
     * <pre>{@code
     * SecretStore.layered(DirectoryStore.at(Path.of("dev-secrets")), vault)
     * }</pre>
     *
     * <p>Each check asks the layers from the first on until one has the secret. Only "it does not exist" passes the question
     * on: a layer that cannot be reached, denies access or has a disabled or unusable value never gives way to another
     * value. Previous versions and a companion come from the layer that has the secret, never from another. When a secret
     * appears in, or vanishes from, an upper layer, the other layer's versions are no longer accepted, as soon as there is
     * a usable one.
     *
     * <p>The layered store reads all secrets in one call only if all its layers do; otherwise the files of a directory
     * among them may be read from two generations for up to one refresh interval.
     *
     * @param first the layer that is asked first
     * @param more the others, in their order
     */
    static SecretStore layered(SecretStore first, SecretStore... more) {
        return LayeredStore.of(first, more);
    }

    /** {@return what and where this is, for messages: {@code directory /etc/secrets}} Without credentials. */
    String description();

    /**
     * Reads secrets.
     *
     * @param queries the secrets wanted: all that are used if this store {@link #readsTogether}, else one and possibly its
     *     companion
     * @return one result for each query, in the same order. What a query fails with belongs into its result
     * @throws Exception if the store as a whole could not be read: every query counts as failed with
     *     {@link Outcome#UNREACHABLE}. Only the exception's class is logged, since its message may quote a value
     */
    List<StoreResult> read(List<StoreQuery> queries) throws Exception;

    /**
     * {@return whether all secrets of this store are read in one call, from one generation of the store, as with
     * a directory} Otherwise each secret is read by a call of its own, in parallel.
     */
    default boolean readsTogether() {
        return false;
    }

    /**
     * {@return whether this store can answer the first reads of several secrets in one call} It is then asked once for all
     * that are known when the source starts, and for each secret by a call of its own from then on.
     */
    default boolean startsTogether() {
        return false;
    }

    /**
     * {@return whether this store itself tells previous versions} For one that does not, previous values are remembered in
     * this process, unless a companion secret holds them.
     */
    default boolean keepsHistory() {
        return true;
    }

    /**
     * {@return the name under which an operator of this store leaves the previous value of a secret for as long as it is
     * still accepted} Empty where that is not the custom, as in a store that keeps history.
     *
     * @param name the secret's name
     */
    default Optional<String> companionOf(String name) {
        return Optional.empty();
    }

    /**
     * {@return what references in the forms of vendors call this store: {@code azure:} and the vault's name, {@code aws:} and
     * the region, {@code op:} and the vault} A reference that names another place is then refused rather than looked up
     * here. Empty where the store does not know; then the prefix decides under which it is registered.
     *
     * @see SecretSource#secret
     */
    default Optional<String> address() {
        return Optional.empty();
    }

    /**
     * {@return how many calls this store has made of its service since it was made, failed ones included: what a vault counts,
     * bills and throttles} Empty where there is no service, as with a directory.
     */
    default OptionalLong calls() {
        return OptionalLong.empty();
    }

    /**
     * {@return whether what this store holds can change while the process runs} One that cannot is read only
     * until it has answered.
     */
    default boolean canChange() {
        return true;
    }

    /**
     * Watches this store, if it can: calls {@code changed} when what it holds may have changed, so that the change is
     * read at once. This is a hint only. The schedule of checks goes on regardless, so a store that cannot watch, or whose
     * watching breaks, loses speed and nothing else. Hints in quick succession are taken together.
     *
     * @param changed to be called from any thread, at any time, also before this method returns; it does not block or
     *     throw. To be called as well when watching begins after this method has returned
     * @return to end the watch; this store does nothing by default
     */
    default Registration watch(Runnable changed) {
        return () -> {};
    }
}
