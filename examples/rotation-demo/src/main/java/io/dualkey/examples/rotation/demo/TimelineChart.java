package io.dualkey.examples.rotation.demo;

import io.dualkey.examples.rotation.demo.CredentialBand.Point;
import io.dualkey.examples.rotation.demo.KeyBand.Acceptance;
import io.dualkey.examples.rotation.demo.Measurements.Slice;
import java.util.List;
import java.util.Locale;
import java.util.function.ToLongFunction;

/**
 * The drawing of a run: throughput and latency over time, the steps of the runbook across all of it, and below it what
 * each key and each generation of credentials was at that time.
 */
final class TimelineChart {

    private static final double WIDTH = 1120;
    private static final double LEFT = 148;
    private static final double RIGHT = WIDTH - 14;
    private static final double LABEL_ROW = 19;
    private static final double CHART_TOP = 2 * LABEL_ROW + 14;
    private static final double TITLE = 26;
    private static final double THROUGHPUT_HEIGHT = 96;
    private static final double LATENCY_HEIGHT = 150;
    private static final double KEY_HEIGHT = 18;
    private static final double CREDENTIAL_HEIGHT = 26;
    private static final double GAP = 7;
    private static final double SECTION_GAP = 18;
    /** About the width of a letter of the labels of steps. */
    private static final double LETTER = 7;

    private static final long[] TICKS = {
        100,
        200,
        500,
        1_000,
        2_000,
        5_000,
        10_000,
        20_000,
        50_000,
        100_000,
        200_000,
        500_000,
        1_000_000,
        2_000_000,
        5_000_000,
        10_000_000,
        20_000_000,
        60_000_000
    };

    private final RunResult run;
    private final Svg svg = new Svg();

    private TimelineChart(RunResult run) {
        this.run = run;
    }

    /** {@return the drawing, as an element to be put into a page with the report's style sheet} */
    static String draw(RunResult run) {
        return new TimelineChart(run).draw();
    }

    private String draw() {
        double throughputTop = CHART_TOP + TITLE;
        double latencyTop = throughputTop + THROUGHPUT_HEIGHT + SECTION_GAP + TITLE;
        double keysTop = latencyTop + LATENCY_HEIGHT + SECTION_GAP + TITLE;
        double credentialsTop = keysTop + run.keys().size() * (KEY_HEIGHT + GAP) + SECTION_GAP + TITLE - GAP;
        double bottom = credentialsTop + run.credentials().size() * (CREDENTIAL_HEIGHT + GAP);

        svg.raw(String.format(
                Locale.ROOT,
                "<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"Throughput, latency, keys and credentials"
                        + " over time\" xmlns=\"http://www.w3.org/2000/svg\">",
                WIDTH,
                bottom + 34));
        svg.raw("<defs><pattern id=\"hatch\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\""
                + " patternTransform=\"rotate(45)\"><rect class=\"hatch-ground\" width=\"6\" height=\"6\"/>"
                + "<line class=\"hatch-line\" x1=\"0\" y1=\"0\" x2=\"0\" y2=\"6\"/></pattern></defs>");
        stepsBehind(bottom);
        throughput(throughputTop);
        latency(latencyTop);
        keys(keysTop);
        credentials(credentialsTop);
        stepsInFront(bottom);
        timeAxis(bottom);
        explanations(throughputTop, latencyTop + LATENCY_HEIGHT);
        svg.raw("</svg>");
        return svg.toString();
    }

    private double x(double seconds) {
        double within = Math.max(0, Math.min(run.seconds(), seconds));
        return LEFT + within / Math.max(1e-9, run.seconds()) * (RIGHT - LEFT);
    }

    private void stepsBehind(double bottom) {
        for (Step step : run.steps()) {
            String style = "window " + style(step);
            svg.rect(style, x(step.written()), CHART_TOP, x(step.end()) - x(step.written()), bottom - CHART_TOP, 0);
        }
    }

    private static String style(Step step) {
        return step.kind() == Step.Kind.BAD_SECRET || step.kind() == Step.Kind.REVOCATION ? "bad" : "good";
    }

    /** A label goes into the upper row where the lower one is still taken. */
    private void stepsInFront(double bottom) {
        double[] taken = {0, 0};
        for (Step step : run.steps()) {
            double at = x(step.written());
            double width = 20 + step.label().length() * LETTER;
            boolean leftwards = at - 9 + width > WIDTH;
            double start = leftwards ? at + 9 - width : at - 9;
            int row = start >= taken[1] ? 1 : 0;
            taken[row] = Math.max(taken[row], start + width + 4);
            double y = 12 + row * LABEL_ROW;
            svg.line("marker " + style(step), at, y, at, bottom);
            svg.circle("badge " + style(step), at, y, 8);
            svg.text("badge-text", at, y + 3.6, Integer.toString(step.number()));
            svg.text(leftwards ? "label end" : "label", leftwards ? at - 12 : at + 12, y + 3.8, step.label());
        }
    }

