package io.dualkey.benchmarks.report;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Makes tables, JSON and plots of what one run of {@code benchmarks/run} measured. Each figure is the best of its iterations:
 * the others measure what else the machine did. Ratios are within the run.
 */
public final class BenchmarkReport {

    private static final int ROW = 22;
    private static final int LABELS = 200;
    private static final int BARS = 380;
    private static final String PICTURES = """
            ![Time to verify a token, by library](images/benchmarks-jwt.svg)
            ![Time to read a secret and to borrow a connection](images/benchmarks-read.svg)
            ![How long borrowers wait through rotations](images/benchmarks-rotation.svg)

            """;
    private static final ObjectMapper MAPPER = new ObjectMapper();

    /**
     * What one benchmark measured.
     *
     * @param name of the class and the method
     * @param params as JMH has them, and the number of threads
     * @param best the least time of an iteration, in nanoseconds
     * @param bytes allocated by an operation; null if that was not measured
     */
    record Measured(
            String name,
            Map<String, String> params,
            double best,
            @Nullable Double bytes) {

        String param(String key) {
            return params.getOrDefault(key, "");
        }
    }

    /**
     * A bar of a plot.
     *
     * @param label what it is
     * @param value its length
     * @param text at its end
     * @param ours whether it stands out
     */
    record Bar(String label, double value, String text, boolean ours) {}

    private final List<Measured> measured = new ArrayList<>();
    private final ObjectNode all = MAPPER.createObjectNode();
    private final JsonNode latencies;

    /**
     * Reads the results.
     *
     * @param results a folder with the JSON of JMH in {@code jmh-*.json}, and of the latencies in {@code latency.json}
     * @param command that made them
     * @throws IOException if they cannot be read
     */
    BenchmarkReport(Path results, String command) throws IOException {
        all.put("command", command);
        List<Path> files;
        try (var listed = Files.list(results)) {
            files = listed.filter(file -> file.getFileName().toString().startsWith("jmh-"))
                    .sorted()
                    .toList();
        }
        Set<String> seen = new LinkedHashSet<>();
        for (Path file : files) {
            for (JsonNode one : MAPPER.readTree(file.toFile())) {
                Measured read = read(one);
                if (seen.add(read.name() + read.params())) {
                    measured.add(read);
                    all.withArray("jmh").add(one);
                }
            }
        }
        latencies = MAPPER.readTree(results.resolve("latency.json").toFile());
        all.set("latency", latencies);
        all.set("machine", MAPPER.readTree(results.resolve("machine.json").toFile()));
    }

    private static Measured read(JsonNode one) {
        JsonNode metric = one.get("primaryMetric");
        double best = Double.MAX_VALUE;
        for (JsonNode fork : metric.get("rawData")) {
            for (JsonNode iteration : fork) {
                best = Math.min(best, iteration.asDouble());
            }
        }
        double unit = switch (metric.get("scoreUnit").asText()) {
            case "ns/op" -> 1;
            case "us/op" -> 1000;
            case "s/op" -> 1e9; // the default of JMH
            default -> throw new IllegalArgumentException("another unit than times: " + metric.get("scoreUnit"));
        };
        Map<String, String> params = new LinkedHashMap<>();
        one.path("params")
                .properties()
                .forEach(entry -> params.put(entry.getKey(), entry.getValue().asText()));
        params.put("threads", one.path("threads").asText("1"));
        String[] name = one.get("benchmark").asText().split("\\.", -1);
        return new Measured(
                name[name.length - 2] + "." + name[name.length - 1],
                params,
                best * unit,
                allocated(one.path("secondaryMetrics")));
    }

    /** Versions of JMH put a dot before the name or not. */
    private static @Nullable Double allocated(JsonNode metrics) {
        for (String name : new String[] {"gc.alloc.rate.norm", "\u00b7gc.alloc.rate.norm"}) {
            if (metrics.has(name)) {
                return metrics.get(name).get("score").asDouble();
            }
        }
        return null;
    }

    /**
     * Writes the report of a run.
     *
     * @param arguments the folder of the results, the folder of the documentation, and the command
     * @throws IOException if something cannot be read or written
     */
    public static void main(String[] arguments) throws IOException {
        BenchmarkReport report = new BenchmarkReport(Path.of(arguments[0]), arguments[2]);
        System.out.println(report.markdown());
        report.write(Path.of(arguments[1]));
    }

