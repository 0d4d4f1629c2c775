package io.dualkey.examples.apikey;

import io.dualkey.secrets.InMemoryStore;
import io.dualkey.secrets.SecretSource;
import java.io.IOException;
import java.io.PrintStream;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;

/** Replaces the key of a client whose next scheduled look at the vault is an hour away. */
public final class ApiKeyClientDemo {

    private ApiKeyClientDemo() {}

    /** Runs the demo. */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        run(System.out);
    }

    static void run(PrintStream out) throws IOException, InterruptedException {
        InMemoryStore vault = new InMemoryStore();
        try (EmbeddedProvider provider = new EmbeddedProvider();
                SecretSource secrets = SecretSource.builder(vault)
                        .refreshInterval(Duration.ofHours(1))
                        .build()) {
            ApiKeyClient client = new ApiKeyClient(secrets.secret("mail-api-key"));
            vault.put("mail-api-key", "example-key-1");
            provider.issue("example-key-1");
            secrets.start(Duration.ofSeconds(10));
            send(out, "first key", client, provider);

            provider.issue("example-key-2");
            vault.put("mail-api-key", "example-key-2");
            send(out, "new key in the vault, both good", client, provider);

            provider.revoke("example-key-1");
            send(out, "old key revoked", client, provider);
            send(out, "next request", client, provider);

            provider.revoke("example-key-2"); // and nobody has put another into the vault
            long before = vault.reads();
            for (int i = 0; i < 50; i++) {
                post(client, provider);
            }
            out.println("50 requests with a revoked key: at most 10 calls to the vault: "
                    + (vault.reads() - before <= 10 ? "yes" : "no"));
        }
    }

    private static void send(PrintStream out, String when, ApiKeyClient client, EmbeddedProvider provider)
            throws IOException, InterruptedException {
        int before = provider.answers().size();
        int status = post(client, provider);
        out.println(when + ": " + status + " (the service answered "
                + provider.answers().subList(before, provider.answers().size()) + ")");
    }

    private static int post(ApiKeyClient client, EmbeddedProvider provider) throws IOException, InterruptedException {
        HttpRequest.Builder mail = HttpRequest.newBuilder(provider.uri())
                .timeout(Duration.ofSeconds(10))
                .POST(HttpRequest.BodyPublishers.ofString("Dear Alice"));
        return client.send(mail, HttpResponse.BodyHandlers.discarding()).statusCode();
    }
}
