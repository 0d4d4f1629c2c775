package io.dualkey.examples.rotation.demo;

import io.dualkey.examples.rotation.demo.Sample.Result;
import io.dualkey.examples.rotation.demo.TokenIssuer.Token;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.LockSupport;

/**
 * Clients of the service, each with a connection and a token of its own, that send requests at a steady pace. Most sign
 * in anew every now and then; one in four keeps its token for as long as it is accepted. When the operator removes a
 * key, the tokens that it signed are to be refused, and to stay refused: one client goes on trying.
 *
 * <p>Safe for use by several threads.
 */
final class LoadClient implements AutoCloseable {

    private static final Duration TIMEOUT = Duration.ofSeconds(5);
    private static final long GIVES_UP_THE_PACE = Duration.ofSeconds(1).toNanos();
    private static final int GENERATIONS = 16;
    private static final int OLD_TOKEN_EVERY = 8;

    private final URI target;
    private final TokenIssuer issuer;
    private final Measurements measurements;
    private final int clients;
    private final long period;
    private final Duration session;
    private final long revocationTakes;

    private final ExecutorService responses = Executors.newFixedThreadPool(2, daemons("responses"));
    private final List<Thread> threads = new ArrayList<>();
    private final AtomicLongArray served = new AtomicLongArray(GENERATIONS);
    private volatile Revocation revocation = new Revocation(0, 0);
    private volatile boolean stopped;

    /**
     * Keys that have been removed.
     *
     * @param upTo the last of them
     * @param sinceNanos when its removal began
     */
    private record Revocation(int upTo, long sinceNanos) {}

    /**
     * Makes clients that do nothing yet.
     *
     * @param session how long most clients keep a token
     * @param revocationTakes how long a token may still be accepted after the removal of its key has begun
     */
    LoadClient(
            URI target,
            TokenIssuer issuer,
            Measurements measurements,
            int clients,
            int requestsPerSecond,
            Duration session,
            Duration revocationTakes) {
        this.target = target;
        this.issuer = issuer;
        this.measurements = measurements;
        this.clients = clients;
        this.period = Duration.ofSeconds(clients).toNanos() / requestsPerSecond;
        this.session = session;
        this.revocationTakes = revocationTakes.toNanos();
    }

    private static java.util.concurrent.ThreadFactory daemons(String name) {
        return task -> {
            Thread thread = new Thread(task, name);
            thread.setDaemon(true);
            return thread;
        };
    }

    void start() {
        long start = System.nanoTime();
        for (int i = 0; i < clients; i++) {
            Client client = new Client(i, start + period * i / clients);
            Thread thread = daemons("client " + i).newThread(client);
            threads.add(thread);
            thread.start();
        }
    }

    /** Says that the keys up to this one are being removed, now. */
    void revoking(int generation) {
        revocation = new Revocation(generation, System.nanoTime());
    }

    /** {@return how many requests with a token of this key have been served} */
    long served(int generation) {
        return served.get(generation);
    }

    /** {@return how many tokens of removed keys have been refused} */
    long refused() {
        return measurements.expectedRefusals();
    }

    /** Lets the requests that are under way end, and sends no more. */
    @Override
    public void close() {
        stopped = true;
        for (Thread thread : threads) {
            LockSupport.unpark(thread);
        }
        try {
            for (Thread thread : threads) {
                thread.join(TIMEOUT.plusSeconds(1).toMillis());
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
        responses.shutdownNow();
    }

    private final class Client implements Runnable {

        private final int number;
        private final String subject;
        private final boolean keepsToken;
        private final HttpClient http = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .connectTimeout(TIMEOUT)
                .executor(responses)
                .build();
        private long due;
        private Token token;
        private final Token first;
        private long signedIn;

        Client(int number, long due) {
            this.number = number;
            this.subject = String.format(Locale.ROOT, "visitor-%02d", number + 1);
            this.keepsToken = number % 4 == 0;
            this.due = due;
            this.token = issuer.signIn(subject);
            this.first = token;
            // Not everybody signs in at the same time.
            this.signedIn = due - session.toNanos() * number / clients;
        }

        @Override
        public void run() {
            for (long turn = 0; !stopped; turn++) {
                pause();
                if (stopped) {
                    return;
                }
                if (!keepsToken && due - signedIn > session.toNanos()) {
                    signIn();
                }
                boolean triesRemovedKey = number == 0
                        && turn % OLD_TOKEN_EVERY == 0
                        && first.generation() <= revocation.upTo()
                        && token.generation() > revocation.upTo();
                request(triesRemovedKey ? first : token);
                due += period;
                if (System.nanoTime() - due > GIVES_UP_THE_PACE) {
                    due = System.nanoTime(); // no flood of requests after a standstill
                }
            }
        }

        private void pause() {
            long wait = due - System.nanoTime();
            while (wait > 0 && !stopped) {
                LockSupport.parkNanos(wait);
                wait = due - System.nanoTime();
            }
        }

        private void signIn() {
            token = issuer.signIn(subject);
            signedIn = due;
        }

        private void request(Token used) {
            HttpRequest request = HttpRequest.newBuilder(target)
                    .timeout(TIMEOUT)
                    .header("Authorization", "Bearer " + used.value())
                    .POST(HttpRequest.BodyPublishers.noBody())
                    .build();
            long sent = System.nanoTime();
            try {
                HttpResponse<String> response = http.send(request, HttpResponse.BodyHandlers.ofString());
                judge(used, sent, response);
            } catch (IOException failure) {
                measurements.recordFailure(due, failure.getClass().getSimpleName());
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
                stopped = true;
            }
        }

        private void judge(Token used, long sent, HttpResponse<String> response) {
            Revocation removed = revocation;
            boolean ofRemovedKey = used.generation() <= removed.upTo();
            switch (response.statusCode()) {
                case 200 -> {
                    if (ofRemovedKey && sent - removed.sinceNanos() > revocationTakes) {
                        measurements.recordFailure(due, "token of a removed key accepted");
                    } else if (!response.body().contains("\"subject\":\"" + subject + "\"")) {
                        measurements.recordFailure(due, "answer for somebody else");
                    } else {
                        served.incrementAndGet(used.generation());
                        measurements.record(due, Result.SERVED);
                    }
                }
                case 401 -> {
                    if (ofRemovedKey) {
                        measurements.record(due, Result.REFUSED_AS_EXPECTED);
                        if (used.equals(token)) {
                            signIn();
                        }
                    } else {
                        measurements.recordFailure(due, "HTTP 401");
                    }
                }
                default -> measurements.recordFailure(due, "HTTP " + response.statusCode());
            }
        }
    }
}
