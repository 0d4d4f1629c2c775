package io.dualkey.examples.rotation.demo;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Map.Entry;
import java.util.stream.Collectors;

/** The figures of a run: the rows that the terminal and the report both show, and how the terminal shows them. */
final class SummaryTable {

    static final List<String> STEP_HEADINGS =
            List.of("", "step", "in use", "safe to drop", "moved", "p50", "p99", "max");

    static final String NOTE =
            "Times count from when the secret was written: until the new one is in use everywhere, and until the library"
                    + " says that the old user can be dropped. A new key is accepted at once, but signs only after two"
                    + " refresh intervals, when every verifier must know it. Latencies count from when a request was"
                    + " due, and those of a step are of the requests that were due during it.";

    private SummaryTable() {}

    /** {@return the figures of the whole run by what they are called} */
    static Map<String, String> figures(RunResult result) {
        RunResult.Totals totals = result.totals();
        Map<String, String> figures = new LinkedHashMap<>();
        figures.put("Requests", Format.count(totals.requests()));
        figures.put("Failures", Format.count(totals.failures()) + kinds(totals.failureKinds()));
        figures.put("Rotations", Format.count(result.rotations()));
        figures.put("Tokens accepted by the current key", Format.count(totals.acceptedByCurrent()));
        figures.put("Tokens accepted by a previous key", Format.count(totals.acceptedByPrevious()));
        figures.put("Tokens of a removed key, refused as they should be", Format.count(totals.expectedRefusals()));
        figures.put(
                "Logins that failed",
                Format.count(totals.failedLogins()) + " (the server counts " + Format.count(totals.refusedLogins())
                        + ")");
        figures.put("Connections moved", Format.count(totals.connectionsMoved()));
        return figures;
    }

    private static String kinds(Map<String, Long> kinds) {
        return kinds.isEmpty()
                ? ""
                : kinds.entrySet().stream()
                        .map(kind -> kind.getKey() + ": " + kind.getValue())
                        .collect(Collectors.joining(", ", " (", ")"));
    }

    /** {@return the steady state and each step, under {@link #STEP_HEADINGS}} */
    static List<List<String>> steps(RunResult result) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(row("", "steady state", "", "", "", result.steady()));
        for (Step step : result.steps()) {
            rows.add(row(
                    Integer.toString(step.number()),
                    step.title(),
                    Format.effect(step),
                    step.safeToDrop().isPresent() ? Format.seconds(step.secondsToSafeToDrop()) : "",
                    step.connectionsMoved().isPresent()
                            ? Format.count(step.connectionsMoved().getAsLong())
                            : "",
                    step.during()));
        }
        return rows;
    }

    private static List<String> row(
            String number, String title, String effect, String safe, String moved, Latency latency) {
        return List.of(
                number,
                title,
                effect,
                safe,
                moved,
                Format.millis(latency, latency.p50()),
                Format.millis(latency, latency.p99()),
                Format.millis(latency, latency.max()));
    }

    /** {@return both tables as lines of text} */
    static List<String> lines(RunResult result) {
        List<String> lines = new ArrayList<>();
        Map<String, String> figures = figures(result);
        int widest = figures.keySet().stream().mapToInt(String::length).max().orElse(0);
        for (Entry<String, String> figure : figures.entrySet()) {
            lines.add("  " + pad(figure.getKey(), widest) + "  " + figure.getValue());
        }
        lines.add("");

        List<List<String>> rows = new ArrayList<>();
        rows.add(STEP_HEADINGS);
        rows.addAll(steps(result));
        int[] widths = new int[STEP_HEADINGS.size()];
        for (List<String> row : rows) {
            for (int i = 0; i < widths.length; i++) {
                widths[i] = Math.max(widths[i], row.get(i).length());
            }
        }
        for (List<String> row : rows) {
            StringBuilder line = new StringBuilder(" ");
            for (int i = 0; i < widths.length; i++) {
                boolean text = i == 1;
                line.append(' ')
                        .append(
                                text
                                        ? pad(row.get(i), widths[i])
                                        : " ".repeat(widths[i] - row.get(i).length()) + row.get(i))
                        .append(' ');
            }
            lines.add(line.toString().stripTrailing());
        }
        return lines;
    }

    private static String pad(String text, int width) {
        return text + " ".repeat(width - text.length());
    }
}
