package io.dualkey.secrets.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSObject;
import com.nimbusds.jose.Payload;
import com.nimbusds.jose.crypto.MACSigner;
import io.dualkey.secrets.InMemoryStore;
import io.dualkey.secrets.Outcome;
import io.dualkey.secrets.RefreshCause;
import io.dualkey.secrets.RotatingSecret;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.SecretStore;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.DataSourceAutoConfiguration;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.support.GenericApplicationContext;
import org.springframework.security.core.Authentication;
import org.springframework.security.oauth2.core.OAuth2Error;
import org.springframework.security.oauth2.core.OAuth2TokenValidator;
import org.springframework.security.oauth2.core.OAuth2TokenValidatorResult;
import org.springframework.security.oauth2.jwt.BadJwtException;
import org.springframework.security.oauth2.jwt.Jwt;
import org.springframework.security.oauth2.jwt.JwtDecoder;
import org.springframework.security.oauth2.jwt.JwtException;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** A resource server of Spring Security, on real HTTP, whose key rotates. */
class ResourceServerTest {

    private static final String FIRST = "canary-first-key-of-at-least-32-bytes";
    private static final String SECOND = "canary-second-key-of-at-least-32-bytes";

    private final InMemoryStore store = new InMemoryStore();
    private final HttpClient http = HttpClient.newHttpClient();
    private @Nullable ConfigurableApplicationContext running;

    @AfterEach
    void stop() {
        if (running != null) {
            running.close();
        }
    }

    private ConfigurableApplicationContext run(String... more) {
        SpringApplication application = new SpringApplication(Service.class);
        application.addInitializers(
                context -> ((GenericApplicationContext) context).registerBean("store", SecretStore.class, () -> store));
        running = application.run(Stream.concat(
                        Stream.of(
                                "dualkey.secrets[0].name=signing-key",
                                "dualkey.secrets[0].reference=jwt-key",
                                "dualkey.jwt.secret=signing-key", // by its alias
                                "dualkey.jwt.algorithms=HS256",
                                "dualkey.jwt.key-format=text",
                                "dualkey.jwt.issuer=https://login.example.com",
                                "server.port=0",
                                "spring.main.banner-mode=off"),
                        Stream.of(more))
                .map(property -> "--" + property)
                .toArray(String[]::new));
        return running;
    }

