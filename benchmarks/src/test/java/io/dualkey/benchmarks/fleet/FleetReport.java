package io.dualkey.benchmarks.fleet;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.dualkey.benchmarks.fleet.FleetCase.Way;
import io.dualkey.benchmarks.report.Svg;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import java.util.stream.DoubleStream;
import org.jspecify.annotations.Nullable;

/** The results of several fleets as a table, as JSON and as a plot. */
final class FleetReport {

    private static final int PANEL = 330;
    private static final int TOP = 60;
    private static final int HIGH = 240;

    private final List<FleetResult> results;

    FleetReport(List<FleetResult> results) {
        this.results = results;
    }

    String markdown() {
        StringBuilder text = new StringBuilder();
        for (VaultService service : VaultService.values()) {
            text.append("### ").append(service.title).append("\n\n");
            text.append(
                    "| replicas | way | interval | calls an hour | busiest 10 s | throttled | reads of one version in an"
                            + " hour | 50% | 99% | 100% | verifications | by the previous key | refused |\n");
            text.append("|---|---|---|---|---|---|---|---|---|---|---|---|---|\n");
            for (FleetResult result : results) {
                if (result.fleet().service() == service) {
                    text.append(row(result));
                }
            }
            text.append('\n');
        }
        return text.toString();
    }

    private static String row(FleetResult result) {
        FleetCase fleet = result.fleet();
        return String.format(
                Locale.ROOT,
                "| %,d | %s | %s | %,.0f | %,d | %,d | %,d | %s | %s | %s | %,d | %,d | %,d |%n",
                fleet.replicas(),
                fleet.way().title,
                words(fleet.interval()),
                result.callsPerHour(),
                result.busiestTenSeconds(),
                result.throttled(),
                result.readsOfOneVersion(),
                words(result.half()),
                words(result.most()),
                words(result.all()),
                result.tokens(),
                result.ofPrevious(),
                result.refused());
    }

    static String words(@Nullable Duration duration) {
        if (duration == null) {
            return "not reached";
        }
        long seconds = duration.plusMillis(500).toSeconds();
        if (seconds < 1) {
            return "under 1 s";
        }
        if (seconds < 120 && seconds % 60 != 0) {
            return seconds + " s";
        }
        long minutes = (seconds + 30) / 60;
        return minutes < 120 && minutes != 60
                ? minutes + " min"
                : String.format(Locale.ROOT, "%.1f h", minutes / 60.0).replace(".0 h", " h");
    }

    String json() throws IOException {
        ObjectMapper mapper = new ObjectMapper();
        ArrayNode all = mapper.createArrayNode();
        for (FleetResult result : results) {
            FleetCase fleet = result.fleet();
            ObjectNode one = all.addObject()
                    .put("vault", fleet.service().title)
                    .put("way", fleet.way().title)
                    .put("replicas", fleet.replicas())
                    .put("intervalSeconds", fleet.interval().toSeconds())
                    .put("propagationSeconds", fleet.propagation().toSeconds())
                    .put("spreadSeconds", fleet.pushed() ? fleet.spread().toSeconds() : 0)
                    .put(
                            "watchedHours",
                            FleetSimulation.period(fleet.replicas()).toHours())
                    .put("callsPerHour", Math.round(result.callsPerHour()))
                    .put("busiestTenSeconds", result.busiestTenSeconds())
                    .put("throttled", result.throttled())
                    .put("readsOfOneVersionInTheBusiestHour", result.readsOfOneVersion())
                    .put("verifications", result.tokens())
                    .put("byThePreviousKey", result.ofPrevious())
                    .put("refused", result.refused());
            seconds(one, "secondsTo50Percent", result.half());
            seconds(one, "secondsTo99Percent", result.most());
            seconds(one, "secondsTo100Percent", result.all());
        }
        return mapper.writerWithDefaultPrettyPrinter().writeValueAsString(all) + "\n";
    }

    private static void seconds(ObjectNode node, String name, @Nullable Duration duration) {
        if (duration == null) {
            node.putNull(name);
        } else {
            node.put(name, duration.toMillis() / 1000.0);
        }
    }

    Svg plot() {
        Svg svg = new Svg(
                2 * PANEL + 40,
                TOP + HIGH + 60,
                "Calls in the busiest 10 seconds, and time until the whole fleet has a new version, by the number of replicas");
        double limit = VaultService.AZURE.gets;
        Panel calls = new Panel(svg, 60, "Calls in the busiest 10 seconds", 1, 10_000);
        calls.tick(1, "1");
        calls.tick(10, "10");
        calls.tick(100, "100");
        calls.tick(1000, "1,000");
        calls.tick(10_000, "10,000");
        calls.series(FleetResult::busiestTenSeconds);
        svg.line("limit", calls.left, calls.y(limit), calls.left + PANEL - 80, calls.y(limit));
        svg.text("limit", calls.left + 6, calls.y(limit) - 4, "the vault's limit: 4,000");

        Panel times = new Panel(svg, PANEL + 80, "Until the whole fleet has it", 1, 3600);
        times.tick(1, "1 s");
        times.tick(10, "10 s");
        times.tick(60, "1 min");
        times.tick(600, "10 min");
        times.tick(3600, "1 h");
        times.series(
                result -> result.all() == null ? 3600 : Math.max(1, result.all().toMillis() / 1000.0));

        double y = TOP + HIGH + 50;
        double x = 60;
        for (Way way : List.of(Way.POLLING, Way.MOUNT, Way.PUSH)) {
            svg.bar(colour(way), x, y - 9, 10, 10);
            svg.text("ink", x + 16, y, way.title);
            x += 140;
        }
        svg.text("faint", x, y, VaultService.AZURE.title + ", 10 secrets");
        return svg;
    }

    private static String colour(Way way) {
        return switch (way) {
            case POLLING -> "s0";
            case MOUNT -> "s1";
            default -> "s2";
        };
    }

    /** Both axes are logarithmic. */
    private final class Panel {

        private final Svg svg;
        final double left;
        private final double least;
        private final double most;

        Panel(Svg svg, double left, String title, double least, double most) {
            this.svg = svg;
            this.left = left;
            this.least = least;
            this.most = most;
            svg.text("title", left, TOP - 24, title);
            for (int replicas : new int[] {10, 100, 1000, 10_000}) {
                svg.text("faint middle", x(replicas), TOP + HIGH + 18, String.format(Locale.ROOT, "%,d", replicas));
            }
        }

        double x(double replicas) {
            return left + 10 + (PANEL - 100) * (Math.log10(replicas) - 1) / 3;
        }

        double y(double value) {
            double part = Math.log(value / least) / Math.log(most / least);
            return TOP + HIGH * (1 - Math.max(0, part));
        }

        void tick(double value, String label) {
            svg.line("faint", left, y(value), left + PANEL - 80, y(value));
            svg.text("faint end", left - 6, y(value) + 4, label);
        }

        void series(ToDoubleFunction<FleetResult> value) {
            for (Way way : List.of(Way.POLLING, Way.MOUNT, Way.PUSH)) {
                double[] points = results.stream()
                        .filter(result -> result.fleet().service() == VaultService.AZURE
                                && result.fleet().way() == way)
                        .flatMapToDouble(
                                result -> DoubleStream.of(x(result.fleet().replicas()), y(value.applyAsDouble(result))))
                        .toArray();
                svg.path(colour(way), points);
            }
        }
    }
}
