package io.dualkey.secrets.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.dualkey.secrets.InMemoryStore;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.SecretStartupException;
import io.dualkey.secrets.SecretStore;
import io.dualkey.secrets.jwt.JwtSigner;
import io.dualkey.secrets.jwt.JwtVerifier;
import io.dualkey.secrets.jwt.KeyFormat;
import io.dualkey.secrets.jwt.VerifiedJwt;
import jakarta.servlet.DispatcherType;
import jakarta.servlet.Filter;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.AbstractThrowableAssert;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.AbstractApplicationContextRunner;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.context.runner.ReactiveWebApplicationContextRunner;
import org.springframework.boot.test.context.runner.WebApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.boot.web.servlet.FilterRegistrationBean;
import org.springframework.security.oauth2.jwt.JwtDecoder;

@ExtendWith(OutputCaptureExtension.class)
class JwtAutoConfigurationTest {

    private static final AutoConfigurations CONFIGURATIONS = AutoConfigurations.of(
            SecretsAutoConfiguration.class,
            JwtVerifierAutoConfiguration.class,
            JwtFilterAutoConfiguration.class,
            JwtSignerAutoConfiguration.class,
            JwkSetAutoConfiguration.class);

    private static final String[] HS256 = {
        "dualkey.jwt.secret=jwt", "dualkey.jwt.algorithms=HS256", "dualkey.jwt.key-format=text"
    };

    private final InMemoryStore store = new InMemoryStore();

    private final ApplicationContextRunner runner =
            new ApplicationContextRunner().withConfiguration(CONFIGURATIONS).withBean(SecretStore.class, () -> store);

    private final WebApplicationContextRunner web = new WebApplicationContextRunner()
            .withConfiguration(CONFIGURATIONS)
            .withBean(SecretStore.class, () -> store);

    @BeforeEach
    void put() {
        store.put("jwt", "a-key-for-tests-of-at-least-32-bytes");
    }

    @Test
    void verifiesHs256AsConfigured() {
        runner.withPropertyValues(HS256)
                .withPropertyValues(
                        "dualkey.jwt.issuer=https://login.example.com",
                        "dualkey.jwt.audiences=web,mobile",
                        "dualkey.jwt.clock-skew=0s")
                .run(context -> {
                    JwtVerifier verifier = context.getBean(JwtVerifier.class);
                    JwtSigner.Builder signer =
                            JwtSigner.hs256(context.getBean(SecretSource.class).secret("jwt"), KeyFormat.TEXT);
                    String good = signer.issuer("https://login.example.com")
                            .build()
                            .sign(Map.of("sub", "alice", "aud", "mobile"));
                    String bad = signer.issuer("https://other.example.com")
                            .build()
                            .sign(Map.of("sub", "alice", "aud", "mobile"));
                    assertThat(verifier.verify(good).subject()).contains("alice");
                    assertThat(verifier.check(bad).toString()).contains("WRONG_ISSUER");
                });
    }

    @Test
    void verifiesRs256AsConfigured() throws Exception {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
        generator.initialize(2048);
        KeyPair keys = generator.generateKeyPair();
        store.put("public-key", pem("PUBLIC KEY", keys.getPublic().getEncoded()));
        store.put("private-key", pem("PRIVATE KEY", keys.getPrivate().getEncoded()));
        runner.withPropertyValues("dualkey.jwt.secret=public-key", "dualkey.jwt.algorithms=RS256")
                .run(context -> {
                    SecretSource source = context.getBean(SecretSource.class);
                    JwtSigner signer =
                            JwtSigner.rs256(source.secret("private-key")).build();
                    source.start(Duration.ofSeconds(10));
                    assertThat(context.getBean(JwtVerifier.class)
                                    .verify(signer.sign(Map.of("sub", "alice")))
                                    .subject())
                            .contains("alice");
                });
    }

    private static String pem(String heading, byte[] encoded) {
        return "-----BEGIN " + heading + "-----\n"
                + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(encoded) + "\n-----END " + heading
                + "-----\n";
    }

    @Test
    void doesNothingWithoutTheProperty() {
        web.run(context -> assertThat(context)
                .hasNotFailed()
                .doesNotHaveBean(JwtVerifier.class)
                .doesNotHaveBean(FilterRegistrationBean.class));
    }

    @Test
    void anApplicationsOwnVerifierWins() {
        SecretSource source = SecretSource.from(store);
        JwtVerifier mine =
                JwtVerifier.hs256(source.secret("jwt"), KeyFormat.TEXT).build();
        web.withBean(JwtVerifier.class, () -> mine)
                .withPropertyValues("dualkey.jwt.filter.enabled=true")
                .run(context -> {
                    assertThat(context.getBean(JwtVerifier.class)).isSameAs(mine);
                    assertThat(context).hasSingleBean(FilterRegistrationBean.class);
                });
    }