    private HttpResponse<String> get(ConfigurableApplicationContext context, @Nullable String token) throws Exception {
        String port = context.getEnvironment().getProperty("local.server.port");
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/me"));
        if (token != null) {
            request.header("Authorization", "Bearer " + token);
        }
        return http.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    private static String token(String key, Map<String, ?> more) throws Exception {
        Map<String, Object> claims = new HashMap<>(Map.of(
                "sub",
                "alice",
                "iss",
                "https://login.example.com",
                "iat",
                Instant.now().getEpochSecond(),
                "exp",
                Instant.now().plusSeconds(300).getEpochSecond()));
        claims.putAll(more);
        JWSObject token = new JWSObject(new JWSHeader(JWSAlgorithm.HS256), new Payload(claims));
        token.sign(new MACSigner(key));
        return token.serialize();
    }

    private static String challenge(HttpResponse<?> response) {
        return response.headers().firstValue("WWW-Authenticate").orElse("");
    }

    @Test
    void passesSpringsAuthoritiesAndAnswersBadTokensAsSpringDoes() throws Exception {
        store.put("jwt-key", FIRST);
        ConfigurableApplicationContext context = run();

        assertThat(get(context, token(FIRST, Map.of("scope", "read write"))).body())
                .isEqualTo("alice [SCOPE_read, SCOPE_write]");
        assertThat(get(context, null).statusCode()).isEqualTo(401);
        HttpResponse<String> forged = get(context, token(SECOND, Map.of()));
        assertThat(forged.statusCode()).isEqualTo(401);
        assertThat(challenge(forged))
                .contains("invalid_token", "The token was refused")
                .doesNotContain("canary");
        HttpResponse<String> expired = get(context, token(FIRST, Map.of("exp", 1000)));
        assertThat(challenge(expired)).contains("invalid_token");
        assertThat(get(
                                context,
                                token(
                                        FIRST,
                                        Map.of(
                                                "iat",
                                                Instant.now().plusSeconds(20).getEpochSecond(),
                                                "exp",
                                                Instant.now().plusSeconds(20).getEpochSecond())))
                        .statusCode())
                .as("iat not before exp")
                .isEqualTo(401);
    }

    @Test
    void acceptsThePreviousKeyUntilItIsDisabled() throws Exception {
        String before = store.put("jwt-key", FIRST);
        ConfigurableApplicationContext context = run();
        String old = token(FIRST, Map.of());
        assertThat(get(context, old).statusCode()).isEqualTo(200);

        RotatingSecret secret = context.getBean(SecretSource.class).secret("jwt-key");
        store.put("jwt-key", SECOND);
        assertThat(secret.refresh(RefreshCause.OPERATOR)).succeedsWithin(Duration.ofSeconds(10));
        assertThat(get(context, old).statusCode()).isEqualTo(200);
        assertThat(get(context, token(SECOND, Map.of())).statusCode()).isEqualTo(200);

        store.disable("jwt-key", before);
        assertThat(secret.refresh(RefreshCause.OPERATOR)).succeedsWithin(Duration.ofSeconds(10));
        assertThat(get(context, old).statusCode()).isEqualTo(401);
    }

    @Test
    void asksValidatorsThatAreBeans() throws Exception {
        store.put("jwt-key", FIRST);
        ConfigurableApplicationContext context = run();
        HttpResponse<String> refused = get(context, token(FIRST, Map.of("sub", "mallory")));
        assertThat(refused.statusCode()).isEqualTo(401);
        assertThat(challenge(refused)).contains("not on the list");
    }

    @Test
    void noKeyAtAllIsAnErrorOfTheServiceAndNoWordAboutTheToken() throws Exception {
        store.put("jwt-key", FIRST);
        ConfigurableApplicationContext context = run();
        store.failWith(Outcome.DISABLED);
        assertThat(context.getBean(SecretSource.class).secret("jwt-key").refresh(RefreshCause.OPERATOR))
                .succeedsWithin(Duration.ofSeconds(10));
        String token = token(FIRST, Map.of());
        JwtDecoder decoder = context.getBean(JwtDecoder.class);
        assertThatThrownBy(() -> decoder.decode(token))
                .isInstanceOf(JwtException.class)
                .isNotInstanceOf(BadJwtException.class)
                .hasMessage("There is no key to judge tokens with");
        assertThat(get(context, token).body()).doesNotContain("canary");
    }

    @Test
    void refusesTwoSourcesOfKeys() {
        store.put("jwt-key", FIRST);
        assertThatThrownBy(() -> run("spring.security.oauth2.resourceserver.jwt.issuer-uri=https://login.example.com"))
                .hasRootCauseInstanceOf(MisconfigurationException.class);
    }

    @SpringBootConfiguration
    @EnableAutoConfiguration(exclude = DataSourceAutoConfiguration.class)
    @RestController
    static class Service {

        @GetMapping("/me")
        String me(Authentication who) {
            return who.getName() + " "
                    + who.getAuthorities().stream()
                            .map(Object::toString)
                            .filter(name -> name.startsWith("SCOPE_"))
                            .sorted()
                            .toList();
        }

        @Bean
        OAuth2TokenValidator<Jwt> knownUsers() {
            return jwt -> "mallory".equals(jwt.getSubject())
                    ? OAuth2TokenValidatorResult.failure(new OAuth2Error("invalid_token", "not on the list", null))
                    : OAuth2TokenValidatorResult.success();
        }
    }
}