    void write(Path docs) throws IOException {
        Files.createDirectories(docs.resolve("results"));
        Files.createDirectories(docs.resolve("images"));
        Files.writeString(
                docs.resolve("results/benchmarks.json"),
                MAPPER.writerWithDefaultPrettyPrinter().writeValueAsString(all) + "\n");
        Files.writeString(docs.resolve("images/benchmarks-jwt.svg"), jwtPlot().toString());
        Files.writeString(docs.resolve("images/benchmarks-read.svg"), readPlot().toString());
        Files.writeString(
                docs.resolve("images/benchmarks-rotation.svg"), latencyPlot().toString());
        new Page(docs.resolve("benchmarks.md")).replace("benchmarks", PICTURES + markdown());
    }

    String markdown() {
        StringBuilder text = new StringBuilder();
        JsonNode machine = all.path("machine");
        text.append(String.format(
                "%s, %s; %s. `%s`%n%n",
                machine.path("date").asText(),
                machine.path("machine").asText(),
                machine.path("jdk").asText(),
                all.path("command").asText()));
        for (String algorithm : algorithms()) {
            text.append("Verifying a token, ")
                    .append(title(algorithm))
                    .append(":\n\n")
                    .append(jwtTable(algorithm))
                    .append('\n');
        }
        text.append(
                        "Verifying with a security provider that computes nothing, which is what Dualkey adds to the signature:\n\n")
                .append(overheadTable());
        text.append("\nA token that is known from the cache, each time as a new String:\n\n")
                .append(cacheTable());
        text.append("\nTwo threads beside one, HS256:\n\n")
                .append(threadsTable())
                .append('\n');
        text.append("Reading a warm secret:\n\n")
                .append(simpleTable("SecretReadBenchmark.", "SecretReadBenchmark.volatileRead", "x volatile read"));
        text.append("\nBorrowing and returning a connection:\n\n")
                .append(simpleTable("BorrowBenchmark.", "BorrowBenchmark.plain", "x HikariCP"));
        text.append("\nBorrowing while credentials rotate, in microseconds:\n\n")
                .append(latencyTable());
        return text.toString();
    }

    private Set<String> algorithms() {
        return distinct(one -> isJwt(one), one -> one.param("algorithm"));
    }

    private static boolean isJwt(Measured one) {
        return one.name().startsWith("JwtVerificationBenchmark.")
                && !one.param("threads").equals("2");
    }

    private Set<String> distinct(Predicate<Measured> which, Function<Measured, String> what) {
        Set<String> values = new LinkedHashSet<>();
        measured.stream().filter(which).map(what).forEach(values::add);
        return values;
    }

    private @Nullable Measured jwt(String library, String algorithm, String scenario) {
        return measured.stream()
                .filter(one -> isJwt(one)
                        && one.param("library").equals(library)
                        && one.param("algorithm").equals(algorithm)
                        && one.param("scenario").equals(scenario))
                .findFirst()
                .orElse(null);
    }

    private String jwtTable(String algorithm) {
        Predicate<Measured> these = one -> isJwt(one) && one.param("algorithm").equals(algorithm);
        Set<String> scenarios = distinct(these, one -> one.param("scenario"));
        StringBuilder text = new StringBuilder("| |");
        scenarios.forEach(scenario -> {
            String title = scenario.toLowerCase(Locale.ROOT).replace('_', ' ');
            text.append(' ').append(title).append(", ns | x raw | bytes |");
        });
        text.append("\n|---|").append("---|---|---|".repeat(scenarios.size())).append('\n');
        for (String library : distinct(these, one -> one.param("library"))) {
            text.append("| ").append(title(library)).append(" |");
            for (String scenario : scenarios) {
                Measured one = jwt(library, algorithm, scenario);
                Measured floor = jwt("RAW", algorithm, scenario);
                text.append(
                        one == null
                                ? " | | |"
                                : String.format(
                                        Locale.ROOT,
                                        " %,.0f | %s | %s |",
                                        one.best(),
                                        floor == null ? "" : ratio(one.best() / floor.best()),
                                        bytes(one)));
            }
            text.append('\n');
        }
        return text.toString();
    }