    @Test
    void theFilterIsOffUnlessAskedFor() {
        web.withPropertyValues(HS256)
                .run(context -> assertThat(context)
                        .hasSingleBean(JwtVerifier.class)
                        .doesNotHaveBean(FilterRegistrationBean.class));
    }

    @Test
    void theFilterIsRegisteredAndIsNoBeanItself() {
        web.withPropertyValues(HS256)
                .withPropertyValues(
                        "dualkey.jwt.filter.enabled=true", "dualkey.jwt.filter.url-patterns=/api/*,/admin/*")
                .run(context -> {
                    assertThat(context).doesNotHaveBean(Filter.class);
                    FilterRegistrationBean<?> registration = context.getBean(FilterRegistrationBean.class);
                    assertThat(registration.getUrlPatterns()).containsExactlyInAnyOrder("/api/*", "/admin/*");
                    assertThat(registration.determineDispatcherTypes())
                            .containsExactly(DispatcherType.REQUEST, DispatcherType.ASYNC);
                    assertThat(registration.getOrder()).isEqualTo(JwtFilterAutoConfiguration.ORDER);
                });
    }

    @Test
    void theFilterProtectsEverythingByDefault() {
        web.withPropertyValues(HS256)
                .withPropertyValues("dualkey.jwt.filter.enabled=true")
                .run(context -> {
                    FilterRegistrationBean<?> registration = context.getBean(FilterRegistrationBean.class);
                    assertThat(registration.getUrlPatterns()).containsExactly("/*");
                });
    }

    @Test
    void aFilterThatCannotWorkDoesNotLeaveTheServiceOpen() {
        misconfigured(web.withPropertyValues("dualkey.jwt.filter.enabled=true"))
                .hasMessageContaining("there is no JwtVerifier");
        misconfigured(web.withPropertyValues("dualkey.jwt.filter.enabled=true")
                        .withClassLoader(new FilteredClassLoader("io.dualkey.secrets.jwt")))
                .hasMessageContaining("io.dualkey:secrets-jwt is not on the class path");
        misconfigured(web.withPropertyValues(HS256)
                        .withPropertyValues("dualkey.jwt.filter.enabled=true")
                        .withClassLoader(new FilteredClassLoader(Filter.class)))
                .hasMessageContaining("jakarta.servlet-api is not on the class path");
    }

    @Test
    void aFilterThatNothingWouldCallDoesNotLeaveTheServiceOpen() {
        ReactiveWebApplicationContextRunner reactive = new ReactiveWebApplicationContextRunner()
                .withConfiguration(CONFIGURATIONS)
                .withBean(SecretStore.class, () -> store);
        for (AbstractApplicationContextRunner<?, ?, ?> application : List.of(
                runner.withPropertyValues(HS256).withPropertyValues("dualkey.jwt.filter.enabled=true"),
                reactive.withPropertyValues(HS256).withPropertyValues("dualkey.jwt.filter.enabled=true"),
                reactive.withPropertyValues(HS256)
                        .withPropertyValues("dualkey.jwt.filter.enabled=true")
                        .withClassLoader(
                                new FilteredClassLoader("jakarta.servlet", "org.springframework.boot.web.servlet")))) {
            misconfigured(application)
                    .hasMessageContaining("dualkey.jwt.filter.enabled is true, but this is no servlet web application");
        }
        reactive.withPropertyValues(HS256)
                .withPropertyValues("dualkey.jwt.filter.enabled=false")
                .run(context -> assertThat(context).hasSingleBean(JwtVerifier.class));
    }

    @Test
    void warnsWhereTheFilterCoversActuatorEndpoints(CapturedOutput output) {
        WebApplicationContextRunner filtered =
                web.withPropertyValues(HS256).withPropertyValues("dualkey.jwt.filter.enabled=true");
        String warning = "The JWT filter covers every request";

        filtered.withPropertyValues("dualkey.jwt.filter.url-patterns=/api/*")
                .run(context -> assertThat(context).hasNotFailed());
        filtered.withPropertyValues("management.server.port=9090")
                .run(context -> assertThat(context).hasNotFailed());
        filtered.withPropertyValues("management.server.port=-1")
                .run(context -> assertThat(context).hasNotFailed());
        filtered.withClassLoader(new FilteredClassLoader("org.springframework.boot.actuate"))
                .run(context -> assertThat(context).hasSingleBean(FilterRegistrationBean.class));
        assertThat(output).doesNotContain(warning);

        filtered.run(context -> assertThat(context).hasNotFailed());
        assertThat(output).containsOnlyOnce(warning);
    }

