package io.dualkey.docs;

import io.dualkey.secrets.Rotating;
import io.dualkey.secrets.spring.Secret;

/** The code of {@code spring-boot.md}; a test compares it with the page. */
final class SpringSnippets {

    private SpringSnippets() {}

    // snippet: inject
    static class Mailer {

        private final Rotating<String> apiKey;

        Mailer(@Secret("sendgrid-api-key") Rotating<String> apiKey) {
            this.apiKey = apiKey; // the handle, not the value
        }

        String authorization() {
            return "Bearer " + apiKey.current();
        }
    }
    // end
}
