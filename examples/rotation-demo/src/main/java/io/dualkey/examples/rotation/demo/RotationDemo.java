package io.dualkey.examples.rotation.demo;

import io.dualkey.examples.rotation.demo.Measurements.Recent;
import io.dualkey.secrets.Role;
import io.dualkey.secrets.jdbc.CredentialPhase;
import io.dualkey.secrets.jdbc.CredentialStatus;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.logging.LoggingSystem;

/**
 * The demo: starts a database, a directory of secrets, the service and its clients, plays the operator's runbook while
 * the clients send requests, and reports. {@link #close} ends whatever has been started, from any thread.
 */
final class RotationDemo implements AutoCloseable {

    private static final String FIRST_USER = "app_1";
    private static final long FAILURES_TO_GIVE_UP = 2_000;

    private final DemoOptions options;
    private final Terminal terminal;
    private final Duration length;
    private final Duration warmUp;
    private final Duration refreshInterval;
    private final Deque<AutoCloseable> parts = new ArrayDeque<>();
    /** Held while the server starts, which is not to be left behind half started. */
    private final Object starting = new Object();

    private volatile boolean closed;

    RotationDemo(DemoOptions options, Terminal terminal) {
        this.options = options;
        this.terminal = terminal;
        this.length = Duration.ofSeconds(options.seconds());
        this.warmUp = Duration.ofMillis(Math.min(5_000, options.seconds() * 100L));
        this.refreshInterval = Duration.ofMillis(options.seconds() >= 45 ? 1_000 : 250);
    }

