package io.dualkey.secrets.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.jayway.jsonpath.JsonPath;
import com.zaxxer.hikari.HikariDataSource;
import io.dualkey.secrets.RotatingSecret;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.jwt.JwtSigner;
import io.dualkey.secrets.jwt.KeyFormat;
import io.dualkey.secrets.jwt.VerifiedJwt;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.health.actuate.endpoint.HealthEndpointGroups;
import org.springframework.boot.security.autoconfigure.SecurityAutoConfiguration;
import org.springframework.boot.security.autoconfigure.UserDetailsServiceAutoConfiguration;
import org.springframework.boot.security.autoconfigure.actuate.web.servlet.ManagementWebSecurityAutoConfiguration;
import org.springframework.boot.security.autoconfigure.web.servlet.SecurityFilterAutoConfiguration;
import org.springframework.boot.security.autoconfigure.web.servlet.ServletWebSecurityAutoConfiguration;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.context.annotation.Import;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestAttribute;
import org.springframework.web.bind.annotation.RestController;

/** A whole service on a real database: its requests go on while an operator rotates what it depends on. */
@ExtendWith(OutputCaptureExtension.class)
@SpringBootTest(
        webEnvironment = SpringBootTest.WebEnvironment.RANDOM_PORT,
        properties = {
            "dualkey.refresh-interval=100ms",
            "dualkey.jwt.secret=jwt-key",
            "dualkey.jwt.algorithms=HS256",
            "dualkey.jwt.key-format=text",
            "dualkey.jwt.issuer=https://login.example.com",
            "dualkey.jwt.filter.enabled=true",
            "dualkey.jwt.filter.url-patterns=/api/*",
            "dualkey.jdbc.secret=database-url",
            "dualkey.secrets=sendgrid-api-key",
            "spring.datasource.hikari.maximum-pool-size=4",
            "spring.datasource.hikari.register-mbeans=true",
            "spring.jmx.enabled=true",
            "spring.threads.virtual.enabled=true", // from Java 21 on
            "management.endpoints.jmx.exposure.include=*",
            "management.endpoints.web.exposure.include=*",
            "management.endpoint.health.show-details=always",
            "management.endpoint.health.probes.enabled=true",
            "management.endpoint.env.show-values=always",
            "management.endpoint.configprops.show-values=always",
            "logging.level.io.dualkey=trace"
        })
class ApplicationIT {

    /** Occurs in every secret. */
    private static final String CANARY = "canary-4711";

    private static final ScramPostgres database;
    private static final Path directory;

    static {
        try {
            database = new ScramPostgres();
            database.admin(
                    "create table orders (customer text)",
                    "create user app_v1 password '" + CANARY + "-v1'",
                    "grant all on orders to app_v1");
            directory = Files.createTempDirectory("dualkey-starter");
            write("database-url", database.url("app_v1", CANARY + "-v1"));
            write("jwt-key", CANARY + "-jwt-key-1-of-at-least-32-bytes");
            write("sendgrid-api-key", CANARY + "-sendgrid");
        } catch (Exception failure) {
            throw new ExceptionInInitializerError(failure);
        }
    }

    @DynamicPropertySource
    static void directory(DynamicPropertyRegistry properties) {
        properties.add("dualkey.stores.directory.path", directory::toString);
    }

    @AfterAll
    static void close() throws IOException {
        database.close();
    }

    /** After every test, since what matters is what a rotation or a refusal leaves behind. */
    @AfterEach
    void nothingOfASecretIsLoggedOrShown(CapturedOutput output) throws Exception {
        assertThat(output).doesNotContain(CANARY);
        for (String endpoint : List.of("health", "configprops", "env", "secrets", "beans", "conditions", "mappings")) {
            assertThat(get("/actuator/" + endpoint, null).body()).doesNotContain(CANARY);
        }
    }

    private final HttpClient http = HttpClient.newHttpClient();

    @LocalServerPort
    private int port;

    @Autowired
    private SecretSource secrets;

    @Autowired
    private HikariDataSource pool;

    @Autowired
    private DataSourceRotation rotation;

    @Autowired
    private HealthEndpointGroups groups;

    @Test
    void refusesRequestsWithoutAGoodTokenAndNoOthers() throws Exception {
        assertThat(get("/api/me", null).statusCode()).isEqualTo(401);
        assertThat(get("/api/me", "a.b.c").headers().firstValue("WWW-Authenticate"))
                .hasValueSatisfying(challenge -> assertThat(challenge).contains("invalid_token"));
        assertThat(get("/public", null).body()).isEqualTo("hello");
    }

    @Test
    void controllersKnowWhoTheRequestComesFrom() throws Exception {
        assertThat(get("/api/me", token("alice")).body()).isEqualTo("alice, token of alice");
        assertThat(get("/api/later", token("bob")).body()).isEqualTo("bob");
    }

