package io.dualkey.secrets;

/** One field of a secret whose values are JSON documents. What is told about it is told about the whole secret. */
final class FieldNode extends MappedNode<SecretValue, SecretValue> implements RotatingSecret {

    private final JsonPointer field;

    FieldNode(SecretNode secret, JsonPointer field) {
        super(secret, field::select);
        this.field = field;
    }

    @Override
    public SecretStatus status() {
        return root().status();
    }

    @Override
    public void forgetRemembered() {
        root().forgetRemembered();
    }

    /** The name and the field; never a value. */
    @Override
    public String toString() {
        return "RotatingSecret[" + name() + "#" + field.path() + "]";
    }
}