    /**
     * Runs the demo.
     *
     * @param arguments see {@link DemoOptions#USAGE}
     */
    public static void main(String[] arguments) {
        PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), false, StandardCharsets.UTF_8);
        DemoOptions options;
        try {
            options = DemoOptions.parse(arguments);
        } catch (IllegalArgumentException misuse) {
            out.println("demo: " + misuse.getMessage() + "\n\n" + DemoOptions.USAGE);
            out.flush();
            System.exit(2);
            return;
        }
        if (options.help()) {
            out.print(DemoOptions.USAGE);
            out.flush();
            return;
        }
        Terminal terminal = new Terminal(out, Boolean.getBoolean("demo.live"));
        RotationDemo demo = new RotationDemo(options, terminal);
        Runtime.getRuntime().addShutdownHook(new Thread(demo::close, "shutdown"));
        int code = 1;
        try {
            code = demo.run().passed() ? 0 : 1;
        } catch (IOException | SQLException | RuntimeException failure) {
            terminal.say("demo: " + failure.getMessage());
        }
        System.exit(code);
    }

    /** Runs it all, and keeps the service up until the process is ended if the options say so. */
    RunResult run() throws IOException, SQLException {
        LoggingSystem.get(RotationDemo.class.getClassLoader()).beforeInitialize();
        terminal.say("Starting PostgreSQL, the service and its clients ...");
        Path home = Files.createTempDirectory("dualkey-demo-");
        part(() -> Trees.delete(home));
        Files.createDirectories(options.log().getParent());
        Files.deleteIfExists(options.log());

        Database database;
        synchronized (starting) {
            database = part(Database.start(home.resolve("postgres"), Generated.password()));
        }
        String password = Generated.password();
        database.createUser(FIRST_USER, password);
        terminal.say("  PostgreSQL " + database.version() + " on port " + database.port()
                + ": a wrong password was refused, as it should be (28P01)");

        SecretsDirectory secrets = SecretsDirectory.create(
                home.resolve("secrets"),
                Map.of(Runbook.KEY, Generated.key(), Runbook.DATABASE_URL, database.url(FIRST_USER, password)));
        RunningService service = part(RunningService.start(secrets.path(), options.log(), refreshInterval));
        TokenIssuer issuer = part(TokenIssuer.over(secrets.path(), refreshInterval));
        terminal.say("  Service on " + service.address() + ", secrets in " + secrets.path());
        terminal.say("  " + setting());
        terminal.say("");

        RunResult result = underLoad(database, secrets, service, issuer);
        report(result);
        if (options.serve() && result.passed()) {
            terminal.say("");
            terminal.say(ByHand.explanation(service, secrets, database, issuer));
            await();
        }
        return result;
    }

    private static String setting() {
        return DemoOptions.CLIENTS + " clients, " + DemoOptions.REQUESTS_PER_SECOND
                + " requests per second, each with a token, a write and a read; Java "
                + Runtime.version().feature() + ", " + Runtime.getRuntime().availableProcessors() + " processors";
    }

    private RunResult underLoad(Database database, SecretsDirectory secrets, RunningService service, TokenIssuer issuer)
            throws IOException {
        Instant startedAt = Instant.now();
        RunClock clock = new RunClock(System.nanoTime() + warmUp.toNanos());
        Measurements measurements = new Measurements(clock);
        Bands bands = new Bands();
        bands.written(clock.seconds(), FIRST_USER, FIRST_USER, false);
        LoadClient client = part(new LoadClient(
                service.entries(),
                issuer,
                measurements,
                DemoOptions.CLIENTS,
                DemoOptions.REQUESTS_PER_SECOND,
                length.dividedBy(30),
                refreshInterval.multipliedBy(2).plusSeconds(1)));
        Runbook runbook = new Runbook(clock, length, secrets, database, service, issuer, client, bands, terminal);
        List<String> problems = Collections.synchronizedList(new ArrayList<>());

        Thread operator = Thread.currentThread();
        ScheduledExecutorService sampler = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task, "sampler");
            thread.setDaemon(true);
            return thread;
        });
        part(sampler::shutdownNow);
        var unused = sampler.scheduleWithFixedDelay(
                () -> {
                    try {
                        sample(clock, service, bands);
                    } catch (RuntimeException failure) {
                        problems.add("the service could not be looked at: " + failure);
                        throw failure;
                    }
                    if (measurements.failures() > FAILURES_TO_GIVE_UP) {
                        operator.interrupt();
                    }
                },
                0,
                50,
                TimeUnit.MILLISECONDS);
        client.start();
        terminal.show(() -> status(clock, measurements, service, runbook));
        try {
            runbook.play(FIRST_USER);
        } catch (IOException | SQLException | RuntimeException failure) {
            problems.add(
                    measurements.failures() > FAILURES_TO_GIVE_UP
                            ? "gave up after " + FAILURES_TO_GIVE_UP + " failures"
                            : String.valueOf(failure.getMessage()));
        }
        if (closed) {
            throw new IOException("the demo has been ended");
        }
        boolean interrupted = Thread.interrupted();
        double seconds = Math.max(0, clock.seconds());
        client.close();
        sampler.shutdownNow();
        sample(clock, service, bands);
        terminal.hide();
        if (interrupted && problems.isEmpty()) {
            problems.add("interrupted");
        }

        double settling = Math.min(2, seconds / 30);
        List<Step> steps = runbook.steps(measurements, settling);
        LongPredicate steady =
                at -> at >= 0 && steps.stream().noneMatch(step -> at >= step.written() * 1e9 && at < step.end() * 1e9);
        if (measurements.failures() > 0) {
            problems.add(0, Format.count(measurements.failures()) + " requests failed that should not have");
        }
        if (problems.isEmpty() && measurements.expectedRefusals() == 0) {
            problems.add("no token of the removed key was ever refused");
        }
        return new RunResult(
                startedAt,
                seconds,
                setting(),
                new RunResult.Totals(
                        measurements.requests(),
                        measurements.failures(),
                        measurements.failureKinds(),
                        measurements.expectedRefusals(),
                        service.accepted(Role.CURRENT),
                        service.accepted(Role.PREVIOUS),
                        service.database().failedLogins(),
                        database.refusedLogins(),
                        service.database().connectionsMoved()),
                measurements.latency(steady),
                steps,
                measurements.slices(Duration.ofMillis(options.seconds() >= 45 ? 500 : 250), Duration.ofMillis((long)
                        (seconds * 1000))),
                bands.keyBands(seconds),
                bands.credentialBands(),
                List.copyOf(problems));
    }

    private static void sample(RunClock clock, RunningService service, Bands bands) {
        double at = clock.seconds();
        bands.keys(at, service.keys());
        List<CredentialStatus> newestFirst = service.database().credentials();
        for (int i = newestFirst.size() - 1; i >= 0; i--) {
            CredentialStatus one = newestFirst.get(i);
            bands.connections(at, one.version(), one.user(), one.connections());
        }
    }

    private List<String> status(RunClock clock, Measurements measurements, RunningService service, Runbook runbook) {
        Recent recent = measurements.takeRecent();
        double at = clock.seconds();
        int width = 30;
        int done = (int) Math.max(0, Math.min(width, width * at / length.toSeconds()));
        String bar = "[" + "=".repeat(done) + " ".repeat(width - done) + "]";
        String when = at < 0 ? "warming up" : String.format(Locale.ROOT, "%.0f of %d s", at, length.toSeconds());
        StringBuilder connections = new StringBuilder();
        for (CredentialStatus one : service.database().credentials()) {
            if (one.connections() > 0 || one.phase() == CredentialPhase.CURRENT) {
                connections
                        .append(connections.isEmpty() ? "" : " + ")
                        .append(one.connections())
                        .append(' ')
                        .append(one.user());
            }
        }
        return List.of(
                String.format(
                        Locale.ROOT,
                        "%s %-10s  %,7d requests, %d failed  %s",
                        bar,
                        when,
                        measurements.requests(),
                        measurements.failures(),
                        runbook.doing()),
                String.format(
                        Locale.ROOT,
                        "%.0f/s, p50 %s, p99 %s; keys accepted: %d; connections: %s",
                        recent.perSecond(),
                        Format.millis(recent.latency(), recent.latency().p50()),
                        Format.millis(recent.latency(), recent.latency().p99()),
                        service.keys().size(),
                        connections));
    }

    private void report(RunResult result) throws IOException {
        HtmlReport.write(result, options.report());
        terminal.say("");
        SummaryTable.lines(result).forEach(terminal::say);
        terminal.say("");
        result.problems().forEach(problem -> terminal.say("  PROBLEM: " + problem));
        terminal.say(
                result.passed()
                        ? "Passed: " + result.rotations() + " rotations, no restart, no failed request."
                        : "FAILED.");
        terminal.say("Report: " + options.report());
        terminal.say("Log:    " + options.log());
    }

    private static void await() {
        try {
            new CountDownLatch(1).await();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private <T extends AutoCloseable> T part(T part) throws IOException {
        synchronized (parts) {
            if (!closed) {
                parts.push(part);
                return part;
            }
        }
        close(part);
        throw new IOException("the demo is being ended");
    }

    /** Ends what has been started, the last first. */
    @Override
    public void close() {
        synchronized (parts) {
            closed = true;
        }
        terminal.close();
        synchronized (starting) {
            for (AutoCloseable next = next(); next != null; next = next()) {
                close(next);
            }
        }
    }

    private @Nullable AutoCloseable next() {
        synchronized (parts) {
            return parts.poll();
        }
    }

    private static void close(AutoCloseable part) {
        try {
            part.close();
        } catch (Exception failure) {
            System.err.println("demo: while ending: " + failure.getClass().getName());
        }
    }
}
