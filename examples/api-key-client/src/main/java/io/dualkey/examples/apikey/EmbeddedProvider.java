package io.dualkey.examples.apikey;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/** Stands in for the service that issues API keys and is called with them. */
final class EmbeddedProvider implements AutoCloseable {

    private final Set<String> keys = ConcurrentHashMap.newKeySet();
    private final List<Integer> answers = new CopyOnWriteArrayList<>();
    private final HttpServer server;

    EmbeddedProvider() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            try (exchange) {
                String sent = String.valueOf(exchange.getRequestHeaders().getFirst("Authorization"));
                byte[] echo = exchange.getRequestBody().readAllBytes();
                boolean known = sent.startsWith("Bearer ") && keys.contains(sent.substring("Bearer ".length()));
                byte[] answer = known ? echo : "unknown key".getBytes(StandardCharsets.UTF_8);
                answers.add(known ? 200 : 401);
                exchange.sendResponseHeaders(known ? 200 : 401, 0); // in chunks
                exchange.getResponseBody().write(answer);
            }
        });
        server.start();
    }

    void issue(String key) {
        keys.add(key);
    }

    void revoke(String key) {
        keys.remove(key);
    }

    URI uri() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/mails");
    }

    /** The status of each answer so far. */
    List<Integer> answers() {
        return List.copyOf(answers);
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
