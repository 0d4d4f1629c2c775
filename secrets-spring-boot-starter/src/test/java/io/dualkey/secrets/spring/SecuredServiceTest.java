package io.dualkey.secrets.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.jayway.jsonpath.JsonPath;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.JWKSet;
import io.dualkey.secrets.InMemoryStore;
import io.dualkey.secrets.RotatingSecret;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.SecretState;
import io.dualkey.secrets.SecretStore;
import io.dualkey.secrets.jwt.JwtSigner;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.management.JMException;
import javax.management.MBeanAttributeInfo;
import javax.management.MBeanOperationInfo;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledForJreRange;
import org.junit.jupiter.api.condition.JRE;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.DataSourceAutoConfiguration;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.context.annotation.Bean;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.core.Authentication;
import org.springframework.security.web.SecurityFilterChain;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/**
 * A service that issues and verifies tokens, with Spring Security, in which everything is turned on that shows an operator
 * something: all endpoints with values, JMX, stack traces in answers, logs in JSON.
 */
@ExtendWith(OutputCaptureExtension.class)
@SpringBootTest(
        webEnvironment = SpringBootTest.WebEnvironment.RANDOM_PORT,
        properties = {
            "dualkey.refresh-interval=100ms",
            "dualkey.secrets[0]=sendgrid-api-key",
            "dualkey.secrets[1].name=payment",
            "dualkey.secrets[1].reference=prod/payment#key",
            "dualkey.jwt.secret=jwt-key",
            "dualkey.jwt.algorithms=RS256",
            "dualkey.jwt.issuer=https://login.example.com",
            "dualkey.jwt.signer.secret=jwt-key",
            "dualkey.jwt.signer.jwk-set-path=/.well-known/jwks.json",
            "spring.jmx.enabled=true",
            "spring.threads.virtual.enabled=true",
            "spring.web.error.include-stacktrace=always",
            "spring.web.error.include-message=always",
            "spring.web.error.include-exception=true",
            "management.endpoints.web.exposure.include=*",
            "management.endpoints.jmx.exposure.include=*",
            "management.endpoint.health.show-details=always",
            "management.endpoint.env.show-values=always",
            "management.endpoint.configprops.show-values=always",
            "management.endpoint.secrets.access=unrestricted",
            "management.endpoint.heapdump.access=none", // a heap has the secrets in it
            "logging.file.name=target/secured-service-test/log.json",
            "logging.structured.format.file=ecs",
            "logging.level.io.dualkey=trace"
        })
class SecuredServiceTest {

    /** Occurs in every secret that is a text. */
    private static final String CANARY = "canary-4711";

    private static final Path LOG = Path.of("target/secured-service-test/log.json");
    private static final RsaPem FIRST = RsaPem.make();
    private static final RsaPem SECOND = RsaPem.make();
    private static final InMemoryStore store = new InMemoryStore();

