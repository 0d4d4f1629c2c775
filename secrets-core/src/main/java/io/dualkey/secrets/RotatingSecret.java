package io.dualkey.secrets;

/**
 * The handle on a secret as its store keeps it, on one field of it, or on one that is composed of several. Safe for use by
 * several threads.
 */
public sealed interface RotatingSecret extends Rotating<SecretValue> permits SecretNode, FieldNode {

    /**
     * {@return the state of this secret for operators: what is in force, when it was last checked, what is
     * wrong} No values. For a field it is the state of the whole secret.
     */
    SecretStatus status();

    /**
     * Forgets the previous values that this process merely remembers, because their store keeps no history: they are
     * refused from now on. What the store itself still holds is not affected: disable or remove it there.
     */
    void forgetRemembered();
}
