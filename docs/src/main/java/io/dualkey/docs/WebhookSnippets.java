package io.dualkey.docs;

import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.jwt.HmacVerifier;
import io.dualkey.secrets.jwt.KeyFormat;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** The code of {@code docs/webhooks.md}; a test runs it and compares it with the page. */
final class WebhookSnippets {

    private WebhookSnippets() {}

    static HmacVerifier github(SecretSource secrets) {
        // snippet: github
        var github = HmacVerifier.sha256(secrets.secret("github-webhook"), KeyFormat.TEXT)
                .prefix("sha256=")
                .build();
        secrets.start(Duration.ofSeconds(10));
        // end
        return github;
    }

    static int handle(HmacVerifier github, byte[] body, @Nullable String header) {
        // snippet: verify
        switch (github.verify(body, header)) { // the bytes of the body, and X-Hub-Signature-256
            case ACCEPTED -> process(body);
            case MALFORMED, BAD_SIGNATURE, OUTSIDE_TOLERANCE -> {
                return 401;
            }
        }
        return 204;
        // end
    }

    static HmacVerifier stripe(SecretSource secrets) {
        // snippet: stripe
        var stripe = HmacVerifier.sha256(secrets.secret("stripe-webhook"), KeyFormat.TEXT)
                .timestamped() // signed at most five minutes ago, or ahead
                .build();
        // end
        return stripe;
    }

    static HmacVerifier base64(SecretSource secrets) {
        // snippet: base64
        var shop = HmacVerifier.sha256(secrets.secret("shop-webhook"), KeyFormat.TEXT)
                .base64()
                .build();
        // end
        return shop;
    }

    private static void process(byte[] body) {
        if (body.length == 0) {
            throw new IllegalArgumentException("no event");
        }
    }
}