    static {
        try {
            Files.deleteIfExists(LOG); // of another run
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
        store.put("sendgrid-api-key", CANARY + "-sendgrid");
        store.put("prod/payment", "{\"key\":\"" + CANARY + "-payment\"}");
        store.put("jwt-key", FIRST.privateKey());
    }

    private final HttpClient http = HttpClient.newHttpClient();

    @LocalServerPort
    private int port;

    @Autowired
    private SecretSource secrets;

    @Autowired
    private JwtSigner signer;

    @Test
    void issuesTokensThatItsResourceServerAccepts() throws Exception {
        assertThat(get("/me", token()).body()).isEqualTo("alice");
        assertThat(get("/me", null).statusCode()).isEqualTo(401);
    }

    @Test
    void servesPublicKeysNoLongerThanTheyAreWaitedFor() throws Exception {
        HttpResponse<String> before = get("/.well-known/jwks.json", null);
        assertThat(before.statusCode()).isEqualTo(200);
        assertThat(before.headers().firstValue("Content-Type")).contains("application/jwk-set+json");
        assertThat(before.headers().allValues("Cache-Control"))
                .singleElement()
                .asString()
                .matches("max-age=\\d+, public")
                .satisfies(told -> assertThat(Long.parseLong(told.replaceAll("\\D", "")))
                        .isBetween(
                                1L,
                                secrets.secret("jwt-key")
                                                        .policy()
                                                        .refreshInterval()
                                                        .toSeconds()
                                                * 2
                                        + 60));

        rotate("jwt-key", SECOND.privateKey());
        JWKSet published = JWKSet.parse(get("/.well-known/jwks.json", null).body());
        assertThat(published.getKeys()).hasSize(2).noneMatch(JWK::isPrivate);
        assertThat(get("/me", token()).body()).isEqualTo("alice");
        assertNothingShown(Map.of("/.well-known/jwks.json", published.toString(false)));
    }

    @Test
    void aRotationCanBeFollowedInTheJsonLog() throws Exception {
        String first = secrets.secret("sendgrid-api-key")
                .versions()
                .current()
                .orElseThrow()
                .id();
        String second = rotate("sendgrid-api-key", CANARY + "-sendgrid-2");
        store.disable("sendgrid-api-key", first);

        await().untilAsserted(() -> assertThat(events("sendgrid-api-key"))
                .containsSubsequence(
                        Map.of("event", "version-seen", "secret", "sendgrid-api-key", "version", second),
                        Map.of(
                                "event",
                                "version-current",
                                "secret",
                                "sendgrid-api-key",
                                "version",
                                second,
                                "previous",
                                first),
                        Map.of("event", "version-ended", "secret", "sendgrid-api-key", "version", first)));
    }

    @Test
    void showsNoSecretWhateverAnOperatorLooksAt(CapturedOutput output) throws Exception {
        RotatingSecret jwt = secrets.secret("jwt-key");
        String good = jwt.current().revealText();
        String token = token();
        String forged = token.substring(0, token.length() - 6) + "AAAAAA";
        Map<String, String> shown = new LinkedHashMap<>();

        store.put("jwt-key", CANARY + " is no key");
        store.put("prod/payment", "{\"" + CANARY + "\"");
        await().until(() -> jwt.status().state() == SecretState.DEGRADED
                && secrets.secret("prod/payment").status().state() == SecretState.DEGRADED);
        for (String path : List.of("/me", "/absent", "/broken", "/unknown")) {
            for (String bearer : Arrays.asList(token, forged, CANARY + "." + CANARY + "." + CANARY, null)) {
                HttpResponse<String> answer = get(path, bearer);
                shown.put(path + " " + bearer, answer.headers().map() + answer.body());
            }
        }
        assertThat(shown.get("/absent " + token))
                .as("a stack trace")
                .contains("SecretUnavailableException", "at io.dualkey.secrets.Node.current");
        assertThat(shown.get("/broken " + token)).as("a stack trace").contains("$Service.broken(");
        showEndpoints(shown);
        showManagementBeans(shown);
        store.put("jwt-key", good);
        store.put("prod/payment", "{\"key\":\"" + CANARY + "-payment-2\"}");
        await().until(() -> jwt.status().state() == SecretState.HEALTHY);
        showEndpoints(shown);

        shown.put("log", output.getAll());
        shown.put("JSON log", Files.readString(LOG));
        assertThat(shown.get("log")).contains("Secret 'jwt-key' is DEGRADED").doesNotContain(token, forged);
        assertNothingShown(shown);
    }

    @Test
    void anOperatorCanRefreshWhereThatIsAllowed() throws Exception {
        HttpRequest refresh = HttpRequest.newBuilder(uri("/actuator/secrets/payment")) // by its alias
                .POST(HttpRequest.BodyPublishers.noBody())
                .build();
        HttpResponse<String> answer = http.send(refresh, HttpResponse.BodyHandlers.ofString());
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(JsonPath.<String>read(answer.body(), "$.result")).isIn("unchanged", "changed");
    }

    @Test
    @EnabledForJreRange(min = JRE.JAVA_21)
    void requestsAreServedOnVirtualThreads() throws Exception {
        assertThat(get("/thread", token()).body()).startsWith("VirtualThread[");
    }

    private String token() {
        return signer.sign(Map.of("sub", "alice"));
    }

    private String rotate(String name, String value) {
        String id = store.put(name, value);
        await().until(() -> secrets.secret(name).current().revealText().equals(value));
        return id;
    }

    /** The steps that the log tells of a secret, without the names that all of them have in common. */
    private static List<Map<String, String>> events(String secret) throws Exception {
        return Files.readAllLines(LOG).stream()
                .map(line -> JsonPath.<Map<String, Object>>read(line, "$"))
                .filter(entry -> entry.get("dualkey") instanceof Map<?, ?> pairs && secret.equals(pairs.get("secret")))
                .map(entry -> JsonPath.<Map<String, String>>read(entry, "$.dualkey"))
                .toList();
    }

    /** Whatever the actuator links to, with a value of each secret's name where a name is wanted. */
    private void showEndpoints(Map<String, String> shown) throws Exception {
        Map<String, Map<String, Object>> links =
                JsonPath.read(get("/actuator", null).body(), "$._links");
        assertThat(links).containsKeys("env", "configprops", "secrets", "health", "beans", "threaddump");
        for (Map<String, Object> link : links.values()) {
            String path = URI.create(String.valueOf(link.get("href"))
                            .replaceAll("\\{\\*[a-z]+}", "dualkey/jwt-key")
                            .replaceAll("\\{(prefix|toMatch)}", "dualkey.secrets[0]")
                            .replaceAll("\\{[A-Za-z]+}", "jwt-key")
                            .replace("[", "%5B")
                            .replace("]", "%5D"))
                    .getRawPath();
            shown.put(path, get(path, null).body());
        }
    }

    /** All attributes of all beans, and what the operations of endpoints that need no argument return. */
    static void showManagementBeans(Map<String, String> shown) throws Exception {
        MBeanServer beans = ManagementFactory.getPlatformMBeanServer();
        int endpoints = 0;
        for (ObjectName name : beans.queryNames(null, null)) {
            for (MBeanAttributeInfo attribute : beans.getMBeanInfo(name).getAttributes()) {
                if (attribute.isReadable()) {
                    shown.put(name + " " + attribute.getName(), read(beans, name, attribute.getName()));
                }
            }
            if ("Endpoint".equals(name.getKeyProperty("type"))) {
                for (MBeanOperationInfo operation : beans.getMBeanInfo(name).getOperations()) {
                    if (operation.getSignature().length == 0) {
                        endpoints++;
                        Object result = beans.invoke(name, operation.getName(), new Object[0], new String[0]);
                        shown.put(name + " " + operation.getName() + "()", String.valueOf(result));
                    }
                }
            }
        }
        assertThat(endpoints).isGreaterThan(5);
    }

    private static String read(MBeanServer beans, ObjectName name, String attribute) {
        try {
            Object value = beans.getAttribute(name, attribute);
            return value instanceof Object[] several ? Arrays.deepToString(several) : String.valueOf(value);
        } catch (JMException | RuntimeException notReadableHere) {
            return String.valueOf(notReadableHere);
        }
    }

    private static void assertNothingShown(Map<String, String> shown) {
        assertThat(shown).allSatisfy((where, what) -> {
            String own = what.replace(CANARY + "." + CANARY + "." + CANARY, ""); // what a caller sent is no secret
            assertThat(own).as(where).doesNotContain(CANARY);
            assertThat(own).as(where).doesNotContain(FIRST.fragments()).doesNotContain(SECOND.fragments());
        });
    }

    private HttpResponse<String> get(String path, @Nullable String token) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(uri(path));
        if (token != null) {
            request.header("Authorization", "Bearer " + token);
        }
        return http.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    private URI uri(String path) {
        return URI.create("http://127.0.0.1:" + port + path);
    }

    /** What a user writes. */
    @SpringBootConfiguration
    @EnableAutoConfiguration(exclude = DataSourceAutoConfiguration.class)
    @RestController
    static class Service {

        private final SecretSource secrets;

        Service(SecretSource secrets) {
            this.secrets = secrets;
        }

        @Bean
        static SecretStore store() {
            return store;
        }

        @Bean
        static SecurityFilterChain chain(HttpSecurity http) throws Exception {
            return http.csrf(csrf -> csrf.disable())
                    .authorizeHttpRequests(
                            requests -> requests.requestMatchers("/.well-known/**", "/actuator/**", "/error")
                                    .permitAll()
                                    .anyRequest()
                                    .authenticated())
                    .oauth2ResourceServer(server -> server.jwt(jwt -> {}))
                    .build();
        }

        @GetMapping("/me")
        String me(Authentication who) {
            return who.getName();
        }

        @GetMapping("/thread")
        String thread() {
            return Thread.currentThread().toString();
        }

        @GetMapping("/absent")
        String absent() {
            return secrets.secret("absent").current().revealText();
        }

        @GetMapping("/broken")
        String broken(@Nullable Authentication who) {
            throw new IllegalStateException("asked for " + secrets.secret("sendgrid-api-key") + " and "
                    + secrets.secret("jwt-key").current() + " by " + (who == null ? "nobody" : who.getName()));
        }
    }
}