    @Test
    void tokensOfThePreviousKeyAreAcceptedUntilItIsRemoved() throws Exception {
        String before = token("alice");
        String first = secrets.secret("jwt-key").current().revealText();

        rotate("jwt-key", CANARY + "-jwt-key-2-of-at-least-32-bytes");
        write("jwt-key-previous", first);
        assertThat(get("/api/me", before).statusCode()).isEqualTo(200);
        assertThat(get("/api/me", token("alice")).statusCode()).isEqualTo(200);

        await().until(() -> companionSeen("jwt-key"));
        Files.delete(directory.resolve("jwt-key-previous"));
        await().until(() -> get("/api/me", before).statusCode() == 401);
        assertThat(get("/api/me", token("alice")).statusCode()).isEqualTo(200);
    }

    @Test
    void requestsGoOnWhileTheDatabaseUserIsReplacedAndDropped(CapturedOutput output) throws Exception {
        String replaced = currentUser();
        database.admin("create user app_v2 password '" + CANARY + "-v2'", "grant all on orders to app_v2");
        AtomicInteger served = new AtomicInteger();
        List<String> failures = underLoad(served, () -> {
            write("database-url", database.url("app_v2", CANARY + "-v2"));
            await().atMost(Duration.ofSeconds(20)).until(() -> rotation.status().isSafeToDrop(replaced));
            database.admin("drop owned by " + replaced, "drop user " + replaced);
            int then = served.get();
            await().until(() -> served.get() > then + 50);
            return null;
        });

        assertThat(failures).isEmpty();
        assertThat(currentUser()).isEqualTo("app_v2");
        assertThat(output)
                .contains("Secret 'database-url' has a new version"); // so the search for the canary has logs to search
        assertThat(get("/actuator/health/dualkey/database-url", null).body())
                .contains("\"phase\":\"safe-to-drop\"", "\"safeToDrop\":true")
                .doesNotContain(CANARY);
    }

    @Test
    void aWrongPasswordIsHeldOffAndHealthSaysSo(CapturedOutput output) throws Exception {
        String good = Files.readString(directory.resolve("database-url"));
        AtomicInteger served = new AtomicInteger();
        List<String> failures = underLoad(served, () -> {
            write("database-url", database.url(currentUser(), CANARY + "-wrong"));
            await().until(() -> "degraded".equals(health("database-url", "$.details.state")));
            assertThat(health("database-url", "$.status")).isEqualTo("UP");
            assertThat(health("database-url", "$.details.reason")).contains(currentUser());
            write("database-url", good);
            await().until(() -> "healthy".equals(health("database-url", "$.details.state")));
            return null;
        });

        assertThat(failures).isEmpty();
        assertThat(output).contains("Secret 'database-url' is DEGRADED");
    }

    @Test
    void healthIsByNameOfTheSecretAndNotPartOfLiveness() throws Exception {
        String health = get("/actuator/health", null).body();
        assertThat(JsonPath.<String>read(health, "$.status")).isEqualTo("UP");
        assertThat(JsonPath.<Map<String, Object>>read(health, "$.components.dualkey.components"))
                .containsOnlyKeys("sendgrid-api-key", "jwt-key", "database-url");
        assertThat(JsonPath.<Map<String, Object>>read(health, "$.components.db.details"))
                .containsEntry("database", "PostgreSQL");

        assertThat(groups.get("liveness")).matches(group -> !group.isMember("dualkey"));
        assertThat(groups.get("readiness")).matches(group -> !group.isMember("dualkey"));
    }

    @Test
    void endpointShowsMetadataAndDoesNotRefreshUnlessThatIsAllowed() throws Exception {
        String all = get("/actuator/secrets", null).body();
        assertThat(JsonPath.<Map<String, Object>>read(all, "$.secrets"))
                .containsOnlyKeys("sendgrid-api-key", "jwt-key", "database-url");
        String database = get("/actuator/secrets/database-url", null).body();
        assertThat(JsonPath.<String>read(database, "$.state")).isEqualTo("healthy");
        assertThat(JsonPath.<List<Object>>read(database, "$.credentials")).isNotEmpty();
        HttpRequest refresh = HttpRequest.newBuilder(
                        URI.create("http://localhost:" + port + "/actuator/secrets/database-url"))
                .POST(HttpRequest.BodyPublishers.noBody())
                .build();
        assertThat(http.send(refresh, HttpResponse.BodyHandlers.ofString()).statusCode())
                .isIn(404, 405);
    }

