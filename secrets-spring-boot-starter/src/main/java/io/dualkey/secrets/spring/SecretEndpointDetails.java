package io.dualkey.secrets.spring;

import java.util.Map;

/** What a user of a secret adds to what the endpoint shows of it. */
interface SecretEndpointDetails {

    /** {@return metadata to show}
     *
     * @param secret the name of the secret
     */
    Map<String, Object> of(String secret);
}
