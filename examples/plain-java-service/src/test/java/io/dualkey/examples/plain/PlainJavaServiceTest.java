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
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
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
    void answersSomebodyWithoutNotesAndOtherMethods(@TempDir Path directory) throws Exception {
        Files.writeString(directory.resolve("jwt-key"), KEY);
        Files.writeString(directory.resolve("database-login"), "{\"username\":\"sa\",\"password\":\"example\"}");
        String url = "jdbc:h2:mem:empty";
        String authorization = "Bearer " + PlainJavaServiceDemo.token(KEY);
        try (Connection administrator = DriverManager.getConnection(url, "sa", "example");
                Statement statement = administrator.createStatement();
                NotesService service = new NotesService(directory, url)) {
            URI notes = URI.create("http://127.0.0.1:" + service.start(0) + "/notes");
            assertThat(http.send(request(notes, authorization), discarding()).statusCode())
                    .isEqualTo(500); // there is no table yet
            statement.execute("create table notes (id identity, owner varchar, text varchar)");
            HttpResponse<String> none = http.send(request(notes, authorization), HttpResponse.BodyHandlers.ofString());
            assertThat(none.statusCode()).isEqualTo(200);
            assertThat(none.body()).isEmpty();
            HttpRequest delete = HttpRequest.newBuilder(notes)
                    .header("Authorization", authorization)
                    .DELETE()
                    .build();
            assertThat(http.send(delete, discarding()).statusCode()).isEqualTo(405);
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
