package io.dualkey.examples.shop;

import io.dualkey.secrets.Registration;
import io.dualkey.secrets.jdbc.CredentialPhase;
import io.dualkey.secrets.spring.DataSourceRotation;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.springframework.boot.SpringApplication;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.core.env.Environment;

/**
 * Runs the service on databases of its own, and replaces the user of each while customers order. It does what an operator does:
 * creates a user, writes it to the secret, waits until the old one is safe to drop, drops it.
 */
final class Rehearsal implements AutoCloseable {

    private final Databases databases;
    private final Path secrets;
    private final ConfigurableApplicationContext service;
    private final HttpClient http = HttpClient.newHttpClient();
    private final AtomicLong served = new AtomicLong();

    private Rehearsal(Databases databases, Path secrets, ConfigurableApplicationContext service) {
        this.databases = databases;
        this.secrets = secrets;
        this.service = service;
    }

    public static void main(String[] args) throws Exception {
        try (Rehearsal rehearsal = Rehearsal.start()) {
            List<String> failures = rehearsal.underLoad(() -> {
                for (String database : List.of("orders", "reporting")) {
                    rehearsal.awaitRequests(500);
                    String dropped = rehearsal.replaceUser(database);
                    System.out.println("The user " + dropped + " has been replaced and dropped.");
                }
                rehearsal.awaitRequests(500);
                return null;
            });
            System.out.println(rehearsal.served() + " requests, " + failures.size() + " of them failed.");
        }
    }

    static Rehearsal start() throws IOException, SQLException {
        Databases databases = Databases.start();
        try {
            Path secrets = Files.createTempDirectory("two-data-sources");
            write(secrets, "orders", databases.createUser("orders", "orders_v1"));
            write(secrets, "reporting", databases.createUser("reporting", "reporting_v1"));
            ConfigurableApplicationContext service = SpringApplication.run(
                    ShopApplication.class, "--server.port=0", "--dualkey.stores.directory.path=" + secrets);
            return new Rehearsal(databases, secrets, service);
        } catch (IOException | SQLException | RuntimeException failure) {
            databases.close();
            throw failure;
        }
    }

    ConfigurableApplicationContext service() {
        return service;
    }

    long served() {
        return served.get();
    }

    /** Waits until more requests have been answered. */
    void awaitRequests(int more) {
        long enough = served.get() + more;
        long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
        while (served.get() < enough) {
            if (System.nanoTime() > deadline) {
                throw new IllegalStateException("the service does not answer");
            }
            LockSupport.parkNanos(Duration.ofMillis(5).toNanos());
        }
    }

    /**
     * Replaces the user of a database.
     *
     * @return the user that was dropped
     */
    String replaceUser(String database) throws Exception {
        DataSourceRotation rotation = rotation(database);
        String old = rotation.status().current().orElseThrow().user();
        String fresh = database + "_v" + (1 + Integer.parseInt(old.substring(old.lastIndexOf('v') + 1)));
        CompletableFuture<String> droppable = new CompletableFuture<>();
        Registration listening = rotation.onChange(credentials -> {
            if (credentials.user().equals(old) && credentials.phase() == CredentialPhase.SAFE_TO_DROP) {
                droppable.complete(old);
            }
        });
        try {
            write(secrets, database, databases.createUser(database, fresh));
            databases.dropUser(droppable.get(60, TimeUnit.SECONDS));
        } finally {
            listening.close();
        }
        return old;
    }

    /** How the credentials of a database rotate: the bean without a qualifier is that of Spring Boot's own data source. */
    DataSourceRotation rotation(String database) {
        return service.getBeansOfType(DataSourceRotation.class).values().stream()
                .filter(one -> one.secret().equals(database + "-database"))
                .findFirst()
                .orElseThrow();
    }

    /** Lets customers order until the work is done; returns what went wrong with their requests. */
    List<String> underLoad(Callable<?> work) throws Exception {
        AtomicBoolean done = new AtomicBoolean();
        ExecutorService customers = Executors.newFixedThreadPool(4);
        try {
            List<Future<List<String>>> results = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                String customer = "customer-" + i;
                results.add(customers.submit(() -> orderUntil(done, customer)));
            }
            try {
                work.call();
            } finally {
                done.set(true);
            }
            List<String> failures = new ArrayList<>();
            for (Future<List<String>> result : results) {
                failures.addAll(result.get(30, TimeUnit.SECONDS));
            }
            return failures;
        } finally {
            customers.shutdownNow();
        }
    }

    private List<String> orderUntil(AtomicBoolean done, String customer) throws IOException, InterruptedException {
        List<String> failures = new ArrayList<>();
        while (!done.get()) {
            HttpRequest order = HttpRequest.newBuilder(uri("/orders?amount=1&customer=" + customer))
                    .POST(HttpRequest.BodyPublishers.noBody())
                    .build();
            HttpResponse<String> response = http.send(order, HttpResponse.BodyHandlers.ofString());
            if (response.statusCode() != 200) {
                failures.add(response.statusCode() + " " + response.body());
            }
            served.incrementAndGet();
        }
        return failures;
    }

    String get(String path) throws IOException, InterruptedException {
        return http.send(HttpRequest.newBuilder(uri(path)).build(), HttpResponse.BodyHandlers.ofString())
                .body();
    }

    private URI uri(String path) {
        Environment environment = service.getEnvironment();
        return URI.create("http://127.0.0.1:" + environment.getProperty("local.server.port") + path);
    }

    /** As a whole, so that nobody reads half of it. */
    private static void write(Path secrets, String database, String url) throws IOException {
        Path fresh = Files.writeString(secrets.resolve("." + database), url);
        Files.move(fresh, secrets.resolve(database + "-database"), StandardCopyOption.ATOMIC_MOVE);
    }

    @Override
    public void close() throws IOException {
        service.close();
        databases.close();
        try (var files = Files.list(secrets)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(secrets);
    }
}
