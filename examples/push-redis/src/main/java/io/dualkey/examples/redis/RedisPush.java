package io.dualkey.examples.redis;

import io.dualkey.secrets.RefreshCause;
import io.dualkey.secrets.RefreshResult;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.SecretStatus;
import io.lettuce.core.ClientOptions;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.SocketOptions;
import io.lettuce.core.SocketOptions.KeepAliveOptions;
import io.lettuce.core.codec.StringCodec;
import io.lettuce.core.pubsub.RedisPubSubAdapter;
import io.lettuce.core.pubsub.StatefulRedisPubSubConnection;
import java.time.Duration;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Listens on a channel of Redis, where a message is the name of a secret that has a new version, and has that secret looked at, at
 * once. A message is a hint and no more: what is true is read from the vault.
 *
 * <p>Redis keeps no messages for those who are not there. So each time the subscription is made, the first time or anew after a
 * lost connection, all secrets are looked at once. Without Redis a service starts and runs all the same, by its schedule.
 *
 * <p>Safe for use by several threads. The refreshes it asks for are answered elsewhere; none of Redis' threads waits.
 */
public final class RedisPush implements AutoCloseable {

    /** The channel. */
    public static final String CHANNEL = "dualkey:rotated";

    private static final Duration FIRST_RETRY = Duration.ofMillis(500);
    private static final Duration LONGEST_RETRY = Duration.ofSeconds(30);
    /** Names of secrets are shorter everywhere. */
    private static final int LONGEST_NAME = 512;

    private static final Logger log = LoggerFactory.getLogger(RedisPush.class);

    private final SecretSource secrets;
    private final RedisURI redis;
    private final RedisClient client = RedisClient.create();
    private volatile boolean closed;

    private RedisPush(RedisURI redis, SecretSource secrets) {
        this.redis = redis;
        this.secrets = secrets;
        client.setOptions(ClientOptions.builder()
                .socketOptions(SocketOptions.builder()
                        .connectTimeout(Duration.ofSeconds(5))
                        .keepAlive(noticesADeadPeerInAMinute())
                        .build())
                .build());
    }

    /** A subscriber only listens: a connection that a firewall has forgotten would be silent for ever. */
    private static KeepAliveOptions noticesADeadPeerInAMinute() {
        return KeepAliveOptions.builder()
                .enable()
                .idle(Duration.ofSeconds(30))
                .interval(Duration.ofSeconds(10))
                .count(3)
                .build();
    }

    /**
     * Subscribes in the background.
     *
     * @param redis where Redis is; with a credentials provider that reads a rotating secret, its password may rotate too
     * @param secrets what to refresh; started, so that what happens from here on is not missed
     * @return to end it
     */
    public static RedisPush subscribe(RedisURI redis, SecretSource secrets) {
        RedisPush push = new RedisPush(redis, secrets);
        push.connect(FIRST_RETRY);
        return push;
    }

    /** Once it is connected, Lettuce connects and subscribes again by itself; until then, we do. */
    private void connect(Duration retry) {
        var unused = client.connectPubSubAsync(StringCodec.UTF8, redis)
                .thenCompose(this::listen)
                .whenComplete((subscribed, failure) -> {
                    if (failure != null && !closed) {
                        log.warn(
                                "Subscribing at {}:{} failed with {}; until it succeeds, secrets are checked on schedule",
                                redis.getHost(),
                                redis.getPort(),
                                classOf(failure));
                        later(retry);
                    }
                });
    }

    private CompletionStage<Void> listen(StatefulRedisPubSubConnection<String, String> connection) {
        connection.addListener(new RedisPubSubAdapter<>() {
            @Override
            public void subscribed(String channel, long count) { // also after each lost connection
                secrets.statuses().stream().map(SecretStatus::name).forEach(RedisPush.this::refresh);
            }

            @Override
            public void message(String channel, String name) {
                if (name.length() <= LONGEST_NAME) {
                    refresh(name);
                }
            }
        });
        return connection.async().subscribe(CHANNEL).whenComplete((done, failure) -> {
            if (failure != null) {
                var unused = connection.closeAsync();
            }
        });
    }

    private void later(Duration retry) {
        Duration next = retry.multipliedBy(2).compareTo(LONGEST_RETRY) < 0 ? retry.multipliedBy(2) : LONGEST_RETRY;
        long wait =
                (long) (retry.toMillis() * (0.5 + ThreadLocalRandom.current().nextDouble())); // a fleet spreads out
        var unused =
                client.getResources().eventExecutorGroup().schedule(() -> connect(next), wait, TimeUnit.MILLISECONDS);
    }

    /** Does nothing for a secret that this service does not use. */
    private void refresh(String name) {
        secrets.find(name).ifPresent(secret -> {
            var unused = secret.refresh(RefreshCause.OPERATOR).thenAccept(result -> tell(secret.name(), result));
        });
    }

    /** The name is ours and not what was sent, which may have anything in it. */
    private static void tell(String name, RefreshResult result) {
        if (result == RefreshResult.CHANGED) {
            log.info("Redis brought a new version of '{}'", name);
        } else {
            log.debug("Redis named '{}': {}", name, result);
        }
    }

    private static String classOf(Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        return cause.getClass().getName();
    }

    @Override
    public void close() {
        closed = true;
        client.shutdown(Duration.ZERO, Duration.ofSeconds(2));
    }
}
