package io.dualkey.secrets.jdbc;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** A network that a test cuts: it passes connections on to a port of this machine, or stalls or resets new ones. */
final class TcpProxy implements AutoCloseable {

    /** What happens to connections that are made from now on. */
    enum Mode {
        PASS,
        /** Accepted, and never answered. */
        STALL,
        /** Passed on until the server's first answer, then reset. */
        RESET_IN_LOGIN
    }

    private final ServerSocket entrance = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    private final int target;
    private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
    private final AtomicInteger accepted = new AtomicInteger();
    private volatile Mode mode = Mode.PASS;

    TcpProxy(int target) throws IOException {
        this.target = target;
        start("proxy", this::accept);
    }

    int port() {
        return entrance.getLocalPort();
    }

    void set(Mode newMode) {
        mode = newMode;
    }

    /** How many connections have been made. */
    int accepted() {
        return accepted.get();
    }

    private static void start(String name, Runnable task) {
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        thread.start();
    }

    private void accept() {
        while (!entrance.isClosed()) {
            try {
                Socket client = entrance.accept();
                sockets.add(client);
                accepted.incrementAndGet();
                if (mode == Mode.STALL) {
                    continue;
                }
                Socket server = new Socket(InetAddress.getLoopbackAddress(), target);
                sockets.add(server);
                boolean reset = mode == Mode.RESET_IN_LOGIN;
                start("proxy up", () -> pass(client, server, false));
                start("proxy down", () -> pass(server, client, reset));
            } catch (IOException closed) {
                // the entrance, by the test; or the server does not listen: the client sees a connection that ends
            }
        }
    }

    private static void pass(Socket from, Socket to, boolean reset) {
        try (from;
                to) {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            byte[] buffer = new byte[8192];
            for (int length = in.read(buffer); length >= 0; length = in.read(buffer)) {
                if (reset) {
                    to.setSoLinger(true, 0); // its closing is then a reset
                    return;
                }
                out.write(buffer, 0, length);
            }
        } catch (IOException cut) {
            // one end is closed; so is the other now
        }
    }

    /** Resets all connections that are open. */
    void cut() throws IOException {
        for (Socket socket : sockets) {
            if (!socket.isClosed()) {
                socket.setSoLinger(true, 0);
                socket.close();
            }
        }
        sockets.clear();
    }

    @Override
    public void close() throws IOException {
        entrance.close();
        cut();
    }
}