    @Test
    void worksWithoutServlets() {
        runner.withPropertyValues(HS256)
                .withClassLoader(new FilteredClassLoader("jakarta.servlet"))
                .run(context -> assertThat(context).hasSingleBean(JwtVerifier.class));
    }

    @Test
    void worksWithoutJwtWhereNobodyAsksForIt() {
        runner.withClassLoader(new FilteredClassLoader("io.dualkey.secrets.jwt", "com.nimbusds"))
                .run(context -> assertThat(context)
                        .hasNotFailed()
                        .hasSingleBean(SecretSource.class)
                        .doesNotHaveBean("jwtVerifier"));
        misconfigured(runner.withPropertyValues(HS256)
                        .withClassLoader(new FilteredClassLoader("io.dualkey.secrets.jwt")))
                .hasMessageContaining("dualkey.jwt.secret is set, but io.dualkey:secrets-jwt is not on the class path");
    }

    @Test
    void verifiesOtherAlgorithmsAsConfigured() throws Exception {
        KeyPair keys = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
        store.put("public-key", pem("PUBLIC KEY", keys.getPublic().getEncoded()));
        runner.withPropertyValues(
                        "dualkey.jwt.secret=public-key",
                        "dualkey.jwt.algorithms=ES256,EdDSA",
                        "dualkey.jwt.key-format=pem")
                .run(context -> assertThat(context.getBean(JwtVerifier.class))
                        .hasToString("JwtVerifier[ES256, EdDSA, public-key]"));
    }

    @Test
    void saysWhatIsMissingOrContradictory() {
        misconfigured(runner.withPropertyValues("dualkey.jwt.secret=jwt"))
                .hasMessageContaining("dualkey.jwt.algorithms is missing");
        misconfigured(runner.withPropertyValues("dualkey.jwt.secret=jwt", "dualkey.jwt.algorithms=HS256,RS256"))
                .hasMessageContaining("dualkey.jwt.key-format is missing");
        misconfigured(runner.withPropertyValues(
                        "dualkey.jwt.secret=jwt", "dualkey.jwt.algorithms=HS256,RS256", "dualkey.jwt.key-format=jwk"))
                .hasMessageContaining("must not be accepted together");
        misconfigured(runner.withPropertyValues("dualkey.jwt.secret=jwt", "dualkey.jwt.algorithms=HS256"))
                .hasMessageContaining("dualkey.jwt.key-format is missing");
        misconfigured(runner.withPropertyValues(
                        "dualkey.jwt.secret=jwt", "dualkey.jwt.algorithms=RS256", "dualkey.jwt.key-format=base64"))
                .hasMessageContaining("is one for HMAC");
        misconfigured(runner.withPropertyValues(HS256).withPropertyValues("dualkey.jwt.clock-skew=2h"))
                .hasMessageContaining("clockSkew");
        misconfigured(runner.withPropertyValues(HS256).withPropertyValues("dualkey.jwt.issuer= "))
                .hasMessageContaining("issuer");
    }

    @Test
    void startupNamesAKeyThatIsTooShortBesideASecretThatIsAbsent() {
        store.put("short", "canary-4711");
        runner.withPropertyValues(
                        "dualkey.jwt.secret=short",
                        "dualkey.jwt.algorithms=HS256",
                        "dualkey.jwt.key-format=text",
                        "dualkey.secrets=absent")
                .run(context -> assertThat(context)
                        .getFailure()
                        .rootCause()
                        .isInstanceOf(SecretStartupException.class)
                        .hasMessageContaining("'short'")
                        .hasMessageContaining("'absent'")
                        .hasMessageNotContaining("canary-4711"));
    }

    @Test
    void signsAsConfiguredAndOnlyIfAsked() {
        runner.withPropertyValues(HS256).run(context -> assertThat(context).doesNotHaveBean(JwtSigner.class));
        runner.withPropertyValues(HS256)
                .withPropertyValues(
                        "dualkey.jwt.issuer=https://login.example.com",
                        "dualkey.jwt.signer.secret=jwt",
                        "dualkey.jwt.signer.ttl=2m",
                        "dualkey.jwt.signer.propagation=5m")
                .run(context -> {
                    JwtSigner signer = context.getBean(JwtSigner.class);
                    VerifiedJwt token = context.getBean(JwtVerifier.class).verify(signer.sign(Map.of("sub", "alice")));
                    assertThat(token.issuer()).contains("https://login.example.com");
                    assertThat(token.expiresAt())
                            .isNotEmpty()
                            .get()
                            .satisfies(end -> assertThat(end)
                                    .isBetween(
                                            Instant.now().plusSeconds(60),
                                            Instant.now().plusSeconds(120)));
                    assertThat(signer.publicKeysMaxAge()).isEqualTo(Duration.ofSeconds(300 - 66));
                });
        runner.withPropertyValues(
                        "dualkey.jwt.algorithms=HS256", "dualkey.jwt.key-format=text", "dualkey.jwt.signer.secret=jwt")
                .run(context ->
                        assertThat(context).hasSingleBean(JwtSigner.class).doesNotHaveBean(JwtVerifier.class));
    }

