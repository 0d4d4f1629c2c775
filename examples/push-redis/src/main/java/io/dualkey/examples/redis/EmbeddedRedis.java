package io.dualkey.examples.redis;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import redis.embedded.RedisServer;

/** A Redis server on the loopback, for the demo and the tests. */
final class EmbeddedRedis implements AutoCloseable {

    private final RedisServer server;
    private final int port;

    private EmbeddedRedis(int port, String password) throws IOException {
        this.port = port;
        server = RedisServer.newRedisServer()
                .port(port)
                .bind("127.0.0.1")
                .setting("requirepass " + password)
                .setting("save \"\"")
                .setting("appendonly no")
                .build();
        server.start();
    }

    static EmbeddedRedis start(String password) throws IOException {
        return at(freePort(), password);
    }

    /** One in the place of another that was stopped. */
    static EmbeddedRedis at(int port, String password) throws IOException {
        return new EmbeddedRedis(port, password);
    }

    static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    int port() {
        return port;
    }

    @Override
    public void close() throws IOException {
        server.stop();
    }
}
