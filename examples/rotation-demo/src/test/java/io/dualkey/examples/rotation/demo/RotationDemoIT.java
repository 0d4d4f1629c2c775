package io.dualkey.examples.rotation.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RotationDemoIT {

    private static final Pattern DIRECTORY = Pattern.compile("secrets in (\\S+)");
    private static final Pattern PASSWORD = Pattern.compile("://[^:]+:([^@]+)@");

    @TempDir
    Path temp;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    @Test
    void rotatesSixTimesWithoutAFailedRequestAndShowsNoSecret() throws Exception {
        DemoOptions options = new DemoOptions(15, false, false, temp.resolve("report.html"));
        PrintStream stream = new PrintStream(out, true, StandardCharsets.UTF_8);
        RunResult result;
        Set<String> secrets;
        Path home;
        try (RotationDemo demo = new RotationDemo(options, new Terminal(stream, false))) {
            CompletableFuture<RunResult> run = CompletableFuture.supplyAsync(() -> {
                try {
                    return demo.run();
                } catch (Exception failure) {
                    throw new IllegalStateException(printed(), failure);
                }
            });
            secrets = collectSecrets(run);
            result = run.join();
            home = directory().getParent();
            assertThat(home).exists();
        }

        assertThat(result.problems()).isEmpty();
        assertThat(result.totals().failures()).isZero();
        assertThat(result.totals().requests()).isGreaterThan(1_000);
        assertThat(result.totals().acceptedByPrevious()).isPositive();
        assertThat(result.totals().expectedRefusals()).isPositive();
        assertThat(result.rotations()).isEqualTo(6);
        assertThat(result.steps())
                .allSatisfy(
                        step -> assertThat(step.effective()).as(step.title()).isPresent());
        assertThat(result.keys()).hasSize(3);
        assertThat(home).doesNotExist();

        assertThat(secrets).hasSizeGreaterThan(8);
        secrets.add("eyJ"); // with which every token begins
        assertThat(printed()).doesNotContain(secrets);
        assertThat(Files.readString(options.report())).doesNotContain(secrets);
        assertThat(Files.readString(options.log())).doesNotContain(secrets);
    }

    /** Looks into the directory of secrets again and again while the demo runs. */
    private Set<String> collectSecrets(CompletableFuture<?> run) {
        Set<String> secrets = new HashSet<>();
        await().pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(50))
                .atMost(Duration.ofMinutes(5))
                .until(() -> {
                    Path directory = directory();
                    if (directory != null) {
                        read(directory.resolve(Runbook.KEY), secrets);
                        read(directory.resolve(Runbook.DATABASE_URL), secrets);
                    }
                    return run.isDone();
                });
        return secrets;
    }

    private static void read(Path file, Set<String> into) throws IOException {
        String secret;
        try {
            secret = Files.readString(file);
        } catch (NoSuchFileException justReplaced) {
            return;
        }
        Matcher url = PASSWORD.matcher(secret);
        if (url.find()) {
            into.add(url.group(1));
            into.add(URLDecoder.decode(url.group(1), StandardCharsets.UTF_8));
        } else {
            into.add(secret);
        }
    }

    private Path directory() {
        Matcher said = DIRECTORY.matcher(printed());
        return said.find() ? Path.of(said.group(1)) : null;
    }

    private String printed() {
        return out.toString(StandardCharsets.UTF_8);
    }
}