    private String overheadTable() {
        StringBuilder text = new StringBuilder("| | ns | bytes |\n|---|---|---|\n");
        measured.stream()
                .filter(one -> one.name().equals("JwtOverheadBenchmark.verify"))
                .forEach(one -> text.append(String.format(
                        "| %s | %s | %s |%n", title(one.param("algorithm")), nanos(one.best()), bytes(one))));
        return text.toString();
    }

    /** The String is made within the measurement, so it is taken away again. */
    private String cacheTable() {
        StringBuilder text = new StringBuilder(
                "| | String and hit, ns | bytes | the String alone, ns | bytes | the hit, ns | bytes |\n|---|---|---|---|---|---|---|\n");
        for (Measured both : measured) {
            if (!both.name().equals("JwtCacheBenchmark.newStringAndHit")) {
                continue;
            }
            for (Measured alone : measured) {
                if (alone.name().equals("JwtCacheBenchmark.newString")
                        && alone.params().equals(both.params())) {
                    text.append(String.format(
                            Locale.ROOT,
                            "| %s | %s | %s | %s | %s | %s | %s |%n",
                            both.param("algorithm"),
                            nanos(both.best()),
                            bytes(both),
                            nanos(alone.best()),
                            bytes(alone),
                            nanos(both.best() - alone.best()),
                            both.bytes() == null || alone.bytes() == null
                                    ? ""
                                    : String.format(Locale.ROOT, "%,.0f", both.bytes() - alone.bytes())));
                }
            }
        }
        return text.toString();
    }

    private String threadsTable() {
        StringBuilder text =
                new StringBuilder("| | one thread, ns | each of two, ns | together, x one |\n|---|---|---|---|\n");
        for (Measured two : measured) {
            Measured one = jwt(two.param("library"), two.param("algorithm"), two.param("scenario"));
            if (two.param("threads").equals("2") && one != null) {
                text.append(String.format(
                        Locale.ROOT,
                        "| %s | %s | %s | %.2f |%n",
                        title(two.param("library")),
                        nanos(one.best()),
                        nanos(two.best()),
                        2 * one.best() / two.best()));
            }
        }
        return text.toString();
    }

    private static String title(String library) {
        return switch (library) {
            case "EDDSA" -> "EdDSA";
            case "RAW" -> "the signature alone";
            case "DUALKEY" -> "**Dualkey**";
            case "NIMBUS" -> "Nimbus DefaultJWTProcessor";
            case "AUTH0" -> "auth0 java-jwt";
            case "FUSIONAUTH" -> "FusionAuth fusionauth-jwt";
            case "JJWT" -> "jjwt";
            case "SPRING" -> "Spring NimbusJwtDecoder";
            case "SecretReadBenchmark.volatileRead" -> "a volatile field";
            case "SecretReadBenchmark.current" -> "**Dualkey**, `current()`";
            case "SecretReadBenchmark.acceptedNow" -> "**Dualkey**, what is accepted now";
            case "SecretReadBenchmark.caffeineGet" -> "Caffeine, `getIfPresent`";
            case "SecretReadBenchmark.awsCachingGet" -> "aws-secretsmanager-caching-java, `getSecretString`";
            case "BorrowBenchmark.plain" -> "HikariCP";
            case "BorrowBenchmark.rotating" -> "**Dualkey**, `RotatingDataSource`";
            default -> library;
        };
    }

    private static String ratio(double ratio) {
        return String.format(Locale.ROOT, ratio < 10 ? "%.1f" : "%,.0f", ratio);
    }

    private static String nanos(double nanos) {
        return String.format(Locale.ROOT, nanos < 100 ? "%.1f" : "%,.0f", nanos);
    }

    private static String bytes(Measured one) {
        return one.bytes() == null ? "" : String.format(Locale.ROOT, "%,.0f", one.bytes());
    }

