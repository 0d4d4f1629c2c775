package io.dualkey.examples.webhook;

import com.sun.net.httpserver.HttpServer;
import io.dualkey.secrets.InMemoryStore;
import io.dualkey.secrets.RefreshCause;
import io.dualkey.secrets.RotatingSecret;
import io.dualkey.secrets.SecretSource;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Sends webhooks through a rotation of their secret, and some that must be refused. */
public final class WebhookReceiverDemo {

    private static final String FIRST = "example-webhook-secret-1";
    private static final String SECOND = "example-webhook-secret-2";

    private WebhookReceiverDemo() {}

    /** Runs the demo. */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        run(System.out);
    }

    static void run(PrintStream out) throws IOException, InterruptedException {
        InMemoryStore vault = new InMemoryStore();
        ExecutorService workers = Executors.newFixedThreadPool(4);
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        try (SecretSource secrets = SecretSource.from(vault)) {
            RotatingSecret secret = secrets.secret("stripe-webhook");
            server.setExecutor(workers);
            server.createContext(
                    "/webhook",
                    new WebhookReceiver(
                            secret,
                            message -> out.println(
                                    "  processed " + message.path("id").asString())));
            String old = vault.put("stripe-webhook", FIRST);
            secrets.start(Duration.ofSeconds(10));
            server.start();
            EmbeddedSender sender = new EmbeddedSender(
                    URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/webhook"));

            out.println("signed with the secret: " + sender.send(FIRST, "{\"id\":\"evt_1\"}"));
            vault.put("stripe-webhook", SECOND);
            secret.refresh(RefreshCause.OPERATOR).join(); // or up to a minute later
            out.println("rotated, signed with the new one: " + sender.send(SECOND, "{\"id\":\"evt_2\"}"));
            out.println("rotated, signed with the old one: " + sender.send(FIRST, "{\"id\":\"evt_3\"}"));
            out.println("sent again: " + sender.send(SECOND, "{\"id\":\"evt_3\"}"));
            vault.disable("stripe-webhook", old);
            secret.refresh(RefreshCause.OPERATOR).join();
            out.println("old one disabled, signed with it: " + sender.send(FIRST, "{\"id\":\"evt_4\"}"));

            String body = "{\"id\":\"evt_5\"}";
            out.println("signed an hour ago: "
                    + sender.sendSigned(
                            EmbeddedSender.sign(SECOND, Instant.now().minusSeconds(3600), body), body));
            out.println("another body under the signature: "
                    + sender.sendSigned(EmbeddedSender.sign(SECOND, Instant.now(), body), "{\"id\":\"evt_6\"}"));
        } finally {
            server.stop(0);
            workers.shutdown();
        }
    }
}