    @Test
    void thePoolIsSpringBootsWithItsPropertiesAndMeters() throws Exception {
        assertThat(pool.getMaximumPoolSize()).isBetween(4, 5); // one more while connections are replaced
        String names = get("/actuator/metrics", null).body();
        assertThat(names).contains("hikaricp.connections", "dualkey.secret.healthy", "dualkey.secret.refresh");
        assertThat(get("/actuator/metrics/dualkey.secret.versions?tag=secret:jwt-key", null)
                        .statusCode())
                .isEqualTo(200);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "beans",
                "conditions",
                "configprops",
                "env",
                "env/dualkey.jdbc.secret",
                "health",
                "info",
                "loggers",
                "mappings",
                "metrics",
                "metrics/dualkey.secret.uses",
                "scheduledtasks",
                "threaddump"
            })
    void noEndpointShowsASecret(String endpoint) throws Exception {
        HttpResponse<String> response = get("/actuator/" + endpoint, null);

        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.body()).doesNotContain(CANARY);
    }

    @Test
    void noManagementBeanShowsASecret() throws Exception {
        Map<String, String> shown = new HashMap<>();
        SecuredServiceTest.showManagementBeans(shown);

        assertThat(shown.keySet()).as("the pool's own").anyMatch(name -> name.startsWith("com.zaxxer.hikari:"));
        assertThat(shown).allSatisfy((name, value) -> assertThat(value).as(name).doesNotContain(CANARY));
    }

    /** Sends requests that verify a token and write a row, until the work is done; returns what went wrong with them. */
    private List<String> underLoad(AtomicInteger served, Callable<?> work) throws Exception {
        AtomicBoolean done = new AtomicBoolean();
        String token = token("carol");
        Callable<List<String>> client = () -> {
            List<String> failures = new ArrayList<>();
            while (!done.get()) {
                HttpResponse<String> response = post("/api/orders", token);
                if (response.statusCode() != 200) {
                    failures.add(response.statusCode() + " " + response.body());
                }
                served.incrementAndGet();
            }
            return failures;
        };
        ExecutorService clients = Executors.newFixedThreadPool(6);
        try {
            List<Future<List<String>>> results = List.of(
                    clients.submit(client),
                    clients.submit(client),
                    clients.submit(client),
                    clients.submit(client),
                    clients.submit(client),
                    clients.submit(client));
            try {
                work.call();
            } finally {
                done.set(true);
            }
            List<String> failures = new ArrayList<>();
            for (Future<List<String>> result : results) {
                failures.addAll(result.get());
            }
            return failures;
        } finally {
            clients.shutdownNow();
        }
    }

    private String token(String subject) {
        return JwtSigner.hs256(secrets.secret("jwt-key"), KeyFormat.TEXT)
                .issuer("https://login.example.com")
                .propagation(Duration.ZERO)
                .build()
                .sign(Map.of("sub", subject));
    }

    private String currentUser() {
        return rotation.status().current().orElseThrow().user();
    }

    private String health(String secret, String path) throws Exception {
        return JsonPath.read(get("/actuator/health/dualkey/" + secret, null).body(), path);
    }

    private boolean companionSeen(String name) {
        // While the companion is there, nothing limits how long the previous version is accepted.
        return secrets.secret(name).versions().previous().stream()
                .anyMatch(version -> version.acceptedUntil().isEmpty());
    }

    private void rotate(String name, String value) throws IOException {
        RotatingSecret secret = secrets.secret(name);
        write(name, value);
        await().until(() -> secret.current().revealText().equals(value));
    }

    private static void write(String name, String value) throws IOException {
        Path fresh = Files.writeString(directory.resolve("." + name), value);
        Files.move(fresh, directory.resolve(name), StandardCopyOption.ATOMIC_MOVE);
    }

    private HttpResponse<String> get(String path, @Nullable String token) throws Exception {
        return send(HttpRequest.newBuilder().GET(), path, token);
    }

    private HttpResponse<String> post(String path, String token) throws Exception {
        return send(HttpRequest.newBuilder().POST(HttpRequest.BodyPublishers.noBody()), path, token);
    }

    private HttpResponse<String> send(HttpRequest.Builder request, String path, @Nullable String token)
            throws Exception {
        request.uri(URI.create("http://localhost:" + port + path));
        if (token != null) {
            request.header("Authorization", "Bearer " + token);
        }
        return http.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    /** What a user writes: nothing about secrets. */
    @SpringBootConfiguration
    @EnableAutoConfiguration(
            exclude = {
                JwtDecoderAutoConfiguration.class,
                SecurityAutoConfiguration.class,
                UserDetailsServiceAutoConfiguration.class,
                ServletWebSecurityAutoConfiguration.class,
                SecurityFilterAutoConfiguration.class,
                ManagementWebSecurityAutoConfiguration.class
            })
    @Import({Api.class, Migration.class})
    static class Application {}

    /** Uses the database while beans are still being made, as Flyway and JPA do. */
    static final class Migration {

        Migration(JdbcClient database) {
            database.sql("insert into orders values ('migration')").update();
        }
    }

    /** The service. */
    @RestController
    static class Api {

        private final JdbcClient database;

        Api(JdbcClient database) {
            this.database = database;
        }

        @GetMapping("/public")
        String hello() {
            return "hello";
        }

        @GetMapping("/api/me")
        String me(JwtPrincipal caller, @RequestAttribute(JwtPrincipal.TOKEN_ATTRIBUTE) VerifiedJwt token) {
            return caller.getName() + ", token of " + token.subject().orElseThrow();
        }

        /** Answered by an asynchronous dispatch. */
        @GetMapping("/api/later")
        Callable<String> later(JwtPrincipal caller) {
            return caller::getName;
        }

        @PostMapping("/api/orders")
        long order(JwtPrincipal caller) {
            database.sql("insert into orders values (?)")
                    .param(caller.getName())
                    .update();
            return database.sql("select count(*) from orders").query(Long.class).single();
        }
    }
}
