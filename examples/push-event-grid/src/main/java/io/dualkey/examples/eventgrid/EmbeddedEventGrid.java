package io.dualkey.examples.eventgrid;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;

/** Stands in for Azure Event Grid. */
final class EmbeddedEventGrid {

    private final HttpClient http = HttpClient.newHttpClient();
    private final URI endpoint;

    EmbeddedEventGrid(URI endpoint) {
        this.endpoint = endpoint;
    }

    /** What Event Grid sends when somebody subscribes the endpoint. */
    static String validation(String code, String url) {
        return """
                [{"id":"2d1781af","topic":"/subscriptions/x/providers/Microsoft.KeyVault/vaults/kv-example","subject":"",
                "eventType":"Microsoft.EventGrid.SubscriptionValidationEvent","eventTime":"2026-01-01T00:00:00Z",
                "data":{"validationCode":"%s","validationUrl":"%s"},"dataVersion":"2","metadataVersion":"1"}]
                """.formatted(code, url);
    }

    /** What it sends when a secret has got a new version. */
    static String newVersion(String secret) {
        return "[" + event("eventType", "Microsoft.KeyVault.SecretNewVersionCreated", secret) + "]";
    }

    /** The same as a CloudEvent. */
    static String cloudEvent(String secret) {
        return event("type", "Microsoft.KeyVault.SecretNewVersionCreated", secret);
    }

    static String event(String typeMember, String type, String secret) {
        return """
                {"id":"00eccf70","subject":"%3$s","%1$s":"%2$s",
                "data":{"Id":"https://kv-example.vault.azure.net/secrets/%3$s/0a1b","VaultName":"kv-example",
                "ObjectType":"Secret","ObjectName":"%3$s","Version":"0a1b"}}""".formatted(typeMember, type, secret);
    }

    HttpResponse<String> post(String key, String body) throws IOException, InterruptedException {
        return send(HttpRequest.newBuilder(endpoint)
                .header("Content-Type", "application/json")
                .header(EventGridEndpoint.KEY_HEADER, key)
                .POST(HttpRequest.BodyPublishers.ofString(body)));
    }

    HttpResponse<String> options(String origin) throws IOException, InterruptedException {
        return send(HttpRequest.newBuilder(endpoint)
                .header("WebHook-Request-Origin", origin)
                .method("OPTIONS", HttpRequest.BodyPublishers.noBody()));
    }

    HttpResponse<String> send(HttpRequest.Builder request) throws IOException, InterruptedException {
        return http.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    HttpRequest.Builder toEndpoint() {
        return HttpRequest.newBuilder(endpoint);
    }
}
