package io.dualkey.examples.redis;

import io.dualkey.secrets.InMemoryStore;
import io.dualkey.secrets.Registration;
import io.dualkey.secrets.Rotating;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.SecretValue;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.api.StatefulRedisConnection;
import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** Rotates a secret whose next scheduled check is an hour away, and lets two replicas learn of it by Redis. */
public final class RedisPushDemo {

    private static final String PASSWORD = "example-redis-password";
    private static final long PAUSE = Duration.ofMillis(20).toNanos();

    private RedisPushDemo() {}

    /** One replica of a service. */
    private static final class Replica implements AutoCloseable {

        private final SecretSource secrets;
        private final RedisPush push;
        private final Registration listening;
        private final BlockingQueue<String> inForce = new LinkedBlockingQueue<>();

        Replica(InMemoryStore vault, int port) {
            secrets = SecretSource.builder(vault)
                    .refreshInterval(Duration.ofHours(1))
                    .build();
            Rotating<String> apiKey = secrets.secret("mail-api-key").map(SecretValue::revealText);
            Rotating<String> password = secrets.secret("redis-password").map(SecretValue::revealText);
            secrets.start(Duration.ofSeconds(10));
            push = RedisPush.subscribe(RedisLogin.at("127.0.0.1", port, "default", password), secrets);
            listening = apiKey.onRotation(version -> inForce.add(version.value()));
        }

        String next() throws InterruptedException {
            return String.valueOf(inForce.poll(10, TimeUnit.SECONDS));
        }

        @Override
        public void close() {
            listening.close();
            push.close();
            secrets.close();
        }
    }

    /** Runs the demo. */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        run(System.out);
    }

    static void run(PrintStream out) throws IOException, InterruptedException {
        InMemoryStore vault = new InMemoryStore();
        vault.put("mail-api-key", "example-1");
        vault.put("redis-password", PASSWORD);
        try (EmbeddedRedis redis = EmbeddedRedis.start(PASSWORD);
                Replica one = new Replica(vault, redis.port());
                Replica two = new Replica(vault, redis.port());
                RedisClient client = RedisClient.create(RedisURI.builder()
                        .withHost("127.0.0.1")
                        .withPort(redis.port())
                        .withPassword(PASSWORD.toCharArray())
                        .build());
                StatefulRedisConnection<String, String> operator = client.connect()) {
            out.println("in force: " + one.next() + ", " + two.next());
            while (operator.sync().publish(RedisPush.CHANNEL, "nobody-uses-this") < 2) {
                LockSupport.parkNanos(PAUSE); // until both listen
            }
            vault.put("mail-api-key", "example-2");
            out.println("published to: " + operator.sync().publish(RedisPush.CHANNEL, "mail-api-key"));
            out.println("in force: " + one.next() + ", " + two.next());
        }
    }
}