    private String simpleTable(String prefix, String floorName, String ratioTitle) {
        StringBuilder text = new StringBuilder("| | ns | " + ratioTitle + " | bytes |\n|---|---|---|---|\n");
        double floor = measured.stream()
                .filter(one -> one.name().equals(floorName))
                .mapToDouble(Measured::best)
                .findFirst()
                .orElse(Double.NaN);
        measured.stream()
                .filter(one -> one.name().startsWith(prefix))
                .sorted((a, b) -> Double.compare(a.best(), b.best()))
                .forEach(one -> text.append(String.format(
                        "| %s | %s | %s | %s |%n",
                        title(one.name()), nanos(one.best()), ratio(one.best() / floor), bytes(one))));
        return text.toString();
    }

    private String latencyTable() {
        StringBuilder text = new StringBuilder(
                "| | steady p50 | p99 | max | rotating p50 | p99 | max | most connections open |\n|---|---|---|---|---|---|---|---|\n");
        for (JsonNode way : latencies) {
            JsonNode steady = way.get("steady");
            JsonNode rotating = way.get("rotating");
            text.append(String.format(
                    Locale.ROOT,
                    "| %s | %.0f | %.0f | %,.0f | %.0f | %,.0f | %,.0f | %d |%n",
                    way.get("way").asText(),
                    steady.get("p50").asDouble(),
                    steady.get("p99").asDouble(),
                    steady.get("max").asDouble(),
                    rotating.get("p50").asDouble(),
                    rotating.get("p99").asDouble(),
                    rotating.get("max").asDouble(),
                    rotating.get("mostOpen").asInt()));
        }
        return text.toString();
    }

    private Svg jwtPlot() {
        Map<String, List<Bar>> groups = new LinkedHashMap<>();
        for (String algorithm : algorithms()) {
            List<Bar> bars = new ArrayList<>();
            for (String library : distinct(BenchmarkReport::isJwt, one -> one.param("library"))) {
                Measured one = jwt(library, algorithm, "CURRENT");
                if (one != null) {
                    bars.add(bar(title(library), one));
                }
            }
            groups.put(title(algorithm) + ", a token not seen before, ns", bars);
        }
        return plot("Time to verify a token, by library", groups);
    }

    private static Bar bar(String title, Measured one) {
        return new Bar(title.replace("*", "").replace("`", ""), one.best(), nanos(one.best()), title.startsWith("**"));
    }

    private Svg readPlot() {
        Map<String, List<Bar>> groups = new LinkedHashMap<>();
        groups.put("Reading a warm secret, ns", barsOf("SecretReadBenchmark."));
        groups.put("Borrowing and returning a connection, ns", barsOf("BorrowBenchmark."));
        return plot("Time to read a secret and to borrow a connection", groups);
    }

    private List<Bar> barsOf(String prefix) {
        return measured.stream()
                .filter(one -> one.name().startsWith(prefix))
                .map(one -> bar(title(one.name()), one))
                .toList();
    }

    private Svg latencyPlot() {
        Map<String, List<Bar>> groups = new LinkedHashMap<>();
        for (String quantile : new String[] {"p99", "max"}) {
            List<Bar> bars = new ArrayList<>();
            for (JsonNode way : latencies) {
                double micros = way.get("rotating").get(quantile).asDouble();
                String name = way.get("way").asText();
                bars.add(new Bar(
                        name, micros, String.format(Locale.ROOT, "%,.0f", micros), name.startsWith("Rotating")));
            }
            groups.put("Borrowing while credentials rotate, " + quantile + ", microseconds", bars);
        }
        return plot("How long borrowers wait through rotations", groups);
    }

    private static Svg plot(String description, Map<String, List<Bar>> groups) {
        int rows = groups.values().stream().mapToInt(List::size).sum();
        Svg svg = new Svg(LABELS + BARS + 80, rows * ROW + groups.size() * 50 + 10, description);
        double y = 0;
        for (var group : groups.entrySet()) {
            y += 28;
            svg.text("title", 10, y, group.getKey());
            y += 10;
            double longest =
                    group.getValue().stream().mapToDouble(Bar::value).max().orElse(1);
            for (Bar bar : group.getValue()) {
                svg.text("end", LABELS, y + 14, bar.label());
                double length = Math.max(1, BARS * bar.value() / longest);
                svg.bar(bar.ours() ? "s0" : "s3", LABELS + 8, y + 3, length, ROW - 8);
                svg.text("ink", LABELS + 14 + length, y + 14, bar.text());
                y += ROW;
            }
            y += 12;
        }
        return svg;
    }
}
