package io.dualkey.examples.plain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.dualkey.secrets.SecretStartupException;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The example as it is run, and what its filter refuses. */
class PlainJavaServiceTest {

    private static final String KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

    private final HttpClient http = HttpClient.newHttpClient();

    @Test
    void servesThroughARotationOfTheTokenKeyAndOfTheDatabaseUser() throws Exception {
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        PlainJavaServiceDemo.run(new PrintStream(printed, true, StandardCharsets.UTF_8));
        assertThat(printed.toString(StandardCharsets.UTF_8).lines().map(line -> line.replaceAll(" +", " ")))
                .containsExactly(
                        "as started 200",
                        "new key, new token 200",
                        "new key, old token 200",
                        "old key removed, old token 401",
                        "old key removed, new token 200",
                        "old database user unused 200",
                        "old database user dropped 200");
    }

    @Test
    void refusesRequestsWithoutAGoodToken(@TempDir Path directory) throws Exception {
        Files.writeString(directory.resolve("jwt-key"), KEY);
        Files.writeString(directory.resolve("database-login"), "{\"username\":\"sa\",\"password\":\"example\"}");
        try (NotesService service = new NotesService(directory, "jdbc:h2:mem:refusals")) {
            URI notes = URI.create("http://127.0.0.1:" + service.start(0) + "/notes");

            assertRefused(
                    http.send(HttpRequest.newBuilder(notes).build(), discarding()), 401, "Bearer realm=\"notes\"");
            assertRefused(
                    http.send(request(notes, "Bearer a.b.c"), discarding()),
                    401,
                    "Bearer realm=\"notes\", error=\"invalid_token\"");
            assertRefused(http.send(request(notes, "Basic YTpi"), discarding()), 401, "Bearer realm=\"notes\"");
            assertRefused(
                    http.send(request(notes, "Bearer a.b.c", "Bearer d.e.f"), discarding()),
                    400,
                    "Bearer realm=\"notes\", error=\"invalid_request\"");
        }
    }

    @Test
    void opensNoPortWhileASecretIsMissing(@TempDir Path directory) throws Exception {
        Files.writeString(directory.resolve("jwt-key"), KEY);
        try (NotesService service = new NotesService(directory, "jdbc:h2:mem:missing")) {
            assertThatThrownBy(() -> service.start(0))
                    .isInstanceOf(SecretStartupException.class)
                    .hasMessageContaining("'database-login'");
        }
    }

    private static HttpResponse.BodyHandler<Void> discarding() {
        return HttpResponse.BodyHandlers.discarding();
    }

    private static HttpRequest request(URI uri, String... authorizations) {
        HttpRequest.Builder request = HttpRequest.newBuilder(uri);
        for (String authorization : authorizations) {
            request.header("Authorization", authorization);
        }
        return request.build();
    }

    private static void assertRefused(HttpResponse<?> answer, int status, String challenge) {
        assertThat(answer.statusCode()).isEqualTo(status);
        assertThat(answer.headers().firstValue("WWW-Authenticate")).hasValue(challenge);
    }
}
