package io.dualkey.examples.resource;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/** The example as it is run, in one application context; the rotation comes last. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class ResourceServerTest {

    private static EmbeddedIssuer issuer;
    private static ResourceServerDemo demo;

    @BeforeAll
    static void start() throws Exception {
        issuer = new EmbeddedIssuer();
        demo = ResourceServerDemo.start(issuer);
    }

    @AfterAll
    static void stop() throws Exception {
        demo.close();
    }

    @Test
    @Order(1)
    void tokenWithTheScopeMayReadAndOthersMayNot() throws Exception {
        assertThat(demo.get(issuer.token("notes:read")).body()).isEqualTo("Notes of alice");
        assertThat(demo.get(issuer.token("notes:write")).statusCode()).isEqualTo(403);
        assertThat(demo.send(HttpRequest.newBuilder(demo.uri())).statusCode()).isEqualTo(401);
    }

    @Test
    @Order(2)
    void refusesTokensOfAnotherIssuersKeyAndSaysSoAsSpringDoes() throws Exception {
        HttpResponse<String> answer = demo.get(new EmbeddedIssuer().token("notes:read"));
        assertThat(answer.statusCode()).isEqualTo(401);
        assertThat(answer.headers().firstValue("WWW-Authenticate").orElse(""))
                .startsWith("Bearer ")
                .contains("error=\"invalid_token\"");
    }

    @Test
    @Order(3)
    void servesThroughARotationOfTheKey() throws Exception {
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        demo.rotate(issuer, new PrintStream(printed, true, StandardCharsets.UTF_8));
        assertThat(printed.toString(StandardCharsets.UTF_8).lines().map(line -> line.replaceAll(" +", " ")))
                .containsExactly(
                        "as started 200",
                        "new key, new token 200",
                        "new key, old token 200",
                        "old key removed, old token 401",
                        "old key removed, new token 200");
    }
}
