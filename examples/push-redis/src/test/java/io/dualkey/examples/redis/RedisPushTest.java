package io.dualkey.examples.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.dualkey.secrets.InMemoryStore;
import io.dualkey.secrets.RefreshCause;
import io.dualkey.secrets.Rotating;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.SecretValue;
import io.lettuce.core.AclSetuserArgs;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisFuture;
import io.lettuce.core.RedisURI;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.protocol.CommandType;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** The example as it is run, and what it does when messages are lost, forged or many. */
class RedisPushTest {

    private static final String PASSWORD = "canary-redis-password";

    private static final RedisClient CLIENT = RedisClient.create();

    private final InMemoryStore vault = new InMemoryStore();
    private final SecretSource secrets =
            SecretSource.builder(vault).refreshInterval(Duration.ofHours(1)).build();
    private final Rotating<String> apiKey = secrets.secret("mail-api-key").map(SecretValue::revealText);
    private final Rotating<String> other = secrets.secret("other").map(SecretValue::revealText);
    private final Rotating<String> password = secrets.secret("redis-password").map(SecretValue::revealText);
    private final ListAppender<ILoggingEvent> logged = new ListAppender<>();
    private EmbeddedRedis redis;
    private RedisPush push;

    @BeforeEach
    void start() throws Exception {
        redis = EmbeddedRedis.start(PASSWORD);
        vault.put("mail-api-key", "example-1");
        vault.put("other", "other-1");
        vault.put("redis-password", PASSWORD);
        secrets.start(Duration.ofSeconds(10));
        logged.start();
        ((Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME)).addAppender(logged);
    }

    @AfterEach
    void stop() throws Exception {
        if (push != null) {
            push.close();
        }
        redis.close();
        secrets.close();
        ((Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME)).detachAppender(logged);
        assertThat(logged.list)
                .allSatisfy(event -> assertThat(event.getFormattedMessage()).doesNotContain("canary"));
    }

    @AfterAll
    static void shutDown() {
        CLIENT.shutdown(Duration.ZERO, Duration.ofSeconds(2));
    }

    private void subscribe() {
        subscribeAs("default");
    }

    private void subscribeAs(String user) {
        push = RedisPush.subscribe(RedisLogin.at("127.0.0.1", redis.port(), user, password), secrets);
    }

    private void awaitLog(String text) {
        await().until(() -> logged.list.stream()
                .anyMatch(event -> event.getFormattedMessage().contains(text)));
    }

    private StatefulRedisConnection<String, String> operator() {
        return CLIENT.connect(RedisURI.builder()
                .withHost("127.0.0.1")
                .withPort(redis.port())
                .withPassword(PASSWORD.toCharArray())
                .build());
    }

    private long checks(String name) {
        return secrets.status(name).orElseThrow().checks().values().stream()
                .mapToLong(Long::longValue)
                .sum();
    }

    @Test
    void messageBringsTheNewVersionToAllReplicasAtOnce() throws Exception {
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        RedisPushDemo.run(new PrintStream(printed, true, StandardCharsets.UTF_8));
        assertThat(printed.toString(StandardCharsets.UTF_8).lines())
                .containsExactly("in force: example-1, example-1", "published to: 2", "in force: example-2, example-2");
    }

    /** Redis is restarted, with another password, and in between a message is published to nobody. */
    @Test
    void lostConnectionMakesOneRefreshAndLogsInWithTheNewPassword() throws Exception {
        subscribe();
        await().until(() -> checks("mail-api-key") == 2); // the start, and the subscription
        int port = redis.port();
        redis.close();
        vault.put("mail-api-key", "example-2");
        vault.put("redis-password", PASSWORD + "-2");
        secrets.find("redis-password")
                .orElseThrow()
                .refresh(RefreshCause.OPERATOR)
                .join();
        redis = EmbeddedRedis.at(port, PASSWORD + "-2");
        await().until(() -> apiKey.current().equals("example-2"));
        await().until(() -> checks("other") == 3);
        assertThat(checks("mail-api-key")).isEqualTo(3);
    }

    @Test
    void floodAndForgedMessagesStayWithinTheBudget() throws Exception {
        subscribe();
        await().until(() -> checks("other") == 2);
        try (StatefulRedisConnection<String, String> operator = operator()) {
            List<RedisFuture<Long>> sent = new ArrayList<>();
            for (int i = 0; i < 2_000; i++) {
                sent.add(operator.async().publish(RedisPush.CHANNEL, "mail-api-key"));
                sent.add(operator.async().publish(RedisPush.CHANNEL, "forged-" + i + "\r\n"));
            }
            sent.add(operator.async().publish(RedisPush.CHANNEL, ""));
            sent.add(operator.async().publish(RedisPush.CHANNEL, "x".repeat(100_000)));
            vault.put("other", "other-2");
            sent.add(operator.async().publish(RedisPush.CHANNEL, "other")); // after all the others
            for (RedisFuture<Long> each : sent) {
                assertThat(each.get(10, TimeUnit.SECONDS)).isEqualTo(1);
            }
        }
        await().until(() -> other.current().equals("other-2"));
        assertThat(checks("mail-api-key")).isLessThanOrEqualTo(6); // the start, and five a minute
        assertThat(secrets.statuses()).hasSize(3); // no handle was made for a name from outside
    }

    @Test
    void serviceRunsWithoutRedisAndSubscribesWhenItIsThere() throws Exception {
        int port = redis.port();
        redis.close();
        subscribe();
        awaitLog("checked on schedule");
        assertThat(apiKey.current()).isEqualTo("example-1");
        vault.put("mail-api-key", "example-2");
        redis = EmbeddedRedis.at(port, PASSWORD);
        await().until(() -> apiKey.current().equals("example-2"));
    }

    /** The rights are those of the README; before they are complete, the subscription is refused and tried again. */
    @Test
    void userWithTheLeastRightsIsEnough() {
        try (StatefulRedisConnection<String, String> operator = operator()) {
            AclSetuserArgs replica = AclSetuserArgs.Builder.on()
                    .addPassword(PASSWORD)
                    .noCommands()
                    .addCommand(CommandType.SUBSCRIBE)
                    .addCommand(CommandType.UNSUBSCRIBE)
                    .addCommand(CommandType.PING)
                    .addCommand(CommandType.HELLO);
            operator.sync().aclSetuser("replica", replica.resetChannels());
            subscribeAs("replica");
            awaitLog("RedisCommandExecutionException");
            assertThat(checks("mail-api-key")).isEqualTo(1);

            vault.put("mail-api-key", "example-2");
            operator.sync().aclSetuser("replica", replica.channelPattern(RedisPush.CHANNEL));
            await().until(() -> apiKey.current().equals("example-2"));
            assertThat(operator.sync().publish(RedisPush.CHANNEL, "mail-api-key"))
                    .isEqualTo(1);
        }
    }
}
