package io.dualkey.examples.eventgrid;

import io.dualkey.secrets.Rotating;
import io.dualkey.secrets.SecretUnavailableException;
import io.dualkey.secrets.SecretValue;
import io.dualkey.secrets.UnusableSecretException;
import io.dualkey.secrets.Version;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The key by which Event Grid shows who it is: a secret that rotates like any other, so the current and the previous one are
 * accepted. Safe for use by several threads.
 */
final class EndpointKey {

    private static final int SHORTEST = 32;

    private final Rotating<SecretValue> key;

    EndpointKey(Rotating<SecretValue> secret) {
        key = secret.map(EndpointKey::strongEnough);
    }

    private static SecretValue strongEnough(SecretValue value) {
        if (value.length() < SHORTEST) {
            throw new UnusableSecretException("the key of the endpoint must have at least " + SHORTEST + " characters");
        }
        return value;
    }

    /**
     * Whether a header is one of the accepted keys. All are compared, each in constant time, so that time tells nothing.
     *
     * @throws SecretUnavailableException if there is no key to compare with
     */
    boolean accepts(@Nullable String header) {
        List<Version<SecretValue>> accepted = key.versions().accepted();
        if (accepted.isEmpty()) {
            key.current(); // throws, and says why there is none
        }
        SecretValue presented = SecretValue.ofText(header == null ? "" : header);
        long now = System.currentTimeMillis();
        Version<SecretValue> found = null;
        for (Version<SecretValue> version : accepted) {
            boolean equal = version.value().equals(presented);
            if (equal && version.isAcceptedAt(now)) {
                found = version;
            }
        }
        if (found != null) {
            key.recordUse(found, now); // tells when Event Grid no longer sends the previous one
        }
        return found != null;
    }
}
