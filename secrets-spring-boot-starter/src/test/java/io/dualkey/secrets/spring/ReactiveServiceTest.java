package io.dualkey.secrets.spring;

import static org.assertj.core.api.Assertions.assertThat;

import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSObject;
import com.nimbusds.jose.Payload;
import com.nimbusds.jose.crypto.RSASSASigner;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.JWKSet;
import io.dualkey.secrets.InMemoryStore;
import io.dualkey.secrets.Outcome;
import io.dualkey.secrets.RefreshCause;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.SecretStore;
import io.dualkey.secrets.StoreQuery;
import io.dualkey.secrets.StoreResult;
import io.dualkey.secrets.jwt.JwtSigner;
import io.dualkey.secrets.jwt.JwtVerifier;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.DataSourceAutoConfiguration;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.context.annotation.Bean;
import org.springframework.security.config.Customizer;
import org.springframework.security.config.web.server.ServerHttpSecurity;
import org.springframework.security.core.Authentication;
import org.springframework.security.oauth2.core.OAuth2Error;
import org.springframework.security.oauth2.core.OAuth2TokenValidator;
import org.springframework.security.oauth2.core.OAuth2TokenValidatorResult;
import org.springframework.security.oauth2.jwt.Jwt;
import org.springframework.security.web.server.SecurityWebFilterChain;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Mono;

/** A reactive resource server on real HTTP, which has one thread for all its requests: whoever waits on it stops them all. */
@SpringBootTest(
        webEnvironment = SpringBootTest.WebEnvironment.RANDOM_PORT,
        properties = {
            "spring.main.web-application-type=reactive",
            "server.tomcat.threads.max=1",
            "server.tomcat.threads.min-spare=1",
            "dualkey.jwt.algorithms=RS256",
            "dualkey.jwt.issuer=https://login.example.com",
            "dualkey.jwt.signer.secret=jwt-key",
            "dualkey.jwt.signer.jwk-set-path=/keys"
        })
class ReactiveServiceTest {

    private static final RsaPem FIRST = RsaPem.make();
    private static final RsaPem SECOND = RsaPem.make();
    private static final HangingStore store = new HangingStore();

    static {
        store.secrets.put("jwt-key", FIRST.privateKey());
    }

    private final HttpClient http = HttpClient.newHttpClient();

    @LocalServerPort
    private int port;

    @Autowired
    private SecretSource secrets;

    @Autowired
    private JwtSigner signer;

    @Test
    void acceptsGoodTokensAndAnswersOthersAsSpringDoes() throws Exception {
        assertThat(get("/me", token("alice")).body()).isEqualTo("alice");
        HttpResponse<String> without = get("/me", null);
        assertThat(without.statusCode()).isEqualTo(401);
        assertThat(challenge(without)).isEqualTo("Bearer");
        HttpResponse<String> refused = get("/me", token("mallory"));
        assertThat(refused.statusCode()).isEqualTo(401);
        assertThat(challenge(refused)).contains("invalid_token", "not on the list");
        HttpResponse<String> garbage = get("/me", "a.b.c");
        assertThat(garbage.statusCode()).isEqualTo(401);
        assertThat(challenge(garbage)).contains("invalid_token", "The token was refused");
    }

    @Test
    void aTokenThatMakesItAskAStoreThatHangsKeepsNobodyWaiting() throws Exception {
        store.answers = new CountDownLatch(1);
        try {
            CompletableFuture<HttpResponse<String>> forged =
                    http.sendAsync(request("/me", ofAnUnknownKey()), HttpResponse.BodyHandlers.ofString());
            assertThat(store.asked.await(10, TimeUnit.SECONDS)).isTrue();

            for (int i = 0; i < 3; i++) {
                assertThat(get("/me", token("alice")).body()).isEqualTo("alice");
            }
            assertThat(forged).as("it waits for the store meanwhile").isNotDone();
            store.answers.countDown();
            assertThat(forged.get(10, TimeUnit.SECONDS).statusCode()).isEqualTo(401);
        } finally {
            store.answers.countDown();
        }
    }