    @Test
    void saysWhatASignerLacks() {
        ApplicationContextRunner signing = runner.withPropertyValues("dualkey.jwt.signer.secret=jwt");

        misconfigured(signing).hasMessageContaining("dualkey.jwt.algorithms is missing");
        misconfigured(signing.withPropertyValues("dualkey.jwt.algorithms=HS256"))
                .hasMessageContaining("dualkey.jwt.key-format is missing");
        misconfigured(signing.withPropertyValues(
                        "dualkey.jwt.algorithms=HS256", "dualkey.jwt.key-format=text", "dualkey.jwt.signer.ttl=25h"))
                .hasMessageContaining("would outlive their key");
        misconfigured(signing.withClassLoader(new FilteredClassLoader("io.dualkey.secrets.jwt")))
                .hasMessageContaining(
                        "dualkey.jwt.signer.secret is set, but io.dualkey:secrets-jwt is not on the class path");
    }

    @Test
    void servesAJwkSetOnlyWhereItIsAskedForAndOfUse() {
        WebApplicationContextRunner signing =
                web.withPropertyValues(HS256).withPropertyValues("dualkey.jwt.signer.secret=jwt");
        String path = "dualkey.jwt.signer.jwk-set-path=/.well-known/jwks.json";

        signing.run(context -> assertThat(context).doesNotHaveBean("dualkeyJwkSetRoute"));
        misconfigured(signing.withPropertyValues(path)).hasMessageContaining("keys of HS256 are secret");
        misconfigured(web.withPropertyValues(path)).hasMessageContaining("there is no JwtSigner");
        store.put("rsa", RsaPem.make().privateKey());
        WebApplicationContextRunner rsa = web.withPropertyValues(
                "dualkey.jwt.secret=rsa", "dualkey.jwt.algorithms=RS256", "dualkey.jwt.signer.secret=rsa");
        rsa.withPropertyValues(path).run(context -> assertThat(context).hasBean("dualkeyJwkSetRoute"));
        rsa.withPropertyValues(path)
                .withClassLoader(new FilteredClassLoader("org.springframework.web.servlet"))
                .run(context ->
                        assertThat(context).hasSingleBean(JwtSigner.class).doesNotHaveBean("dualkeyJwkSetRoute"));
        for (String malformed : List.of("keys", "/", "/**", "/{name}")) {
            misconfigured(rsa.withPropertyValues("dualkey.jwt.signer.jwk-set-path=" + malformed))
                    .hasMessageContaining("is not a path");
        }
        misconfigured(rsa.withPropertyValues(path, "dualkey.jwt.filter.enabled=true"))
                .hasMessageContaining("url-patterns has /*");
    }

    @Test
    void refusesWhatSpringsOwnDecoderWouldHaveRead() {
        WebApplicationContextRunner secured = web.withConfiguration(
                        AutoConfigurations.of(JwtDecoderAutoConfiguration.class))
                .withPropertyValues(HS256);

        secured.run(context -> assertThat(context).hasSingleBean(JwtDecoder.class));
        for (String property : List.of(
                "jwk-set-uri=https://x.example.com",
                "issuer-uri=https://x.example.com",
                "public-key-location=classpath:x.pem",
                "jws-algorithms=RS512",
                "audiences[0]=web")) {
            misconfigured(secured.withPropertyValues("spring.security.oauth2.resourceserver.jwt." + property))
                    .hasMessageContaining("spring.security.oauth2.resourceserver.jwt."
                            + property.replaceAll("[\\[=].*", "") + " is set");
        }
        secured.withPropertyValues("spring.security.oauth2.resourceserver.jwt.principal-claim-name=email")
                .run(context -> assertThat(context).hasSingleBean(JwtDecoder.class));
        secured.withClassLoader(new FilteredClassLoader("org.springframework.security"))
                .run(context ->
                        assertThat(context).hasSingleBean(JwtVerifier.class).doesNotHaveBean("dualkeyJwtDecoder"));
    }

    private static AbstractThrowableAssert<?, ?> misconfigured(AbstractApplicationContextRunner<?, ?, ?> application) {
        Throwable[] failure = new Throwable[1];
        application.run(context -> failure[0] = context.getStartupFailure());
        return assertThat(failure[0])
                .isNotNull()
                .extracting(JwtAutoConfigurationTest::root, InstanceOfAssertFactories.THROWABLE)
                .isInstanceOf(MisconfigurationException.class);
    }

    private static Throwable root(Throwable failure) {
        return failure.getCause() == null ? failure : root(failure.getCause());
    }
}