    private void title(double top, String title) {
        svg.text("title", LEFT, top - 9, title);
    }

    private void legend(double top, String... stylesAndTexts) {
        double at = RIGHT;
        for (int i = stylesAndTexts.length - 2; i >= 0; i -= 2) {
            String text = stylesAndTexts[i + 1];
            at -= text.length() * LETTER;
            svg.text("small", at, top - 9, text);
            svg.rect(stylesAndTexts[i], at - 22, top - 17.5, 16, 9, 2);
            at -= 34;
        }
    }

    private void throughput(double top) {
        title(top, "Requests per second");
        double highest =
                run.slices().stream().mapToDouble(Slice::perSecond).max().orElse(1);
        double step = roundStep(highest / 3);
        double scale = Math.max(step, Math.ceil(highest * 1.04 / step) * step);
        for (double value = 0; value <= scale + 1e-6; value += step) {
            double y = top + THROUGHPUT_HEIGHT * (1 - value / scale);
            svg.line("grid", LEFT, y, RIGHT, y);
            svg.text("tick", LEFT - 8, y + 3.6, Format.count(Math.round(value)));
        }
        StringBuilder line = new StringBuilder();
        for (Slice slice : run.slices()) {
            double y = top + THROUGHPUT_HEIGHT * (1 - slice.perSecond() / scale);
            point(line, x(slice.start() + slice.width() / 2), y);
        }
        if (!line.isEmpty()) {
            List<Slice> slices = run.slices();
            Slice first = slices.get(0);
            Slice last = slices.get(slices.size() - 1);
            double base = top + THROUGHPUT_HEIGHT;
            svg.path(
                    "throughput-area",
                    line
                            + String.format(
                                    Locale.ROOT,
                                    "L%.1f %.1fL%.1f %.1fZ",
                                    x(last.start() + last.width() / 2),
                                    base,
                                    x(first.start() + first.width() / 2),
                                    base));
            svg.path("throughput", line);
        }
        for (Slice slice : run.slices()) {
            if (slice.failures() > 0) {
                svg.rect(
                        "failed",
                        x(slice.start()),
                        top + THROUGHPUT_HEIGHT - 5,
                        x(slice.start() + slice.width()) - x(slice.start()),
                        5,
                        0);
            }
        }
    }

    private static double roundStep(double about) {
        double power = Math.pow(10, Math.floor(Math.log10(Math.max(about, 1))));
        double digit = about / power;
        return power * (digit <= 1 ? 1 : digit <= 2 ? 2 : digit <= 5 ? 5 : 10);
    }

    private static void point(StringBuilder path, double x, double y) {
        path.append(String.format(Locale.ROOT, "%s%.1f %.1f", path.isEmpty() ? "M" : "L", x, y));
    }

    private void latency(double top) {
        title(top, "Latency (logarithmic)");
        legend(top, "key-p99", "99th percentile", "key-p50", "median");
        long low = TICKS[0];
        long lowest = run.slices().stream()
                .filter(slice -> slice.latency().requests() > 0)
                .mapToLong(slice -> slice.latency().p50())
                .min()
                .orElse(1_000);
        long highest = run.slices().stream()
                .mapToLong(slice -> slice.latency().p99())
                .max()
                .orElse(10_000);
        long high = TICKS[TICKS.length - 1];
        for (long tick : TICKS) {
            if (tick <= lowest * 0.8) {
                low = tick;
            }
        }
        for (int i = TICKS.length - 1; i >= 0; i--) {
            if (TICKS[i] >= highest) {
                high = TICKS[i];
            }
        }
        boolean crowded = Math.log10((double) high / low) > 3.2;
        for (long tick : TICKS) {
            boolean decade = Math.log10((double) tick) % 1 == 0;
            if (tick >= low && tick <= high && (decade || !crowded)) {
                double y = latencyY(top, tick, low, high);
                svg.line("grid", LEFT, y, RIGHT, y);
                svg.text("tick", LEFT - 8, y + 3.6, tick < 1_000 ? tick / 1000.0 + " ms" : tick / 1000 + " ms");
            }
        }
        svg.path("p99", latencyPath(top, low, high, Latency::p99));
        svg.path("p50", latencyPath(top, low, high, Latency::p50));
    }

