package io.dualkey.examples.redis;

import io.dualkey.secrets.Rotating;
import io.lettuce.core.RedisCredentials;
import io.lettuce.core.RedisCredentialsProvider;
import io.lettuce.core.RedisURI;
import java.time.Duration;

/** How to log in at Redis with a password that rotates: Lettuce asks for it each time it connects. */
final class RedisLogin {

    private RedisLogin() {}

    static RedisURI at(String host, int port, String user, Rotating<String> password) {
        return RedisURI.builder()
                .withHost(host)
                .withPort(port) // in production, withSsl(true) as well
                .withTimeout(Duration.ofSeconds(5))
                .withAuthentication(
                        RedisCredentialsProvider.from(() -> RedisCredentials.just(user, password.current())))
                .build();
    }
}
