package io.dualkey.examples.eventgrid;

import com.sun.net.httpserver.HttpServer;
import io.dualkey.secrets.InMemoryStore;
import io.dualkey.secrets.Registration;
import io.dualkey.secrets.Rotating;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.SecretValue;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** Rotates a secret whose next scheduled check is an hour away, and lets Event Grid tell of it. */
public final class EventGridDemo {

    private static final String KEY = "example-endpoint-key-of-32-characters";

    private EventGridDemo() {}

    /** Runs the demo. */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        run(System.out);
    }

    static void run(PrintStream out) throws IOException, InterruptedException {
        InMemoryStore vault = new InMemoryStore();
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        try (SecretSource secrets =
                SecretSource.builder(vault).refreshInterval(Duration.ofHours(1)).build()) {
            Rotating<String> apiKey = secrets.secret("mail-api-key").map(SecretValue::revealText);
            server.createContext("/events", new EventGridEndpoint(secrets, secrets.secret("event-grid-key")));
            vault.put("event-grid-key", KEY);
            vault.put("mail-api-key", "example-1");
            secrets.start(Duration.ofSeconds(10));
            server.start();
            EmbeddedEventGrid grid = new EmbeddedEventGrid(
                    URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/events"));

            out.println("subscribed: "
                    + grid.post(KEY, EmbeddedEventGrid.validation("code-1", "https://127.0.0.1:1/never-fetched"))
                            .body());
            BlockingQueue<String> inForce = new LinkedBlockingQueue<>();
            Registration listening = apiKey.onRotation(version -> inForce.add(version.value()));
            out.println("in force: " + inForce.poll(10, TimeUnit.SECONDS));
            vault.put("mail-api-key", "example-2");
            out.println("event: "
                    + grid.post(KEY, EmbeddedEventGrid.newVersion("mail-api-key"))
                            .statusCode());
            out.println("in force: " + inForce.poll(10, TimeUnit.SECONDS));
            listening.close();
            out.println("event without the key: "
                    + grid.post("guessed", EmbeddedEventGrid.newVersion("mail-api-key"))
                            .statusCode());
        } finally {
            server.stop(0);
        }
    }
}