    private static double latencyY(double top, long micros, long low, long high) {
        double share = Math.log((double) Math.max(micros, low) / low) / Math.log((double) high / low);
        return top + LATENCY_HEIGHT * (1 - share);
    }

    private StringBuilder latencyPath(double top, long low, long high, ToLongFunction<Latency> figure) {
        StringBuilder path = new StringBuilder();
        for (Slice slice : run.slices()) {
            if (slice.latency().requests() > 0) {
                point(
                        path,
                        x(slice.start() + slice.width() / 2),
                        latencyY(top, figure.applyAsLong(slice.latency()), low, high));
            }
        }
        return path;
    }

    private void keys(double top) {
        title(top, "Signing keys");
        legend(
                top,
                "key-current",
                "current",
                "key-previous",
                "previous, still accepted",
                "key-refused",
                "removed, tokens refused");
        double y = top;
        for (KeyBand key : run.keys()) {
            svg.text("row", LEFT - 8, y + KEY_HEIGHT - 5, key.label());
            for (KeyBand.Span span : key.spans()) {
                if (span.to() <= 0) {
                    continue;
                }
                String style = span.acceptance() == Acceptance.CURRENT
                        ? "key-current"
                        : span.acceptance() == Acceptance.PREVIOUS ? "key-previous" : "key-refused";
                svg.rect(style, x(span.from()), y, x(span.to()) - x(span.from()), KEY_HEIGHT, 3);
            }
            y += KEY_HEIGHT + GAP;
        }
    }

    private void credentials(double top) {
        title(top, "Database connections by credentials");
        legend(
                top,
                "connections",
                "connections",
                "held-off",
                "held off, does not work",
                "key-safe",
                "safe to drop, then dropped");
        int most = run.credentials().stream()
                .flatMap(one -> one.points().stream())
                .mapToInt(Point::connections)
                .max()
                .orElse(1);
        double y = top;
        for (CredentialBand one : run.credentials()) {
            double base = y + CREDENTIAL_HEIGHT;
            svg.text("row", LEFT - 8, base - 8, one.label());
            svg.line("grid", LEFT, base, RIGHT, base);
            double until = one.until().orElse(run.seconds());
            if (one.heldOff()) {
                svg.rect("held-off", x(one.from()), y + 3, x(until) - x(one.from()), CREDENTIAL_HEIGHT - 3, 3);
            } else {
                svg.path("connections", connections(one, base, Math.max(1, most)));
            }
            one.safeToDrop().ifPresent(at -> {
                svg.rect("key-safe", x(at) - 3, base - 10, 6, 10, 1);
                if (x(at) + 9 * LETTER < RIGHT) {
                    svg.text("small", x(at) + 7, base - 4, "dropped");
                }
            });
            y += CREDENTIAL_HEIGHT + GAP;
        }
    }

    private StringBuilder connections(CredentialBand one, double base, int most) {
        StringBuilder path = new StringBuilder();
        double height = base;
        for (Point point : one.points()) {
            double at = x(point.at());
            point(path, at, path.isEmpty() ? base : height);
            height = base - (double) point.connections() / most * (CREDENTIAL_HEIGHT - 2);
            point(path, at, height);
        }
        if (!path.isEmpty()) {
            double end = x(one.until().orElse(run.seconds()));
            point(path, end, height);
            point(path, end, base);
            path.append('Z');
        }
        return path;
    }

    private void timeAxis(double bottom) {
        svg.line("axis", LEFT, bottom + 4, RIGHT, bottom + 4);
        double step = Math.max(1, roundStep(run.seconds() / 13));
        for (double at = 0; at <= run.seconds(); at += step) {
            svg.line("axis", x(at), bottom + 4, x(at), bottom + 9);
            svg.text("tick middle", x(at), bottom + 22, Math.round(at) + (at == 0 ? " s" : ""));
        }
    }

    private void explanations(double top, double bottom) {
        for (Slice slice : run.slices()) {
            Latency latency = slice.latency();
            svg.hover(
                    x(slice.start()),
                    top,
                    x(slice.start() + slice.width()) - x(slice.start()),
                    bottom - top,
                    String.format(
                            Locale.ROOT,
                            "%.1f s: %.0f requests/s, median %s, 99th percentile %s, longest %s, %d failed",
                            slice.start(),
                            slice.perSecond(),
                            Format.millis(latency.p50()),
                            Format.millis(latency.p99()),
                            Format.millis(latency.max()),
                            slice.failures()));
        }
    }
}
