package io.dualkey.secrets.spring;

import io.dualkey.secrets.SecretStore;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.DisposableBean;
import org.springframework.core.Ordered;

/**
 * A store that properties ask for.
 *
 * @param order which of the stores without a prefix goes first: what is near goes before what is far, so that a developer can
 *     put something in a vault's place
 * @param prefix what stands before the names of its secrets; null for none
 * @param store the store
 */
record ConfiguredStore(int order, @Nullable String prefix, SecretStore store) implements Ordered, DisposableBean {

    static final int DIRECTORY = 1;
    static final int ENVIRONMENT = 2;
    static final int AZURE_KEY_VAULT = 3;
    static final int AWS_SECRETS_MANAGER = 4;

    /** Called when the application ends, after the source, which was made of it. */
    @Override
    public void destroy() throws Exception {
        if (store instanceof AutoCloseable closeable) {
            closeable.close();
        }
    }

    @Override
    public int getOrder() {
        return order;
    }
}
