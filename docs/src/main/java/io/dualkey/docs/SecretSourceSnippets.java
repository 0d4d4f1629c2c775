package io.dualkey.docs;

import io.dualkey.secrets.DirectoryStore;
import io.dualkey.secrets.InMemoryStore;
import io.dualkey.secrets.Outcome;
import io.dualkey.secrets.RefreshCause;
import io.dualkey.secrets.RefreshResult;
import io.dualkey.secrets.Rotating;
import io.dualkey.secrets.RotatingSecret;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.SecretStatus;
import io.dualkey.secrets.SecretStore;
import io.dualkey.secrets.SecretValue;
import io.dualkey.secrets.UnusableSecretException;
import io.dualkey.secrets.Version;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** The code of {@code docs/secret-source.md}; a test runs it and compares it with the page. */
final class SecretSourceSnippets {

    private SecretSourceSnippets() {}

    static String basics(Path directory) {
        // snippet: basics
        var secrets = SecretSource.from(DirectoryStore.at(directory));
        Rotating<String> apiKey = secrets.secret("sendgrid-api-key").map(SecretValue::revealText);
        secrets.start(Duration.ofSeconds(10));

        String header = "Bearer " + apiKey.current(); // for each request, not once
        // end
        secrets.close();
        return header;
    }

    /** What the next snippet parses into. */
    record SmtpLogin(String user, String password) {}

    static Rotating<SmtpLogin> parsed(SecretSource secrets) {
        // snippet: parsed
        Rotating<SmtpLogin> login = secrets.secret("smtp-login").map(value -> {
            String[] parts = value.revealText().split(":", 2);
            if (parts.length < 2) {
                throw new UnusableSecretException("it must be user:password");
            }
            return new SmtpLogin(parts[0], parts[1]);
        });
        // end
        return login;
    }

    static boolean accept(Rotating<String> webhookKey, String presented) {
        // snippet: accepted
        long now = System.currentTimeMillis();
        for (Version<String> version : webhookKey.versions().accepted()) {
            if (version.isAcceptedAt(now) && matches(version.value(), presented)) {
                webhookKey.recordUse(version, now);
                return true;
            }
        }
        return false;
        // end
    }

    private static boolean matches(String key, String presented) {
        return key.equals(presented);
    }

    static Rotating<SecretValue> gated(RotatingSecret secret, Runnable tryLogin) {
        // snippet: gated
        Rotating<SecretValue> proven = secret.gatedBy(version -> tryLogin.run()); // throws if the login is refused
        // end
        return proven;
    }

    static SecretSource options(DirectoryStore store) {
        // snippet: options
        var secrets = SecretSource.builder(store)
                .refreshInterval(Duration.ofSeconds(30))
                .grace(Duration.ofHours(12))
                .secret("JWT_SIGNING_KEY", key -> key.companion("JWT_PREVIOUS_SIGNING_KEY"))
                .secret(
                        "payment-key",
                        key -> key.maxStale(Duration.ofHours(6)).failClosed().rotateEvery(Duration.ofDays(90)))
                .build();
        // end
        return secrets;
    }

    static SecretSource several(Path developer, SecretStore vault, SecretStore aws) {
        // snippet: several
        var secrets = SecretSource.builder(SecretStore.layered(DirectoryStore.at(developer), vault))
                .store("aws", aws)
                .build();

        secrets.secret("jwt-key"); // the developer's file if there is one, else the vault
        secrets.secret("aws:db-creds#password"); // a field of a JSON document in another store
        secrets.composed("database-url", "postgresql://{db-user}:{db-password}@db:5432/app");
        // end
        return secrets;
    }

    static RefreshResult operator(RotatingSecret secret) {
        // snippet: operator
        RefreshResult result = secret.refresh(RefreshCause.OPERATOR).join();
        // end
        return result;
    }

    static List<String> status(SecretSource secrets) {
        // snippet: status
        List<String> unhealthy = secrets.statuses().stream()
                .filter(status ->
                        status.outcome().isPresent() && !status.detail().isEmpty())
                .map(SecretStatus::detail)
                .toList();
        // end
        return unhealthy;
    }

    static List<String> test() {
        // snippet: test
        var store = new InMemoryStore();
        store.put("api-key", "first");
        try (var secrets = SecretSource.from(store)) {
            Rotating<String> apiKey = secrets.secret("api-key").map(SecretValue::revealText);
            secrets.start(Duration.ofSeconds(10));

            store.put("api-key", "second"); // rotate
            apiKey.refresh(RefreshCause.OPERATOR).join(); // instead of waiting for the interval
            String current = apiKey.current(); // "second"

            store.failWith(Outcome.UNREACHABLE); // the vault is down
            apiKey.refresh(RefreshCause.OPERATOR).join();
            String still = apiKey.current(); // "second"
            // end
            return List.of(current, still);
        }
    }
}
