package io.dualkey.examples.webhook;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import io.dualkey.secrets.Rotating;
import io.dualkey.secrets.SecretUnavailableException;
import io.dualkey.secrets.SecretValue;
import io.dualkey.secrets.jwt.HmacVerifier;
import io.dualkey.secrets.jwt.KeyFormat;
import java.io.IOException;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Receives webhooks that are signed as Stripe signs them: the header {@code Stripe-Signature} has a time and an HMAC of the time
 * and the body. Nothing of a message is looked at before its signature is known to be good. Safe for use by several threads.
 */
public final class WebhookReceiver implements HttpHandler {

    /** More than senders send; a body is held in memory until it is verified. */
    static final int MAX_BODY = 256 * 1024;

    private static final Logger log = LoggerFactory.getLogger(WebhookReceiver.class);
    private static final JsonMapper JSON = new JsonMapper();

    private final HmacVerifier verifier;
    private final Consumer<JsonNode> processor;
    private final SeenIds seen = new SeenIds();

    /**
     * A receiver; make it before the secret's source is started, so that the start checks the secret.
     *
     * @param secret what the sender signs with
     * @param processor is given each message once; may be called by several threads at a time
     */
    public WebhookReceiver(Rotating<SecretValue> secret, Consumer<JsonNode> processor) {
        this.verifier =
                HmacVerifier.sha256(secret, KeyFormat.TEXT).timestamped().build();
        this.processor = processor;
    }

    @Override
    public void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            exchange.sendResponseHeaders(statusOf(exchange), -1);
        }
    }

    private int statusOf(HttpExchange exchange) throws IOException {
        if (!exchange.getRequestMethod().equals("POST")) {
            return 405;
        }
        List<String> signatures = exchange.getRequestHeaders().getOrDefault("Stripe-Signature", List.of());
        if (signatures.size() != 1) {
            return 401;
        }
        byte[] body = exchange.getRequestBody().readNBytes(MAX_BODY + 1);
        if (body.length > MAX_BODY) {
            return 413;
        }
        try {
            return switch (verifier.verify(body, signatures.get(0))) {
                case ACCEPTED -> process(body);
                case MALFORMED, BAD_SIGNATURE, OUTSIDE_TOLERANCE -> 401;
            };
        } catch (SecretUnavailableException noSecret) { // the sender tries again later
            return 503;
        }
    }

    private int process(byte[] body) {
        JsonNode message = parse(body);
        String id = message == null ? "" : message.path("id").asString("");
        if (message == null || id.isEmpty()) {
            return 400;
        }
        if (!seen.add(id)) {
            return 200; // the sender has not had our answer, or somebody plays it back
        }
        try {
            processor.accept(message);
            return 200;
        } catch (RuntimeException failure) { // whose message may quote what the body says
            seen.remove(id);
            log.warn("A webhook could not be processed: {}", failure.getClass().getName());
            return 500;
        }
    }

    private static @Nullable JsonNode parse(byte[] body) {
        try {
            return JSON.readTree(body);
        } catch (JacksonException malformed) {
            return null;
        }
    }
}
