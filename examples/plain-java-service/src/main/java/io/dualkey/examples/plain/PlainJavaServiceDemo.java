package io.dualkey.examples.plain;

import io.dualkey.secrets.InMemoryStore;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.jdbc.CredentialPhase;
import io.dualkey.secrets.jwt.JwtSigner;
import io.dualkey.secrets.jwt.KeyFormat;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.SecureRandom;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Base64;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/** Starts the service on a database in memory, and rotates its key and its database user by hand. */
public final class PlainJavaServiceDemo {

    private static final String URL = "jdbc:h2:mem:notes";
    private static final long PAUSE = Duration.ofMillis(20).toNanos();
    private static final SecureRandom RANDOM = new SecureRandom();

    private final HttpClient http = HttpClient.newHttpClient();
    private final PrintStream out;
    private final Path directory;

    private PlainJavaServiceDemo(PrintStream out, Path directory) {
        this.out = out;
        this.directory = directory;
    }

    /** Runs the demo; fails if an answer is not the expected one. */
    public static void main(String[] arguments) throws Exception {
        run(System.out);
    }

    static void run(PrintStream out) throws Exception {
        Path directory = Files.createTempDirectory("secrets");
        try {
            new PlainJavaServiceDemo(out, directory).rotateEverything();
        } finally {
            try (Stream<Path> files = Files.list(directory)) {
                for (Path file : files.toList()) {
                    Files.delete(file);
                }
            }
            Files.delete(directory);
        }
    }

    private void rotateEverything() throws Exception {
        try (Connection administrator = DriverManager.getConnection(URL, "admin", random())) {
            execute(administrator, "create table notes (id identity, owner varchar, text varchar)");
            execute(administrator, "insert into notes (owner, text) values ('alice', 'Rotate the keys.')");
            createUser(administrator, "notes_v1");
            String firstKey = random();
            write("jwt-key", firstKey);
            try (NotesService service = new NotesService(directory, URL)) {
                URI notes = URI.create("http://127.0.0.1:" + service.start(0) + "/notes");
                String firstToken = token(firstKey);
                answers("as started", 200, get(notes, firstToken));

                String secondKey = random();
                write("jwt-key-previous", firstKey); // first the companion, so that the old key is never gone
                write("jwt-key", secondKey);
                String secondToken = token(secondKey);
                comesTo("new key, new token", 200, () -> get(notes, secondToken));
                answers("new key, old token", 200, get(notes, firstToken));

                Files.delete(directory.resolve("jwt-key-previous"));
                comesTo("old key removed, old token", 401, () -> get(notes, firstToken));
                answers("old key removed, new token", 200, get(notes, secondToken));

                createUser(administrator, "notes_v2");
                comesTo("old database user unused", 200, () -> usesAlone(service, "notes_v2") ? 200 : 0);
                execute(administrator, "drop user notes_v1");
                answers("old database user dropped", 200, get(notes, secondToken));
            }
        }
    }

    /** Whether no connection of another user is left here. */
    private static boolean usesAlone(NotesService service, String user) {
        return service.databaseStatus().credentials().stream()
                .allMatch(login -> login.user().equals(user)
                        ? login.phase() == CredentialPhase.CURRENT
                        : login.phase() == CredentialPhase.RELEASED);
    }

    private void createUser(Connection administrator, String user) throws Exception {
        String password = random();
        execute(administrator, "create user " + user + " password '" + password + "'");
        execute(administrator, "grant select on notes to " + user);
        write("database-login", "{\"username\":\"" + user + "\",\"password\":\"" + password + "\"}");
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    /** A reader sees the old file or the new one, and never half of one. */
    private void write(String name, String value) throws IOException {
        Path written = Files.writeString(directory.resolve("." + name + ".new"), value);
        Files.move(written, directory.resolve(name), StandardCopyOption.ATOMIC_MOVE);
    }

    /** What the login service would sign. */
    static String token(String key) {
        InMemoryStore store = new InMemoryStore();
        store.put("jwt-key", key);
        try (SecretSource secrets = SecretSource.from(store)) {
            JwtSigner signer = JwtSigner.hs256(secrets.secret("jwt-key"), KeyFormat.BASE64)
                    .issuer(NotesService.ISSUER)
                    .ttl(Duration.ofMinutes(15))
                    .build();
            secrets.start(Duration.ofSeconds(10));
            return signer.sign(Map.of("sub", "alice", "aud", NotesService.AUDIENCE));
        }
    }

    private static String random() {
        byte[] bytes = new byte[32];
        RANDOM.nextBytes(bytes);
        return Base64.getEncoder().encodeToString(bytes);
    }

    private int get(URI notes, String token) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(notes)
                .header("Authorization", "Bearer " + token)
                .build();
        return http.send(request, HttpResponse.BodyHandlers.discarding()).statusCode();
    }

    private void answers(String when, int expected, int status) {
        if (status != expected) {
            throw new IllegalStateException(when + ": " + status + " instead of " + expected);
        }
        out.printf("%-28s %d%n", when, status);
    }

    /** The directory is watched: what is written there is seen within a fraction of a second. */
    private void comesTo(String when, int expected, Callable<Integer> request) throws Exception {
        long deadline = System.nanoTime() + Duration.ofSeconds(10).toNanos();
        int status = request.call();
        while (status != expected && System.nanoTime() - deadline < 0) {
            LockSupport.parkNanos(PAUSE);
            status = request.call();
        }
        answers(when, expected, status);
    }
}
