package io.dualkey.docs;

import static org.assertj.core.api.Assertions.assertThat;

import io.dualkey.docs.OtherClientsSnippets.Login;
import io.dualkey.secrets.InMemoryStore;
import io.dualkey.secrets.RefreshCause;
import io.dualkey.secrets.RotatingSecret;
import io.dualkey.secrets.SecretSource;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import redis.embedded.RedisServer;

/** The code of {@code docs/other-clients.md} with a real Redis: new connections ask, open ones log in again. */
class RedisTest {

    private static final Duration SOON = Duration.ofSeconds(10);

    private final InMemoryStore store = new InMemoryStore();

    /** A client of a few commands, on one connection. */
    private static final class Client implements AutoCloseable {

        private final Socket socket;
        private final BufferedReader answers;

        Client(int port) throws IOException {
            socket = new Socket(InetAddress.getLoopbackAddress(), port);
            socket.setSoTimeout(10_000);
            answers = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
        }

        synchronized String send(String... command) throws IOException {
            StringBuilder text = new StringBuilder("*" + command.length + "\r\n");
            for (String part : command) {
                text.append('$')
                        .append(part.length())
                        .append("\r\n")
                        .append(part)
                        .append("\r\n");
            }
            socket.getOutputStream().write(text.toString().getBytes(StandardCharsets.UTF_8));
            return answers.readLine();
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }

    private static int freePort() throws IOException {
        try (ServerSocket any = new ServerSocket(0)) {
            return any.getLocalPort();
        }
    }

    @Test
    void rotatesAPasswordWhileBothAreAcceptedAndThenTheOldOneIsNot() throws Exception {
        int port = freePort();
        RedisServer redis = RedisServer.newRedisServer()
                .port(port)
                .bind("127.0.0.1")
                .setting("save \"\"")
                .build();
        redis.start();
        store.put("redis-login", "app:first");
        try (SecretSource secrets = SecretSource.from(store);
                Client admin = new Client(port);
                Client open = new Client(port)) {
            assertThat(admin.send("ACL", "SETUSER", "app", "on", ">first", "~*", "+@all"))
                    .isEqualTo("+OK");
            Supplier<Login> credentials = OtherClientsSnippets.supplier(secrets);
            RotatingSecret secret = secrets.secret("redis-login");
            secrets.start(SOON);
            BlockingQueue<String> answers = new LinkedBlockingQueue<>();
            try (var registration = OtherClientsSnippets.push(secret.map(Login::parse), (user, password) -> {
                try {
                    answers.add(password + open.send("AUTH", user, password));
                } catch (IOException failure) {
                    throw new UncheckedIOException(failure);
                }
            })) {
                assertThat(registration).isNotNull();
                assertThat(answers.poll(10, TimeUnit.SECONDS)).isEqualTo("first+OK");
                assertThat(connect(port, credentials.get())).isEqualTo("+OK");

                admin.send("ACL", "SETUSER", "app", ">second"); // both are accepted
                store.put("redis-login", "app:second");
                secret.refresh(RefreshCause.OPERATOR).join();
                assertThat(answers.poll(10, TimeUnit.SECONDS)).isEqualTo("second+OK");
                assertThat(connect(port, credentials.get())).isEqualTo("+OK");

                admin.send("ACL", "SETUSER", "app", "<first"); // the old one is not any more
                assertThat(connect(port, Login.parse(io.dualkey.secrets.SecretValue.ofText("app:first"))))
                        .startsWith("-WRONGPASS");
                assertThat(connect(port, credentials.get())).isEqualTo("+OK");
                assertThat(open.send("SET", "key", "value")).isEqualTo("+OK");
            }
        } finally {
            redis.stop();
        }
    }

    private static String connect(int port, Login as) throws IOException {
        try (Client client = new Client(port)) {
            return client.send("AUTH", as.user(), as.password().revealText());
        }
    }
}
