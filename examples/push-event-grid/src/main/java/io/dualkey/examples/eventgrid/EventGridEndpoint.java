package io.dualkey.examples.eventgrid;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import io.dualkey.secrets.RefreshCause;
import io.dualkey.secrets.RefreshResult;
import io.dualkey.secrets.RotatingSecret;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.SecretUnavailableException;
import java.io.IOException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Receives events of Azure Key Vault from Azure Event Grid, in its own schema or as CloudEvents 1.0, and has each secret that got
 * a new version looked at, at once. An event is a hint and no more: what is true is read from the vault, and the names in it
 * only choose among secrets that this service uses anyway.
 *
 * <p>Safe for use by several threads. No thread waits for the vault.
 */
public final class EventGridEndpoint implements HttpHandler {

    /** Where Event Grid sends the key: a delivery property of the event subscription, marked as secret. */
    static final String KEY_HEADER = "X-Endpoint-Key";

    /** The most that Event Grid delivers in one request. */
    static final int MAX_BODY = 1024 * 1024;

    private static final String NEW_VERSION = "Microsoft.KeyVault.SecretNewVersionCreated";
    private static final String VALIDATION = "Microsoft.EventGrid.SubscriptionValidationEvent";
    private static final String ORIGIN = "eventgrid.azure.net";
    private static final int LONGEST_CODE = 256;

    private static final Logger log = LoggerFactory.getLogger(EventGridEndpoint.class);
    private static final JsonMapper JSON = new JsonMapper();

    private final SecretSource secrets;
    private final EndpointKey key;

    /**
     * An endpoint; make it before the source is started, so that the start checks the key.
     *
     * @param secrets what to refresh
     * @param key the secret that Event Grid sends as {@value #KEY_HEADER}
     */
    public EventGridEndpoint(SecretSource secrets, RotatingSecret key) {
        this.secrets = secrets;
        this.key = new EndpointKey(key);
    }

    @Override
    public void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            switch (exchange.getRequestMethod()) {
                case "POST" -> post(exchange);
                case "OPTIONS" -> allowEventGrid(exchange);
                default -> answer(exchange, 405);
            }
        }
    }

    /**
     * The handshake of CloudEvents: it says that Event Grid, and nobody else, may send events here. It gives away nothing, so it
     * needs no key; each delivery does. A WebHook-Request-Callback is not called.
     */
    private static void allowEventGrid(HttpExchange exchange) throws IOException {
        if (ORIGIN.equals(exchange.getRequestHeaders().getFirst("WebHook-Request-Origin"))) {
            exchange.getResponseHeaders().set("WebHook-Allowed-Origin", ORIGIN);
            exchange.getResponseHeaders().set("WebHook-Allowed-Rate", "120"); // a minute
        }
        exchange.getResponseHeaders().set("Allow", "POST, OPTIONS");
        answer(exchange, 200);
    }

    private void post(HttpExchange exchange) throws IOException {
        List<String> keys = exchange.getRequestHeaders().getOrDefault(KEY_HEADER, List.of());
        try {
            if (keys.size() != 1 || !key.accepts(keys.get(0))) { // before a byte of the body is read
                answer(exchange, 401);
                return;
            }
        } catch (SecretUnavailableException noKey) { // Event Grid tries again later
            answer(exchange, 503);
            return;
        }
        byte[] body = exchange.getRequestBody().readNBytes(MAX_BODY + 1);
        if (body.length > MAX_BODY) {
            answer(exchange, 413);
            return;
        }
        JsonNode events = parse(body);
        if (events == null) {
            answer(exchange, 400);
            return;
        }
        String code = validationCode(events);
        if (code != null) {
            answer(exchange, JSON.writeValueAsBytes(Map.of("validationResponse", code)));
            return;
        }
        namesOfNewVersions(events).forEach(this::refresh);
        answer(exchange, 200);
    }

    /** One event, or an array of them; null if it is neither. */
    private static @Nullable JsonNode parse(byte[] body) {
        try {
            JsonNode root = JSON.readTree(body);
            JsonNode events = root.isObject() ? JSON.createArrayNode().add(root) : root;
            boolean wellFormed = events.isArray() && !events.isEmpty();
            for (JsonNode event : events) {
                wellFormed &= !type(event).isEmpty();
            }
            return wellFormed ? events : null;
        } catch (JacksonException malformed) {
            return null;
        }
    }

    private static String type(JsonNode event) {
        String own = event.path("eventType").asString("");
        return own.isEmpty() ? event.path("type").asString("") : own;
    }

    /**
     * The code by whose return this endpoint agrees to a subscription; null if it is not asked for. The event has a URL as well,
     * which would do the same when it is fetched. It is never fetched: a server that calls what it is sent calls anybody.
     */
    private static @Nullable String validationCode(JsonNode events) {
        JsonNode event = events.path(0);
        String code = event.path("data").path("validationCode").asString("");
        boolean asked = events.size() == 1 && type(event).equals(VALIDATION);
        return asked && !code.isEmpty() && code.length() <= LONGEST_CODE ? code : null;
    }

    /** Each name once, however often it is in the request. */
    private static Set<String> namesOfNewVersions(JsonNode events) {
        Set<String> names = new LinkedHashSet<>();
        for (JsonNode event : events) {
            if (type(event).equals(NEW_VERSION)) {
                names.add(event.path("data").path("ObjectName").asString(""));
            }
        }
        return names;
    }

    /** Does nothing for a secret that this service does not use. */
    private void refresh(String name) {
        secrets.find(name).ifPresent(secret -> {
            var unused = secret.refresh(RefreshCause.OPERATOR).thenAccept(result -> tell(secret.name(), result));
        });
    }

    /** The name is ours and not what was sent, which may have anything in it. */
    private static void tell(String name, RefreshResult result) {
        if (result == RefreshResult.CHANGED) {
            log.info("An event brought a new version of '{}'", name);
        } else {
            log.debug("An event named '{}': {}", name, result);
        }
    }

    private static void answer(HttpExchange exchange, int status) throws IOException {
        exchange.sendResponseHeaders(status, -1);
    }

    private static void answer(HttpExchange exchange, byte[] json) throws IOException {
        exchange.getResponseHeaders().set("Content-Type", "application/json");
        exchange.sendResponseHeaders(200, json.length);
        exchange.getResponseBody().write(json);
    }
}
