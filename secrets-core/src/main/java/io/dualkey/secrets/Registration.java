package io.dualkey.secrets;

/** Something registered that can be taken back. Safe for use by several threads; closing twice does nothing more. */
@FunctionalInterface
public interface Registration extends AutoCloseable {

    /** Takes the registration back: nothing more is delivered to it, apart from a call that is under way. */
    @Override
    void close();
}