    @Test
    void servesPublicKeysAlsoHereAndFollowsARotation() throws Exception {
        String before = token("alice");
        store.secrets.put("jwt-key", SECOND.privateKey());
        refresh();

        HttpResponse<String> keys = get("/keys", null);
        assertThat(keys.headers().firstValue("Content-Type")).contains("application/jwk-set+json");
        assertThat(keys.headers().allValues("Cache-Control"))
                .singleElement()
                .asString()
                .matches("max-age=\\d+, public");
        assertThat(JWKSet.parse(keys.body()).getKeys()).hasSize(2).noneMatch(JWK::isPrivate);
        assertThat(keys.body()).doesNotContain(FIRST.fragments()).doesNotContain(SECOND.fragments());
        assertThat(get("/me", before).body()).isEqualTo("alice");
        assertThat(get("/me", token("bob")).body()).isEqualTo("bob");
    }

    @Test
    void noKeyAtAllIsAnErrorOfTheServiceAndNoWordAboutTheToken() throws Exception {
        String token = token("alice");
        store.secrets.failWith(Outcome.DISABLED);
        try {
            refresh();
            assertThat(get("/me", token).statusCode()).isEqualTo(500);
            HttpResponse<String> keys = get("/keys", null);
            assertThat(keys.statusCode()).isEqualTo(503);
            assertThat(keys.headers().firstValue("Cache-Control")).contains("no-store");
        } finally {
            store.secrets.recover();
            refresh();
        }
        assertThat(get("/me", token).body()).isEqualTo("alice");
    }

    private void refresh() {
        assertThat(secrets.secret("jwt-key").refresh(RefreshCause.OPERATOR)).succeedsWithin(Duration.ofSeconds(10));
    }

    private String token(String subject) {
        return signer.sign(Map.of("sub", subject));
    }

    /** Good in all that can be judged without its key, which might be new. */
    private static String ofAnUnknownKey() throws Exception {
        JWSObject token = new JWSObject(
                new JWSHeader(JWSAlgorithm.RS256),
                new Payload(Map.of(
                        "sub", "alice",
                        "iss", "https://login.example.com",
                        "exp", Instant.now().plusSeconds(300).getEpochSecond())));
        token.sign(new RSASSASigner(RsaPem.make().keys().getPrivate()));
        return token.serialize();
    }

    private static String challenge(HttpResponse<?> response) {
        return response.headers().firstValue("WWW-Authenticate").orElse("");
    }

    private HttpResponse<String> get(String path, @Nullable String token) throws Exception {
        return http.send(request(path, token), HttpResponse.BodyHandlers.ofString());
    }

    private HttpRequest request(String path, @Nullable String token) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                .timeout(Duration.ofSeconds(10));
        if (token != null) {
            request.header("Authorization", "Bearer " + token);
        }
        return request.build();
    }

    /** A store that answers when it is let. */
    private static final class HangingStore implements SecretStore {

        final InMemoryStore secrets = new InMemoryStore();
        final CountDownLatch asked = new CountDownLatch(1);
        volatile CountDownLatch answers = new CountDownLatch(0);

        @Override
        public String description() {
            return secrets.description();
        }

        @Override
        public List<StoreResult> read(List<StoreQuery> queries) throws InterruptedException {
            CountDownLatch latch = answers;
            if (latch.getCount() > 0) {
                asked.countDown();
                latch.await();
            }
            return secrets.read(queries);
        }
    }

    /** What a user writes. */
    @SpringBootConfiguration
    @EnableAutoConfiguration(exclude = DataSourceAutoConfiguration.class)
    @RestController
    static class Service {

        @Bean
        static SecretStore store() {
            return store;
        }

        /** Waits so long that a thread which does so too would be noticed. */
        @Bean
        static JwtVerifier patientVerifier(SecretSource secrets) {
            return JwtVerifier.rs256(secrets.secret("jwt-key"))
                    .issuer("https://login.example.com")
                    .refreshWait(Duration.ofMinutes(1))
                    .build();
        }

        @Bean
        static SecurityWebFilterChain chain(ServerHttpSecurity http) {
            return http.authorizeExchange(exchanges -> exchanges
                            .pathMatchers("/keys")
                            .permitAll()
                            .anyExchange()
                            .authenticated())
                    .oauth2ResourceServer(server -> server.jwt(Customizer.withDefaults()))
                    .build();
        }

        @Bean
        static OAuth2TokenValidator<Jwt> knownUsers() {
            return jwt -> "mallory".equals(jwt.getSubject())
                    ? OAuth2TokenValidatorResult.failure(new OAuth2Error("invalid_token", "not on the list", null))
                    : OAuth2TokenValidatorResult.success();
        }

        @GetMapping("/me")
        Mono<String> me(Authentication who) {
            return Mono.just(who.getName());
        }
    }
}
