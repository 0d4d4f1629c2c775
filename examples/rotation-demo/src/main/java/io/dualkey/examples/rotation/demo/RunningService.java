package io.dualkey.examples.rotation.demo;

import io.dualkey.examples.rotation.service.GuestbookApplication;
import io.dualkey.secrets.Role;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.SecretStatus;
import io.dualkey.secrets.jdbc.DataSourceStatus;
import io.dualkey.secrets.spring.DataSourceRotation;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.stream.Collectors;
import org.springframework.boot.Banner;
import org.springframework.boot.SpringApplication;
import org.springframework.context.ConfigurableApplicationContext;
import tools.jackson.databind.json.JsonMapper;

/**
 * The service, started as its own main method would start it, and how it looks from outside. That the demo runs it in
 * the same process lets the operator look closely; the clients speak HTTP to it. Safe for use by several threads.
 */
final class RunningService implements AutoCloseable {

    private static final JsonMapper JSON = new JsonMapper();

    private final ConfigurableApplicationContext context;
    private final URI address;
    private final SecretSource secrets;
    private final DataSourceRotation database;
    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();

    private RunningService(ConfigurableApplicationContext context) {
        this.context = context;
        this.address =
                URI.create("http://127.0.0.1:" + context.getEnvironment().getRequiredProperty("local.server.port"));
        this.secrets = context.getBean(SecretSource.class);
        this.database = context.getBean(DataSourceRotation.class);
    }

    /**
     * Starts the service on a free port.
     *
     * @param directory where its secrets are
     * @param log the file that it writes its log to
     */
    static RunningService start(Path directory, Path log, Duration refreshInterval) {
        SpringApplication application = new SpringApplication(GuestbookApplication.class);
        application.setBannerMode(Banner.Mode.OFF);
        application.setRegisterShutdownHook(false); // the demo closes all its parts in one order
        return new RunningService(application.run(
                "--server.port=0",
                "--dualkey.stores.directory.path=" + directory,
                "--dualkey.refresh-interval=" + refreshInterval,
                "--logging.file.name=" + log,
                "--logging.threshold.console=off"));
    }

    URI address() {
        return address;
    }

    URI entries() {
        return address.resolve("/entries");
    }

    /** {@return which versions of the signing key are in force, by their ids} */
    Map<String, Role> keys() {
        return key().versions().stream()
                .filter(version -> version.role() != Role.UPCOMING)
                .collect(Collectors.toMap(SecretStatus.VersionStatus::id, SecretStatus.VersionStatus::role));
    }

    /** {@return how many tokens were accepted by keys in this role} */
    long accepted(Role role) {
        return key().uses().getOrDefault(role, 0L);
    }

    private SecretStatus key() {
        return secrets.status("jwt-key").orElseThrow();
    }

    DataSourceStatus database() {
        return database.status();
    }

    /** {@return the state of a secret, as the health endpoint tells it} */
    String health(String secret) {
        HttpRequest request = HttpRequest.newBuilder(address.resolve("/actuator/health"))
                .timeout(Duration.ofSeconds(5))
                .build();
        try {
            String body =
                    http.send(request, HttpResponse.BodyHandlers.ofString()).body();
            return JSON.readTree(body)
                    .findPath(secret)
                    .path("details")
                    .path("state")
                    .asString("");
        } catch (IOException failure) {
            return "";
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            return "";
        }
    }

    @Override
    public void close() {
        context.close();
    }
}
