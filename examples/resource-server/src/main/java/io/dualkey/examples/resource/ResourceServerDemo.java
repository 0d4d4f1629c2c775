package io.dualkey.examples.resource;

import java.io.IOException;
import java.io.PrintStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.springframework.boot.SpringApplication;
import org.springframework.context.ConfigurableApplicationContext;

/** Starts the service with a directory of its own, and rotates the key in it by hand. */
final class ResourceServerDemo implements AutoCloseable {

    private static final long PAUSE = Duration.ofMillis(20).toNanos();

    private final HttpClient http = HttpClient.newHttpClient();
    private final Path directory;
    private final ConfigurableApplicationContext service;

    private ResourceServerDemo(Path directory, ConfigurableApplicationContext service) {
        this.directory = directory;
        this.service = service;
    }

    /** Runs the demo. */
    public static void main(String[] arguments) throws Exception {
        EmbeddedIssuer first = new EmbeddedIssuer();
        try (ResourceServerDemo demo = start(first)) {
            demo.rotate(first, System.out);
        }
    }

    static ResourceServerDemo start(EmbeddedIssuer issuer) throws IOException {
        Path directory = Files.createTempDirectory("secrets");
        Files.writeString(directory.resolve("jwt-public-key"), issuer.publicKey());
        ConfigurableApplicationContext service = new SpringApplication(ResourceServerApplication.class)
                .run("--notes.secrets=" + directory, "--server.port=0", "--server.address=127.0.0.1");
        return new ResourceServerDemo(directory, service);
    }

    void rotate(EmbeddedIssuer first, PrintStream out) throws Exception {
        String oldToken = first.token("notes:read");
        answers(out, "as started", 200, get(oldToken).statusCode());

        EmbeddedIssuer second = new EmbeddedIssuer();
        String newToken = second.token("notes:read");
        write("jwt-public-key-previous", first.publicKey()); // first the companion: the old key is never gone
        write("jwt-public-key", second.publicKey());
        answers(out, "new key, new token", 200, comesTo(200, newToken));
        answers(out, "new key, old token", 200, get(oldToken).statusCode());

        Files.delete(directory.resolve("jwt-public-key-previous"));
        answers(out, "old key removed, old token", 401, comesTo(401, oldToken));
        answers(out, "old key removed, new token", 200, get(newToken).statusCode());
    }

    HttpResponse<String> get(String token) throws IOException, InterruptedException {
        return send(HttpRequest.newBuilder(uri()).header("Authorization", "Bearer " + token));
    }

    HttpResponse<String> send(HttpRequest.Builder request) throws IOException, InterruptedException {
        return http.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    URI uri() {
        return URI.create("http://127.0.0.1:" + service.getEnvironment().getProperty("local.server.port") + "/notes");
    }

    /** The directory is watched: what is written there is seen within a fraction of a second. */
    private int comesTo(int expected, String token) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + Duration.ofSeconds(10).toNanos();
        int status = get(token).statusCode();
        while (status != expected && System.nanoTime() - deadline < 0) {
            LockSupport.parkNanos(PAUSE);
            status = get(token).statusCode();
        }
        return status;
    }

    private static void answers(PrintStream out, String when, int expected, int status) {
        if (status != expected) {
            throw new IllegalStateException(when + ": " + status + " instead of " + expected);
        }
        out.printf("%-28s %d%n", when, status);
    }

    /** A reader sees the old file or the new one, and never half of one. */
    private void write(String name, String value) throws IOException {
        Path written = Files.writeString(directory.resolve("." + name + ".new"), value);
        Files.move(written, directory.resolve(name), StandardCopyOption.ATOMIC_MOVE);
    }

    @Override
    public void close() throws IOException {
        service.close();
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(directory);
    }
}
