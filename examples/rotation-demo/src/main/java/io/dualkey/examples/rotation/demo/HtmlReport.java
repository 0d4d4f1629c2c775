package io.dualkey.examples.rotation.demo;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The report of a run: one page that needs nothing but itself. */
final class HtmlReport {

    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern(
                    "d MMMM yyyy, HH:mm 'UTC'", Locale.ENGLISH)
            .withZone(ZoneOffset.UTC);

    private HtmlReport() {}

    static void write(RunResult run, Path file) throws IOException {
        Path directory = file.toAbsolutePath().getParent();
        if (directory != null) {
            Files.createDirectories(directory);
        }
        Files.writeString(file, page(run));
    }

    static String page(RunResult run) throws IOException {
        String headline = run.passed()
                ? "%s rotations under load, no failed request".formatted(spelled(run.rotations()))
                : "%s failed requests".formatted(Format.count(run.totals().failures()));
        if (!run.passed() && run.totals().failures() == 0) {
            headline = "The run did not go as it should";
        }
        StringBuilder html = new StringBuilder();
        html.append("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
                .append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
                .append("<title>Dualkey rotation report</title>\n<style>\n")
                .append(resource("report.css"))
                .append("</style>\n</head>\n<body>\n<main>\n<header>\n");
        html.append("<p class=\"name\">Dualkey rotation report</p>\n<h1>")
                .append(Svg.escape(headline))
                .append("</h1>\n<p class=\"setting\">")
                .append(Svg.escape(run.setting()))
                .append("<br>")
                .append(TIME.format(run.startedAt()))
                .append("</p>\n</header>\n");
        problems(html, run.problems());
        tiles(html, run);
        html.append("<section class=\"card chart\">\n")
                .append(TimelineChart.draw(run))
                .append("</section>\n");
        steps(html, run);
        figures(html, SummaryTable.figures(run));
        html.append("</main>\n</body>\n</html>\n");
        return html.toString();
    }

    private static String spelled(long number) {
        String[] words = {"No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine"};
        return number < words.length ? words[(int) number] : Long.toString(number);
    }

    private static void problems(StringBuilder html, List<String> problems) {
        if (problems.isEmpty()) {
            return;
        }
        html.append("<section class=\"card problems\">\n<h2>What went wrong</h2>\n<ul>\n");
        problems.forEach(
                problem -> html.append("<li>").append(Svg.escape(problem)).append("</li>\n"));
        html.append("</ul>\n</section>\n");
    }

    private static void tiles(StringBuilder html, RunResult run) {
        RunResult.Totals totals = run.totals();
        html.append("<section class=\"tiles\">\n");
        tile(html, "", Format.count(totals.requests()), "requests");
        tile(html, totals.failures() == 0 ? "good" : "bad", Format.count(totals.failures()), "failures");
        tile(html, "", Format.count(run.rotations()), "rotations");
        tile(html, "", Format.count(totals.connectionsMoved()), "connections moved");
        tile(html, "", Format.count(totals.acceptedByPrevious()), "old tokens accepted");
        tile(html, "", Format.millis(run.steady(), run.steady().p99()), "p99 in steady state");
        html.append("</section>\n");
    }

    private static void tile(StringBuilder html, String style, String figure, String name) {
        html.append("<div class=\"card tile ")
                .append(style)
                .append("\"><strong>")
                .append(figure)
                .append("</strong><span>")
                .append(name)
                .append("</span></div>\n");
    }

    private static void steps(StringBuilder html, RunResult run) {
        html.append(
                "<section class=\"card\">\n<h2>The runbook, step by step</h2>\n<div class=\"scroll\"><table>\n<tr>");
        for (String heading : SummaryTable.STEP_HEADINGS) {
            html.append("<th>").append(heading).append("</th>");
        }
        html.append("</tr>\n");
        for (List<String> row : SummaryTable.steps(run)) {
            html.append("<tr>");
            for (String cell : row) {
                html.append("<td>").append(Svg.escape(cell)).append("</td>");
            }
            html.append("</tr>\n");
        }
        html.append("</table></div>\n<p class=\"note\">")
                .append(Svg.escape(SummaryTable.NOTE))
                .append("</p>\n</section>\n");
    }

    private static void figures(StringBuilder html, Map<String, String> figures) {
        html.append("<section class=\"card\">\n<h2>The whole run</h2>\n<table class=\"figures\">\n");
        figures.forEach((name, figure) -> html.append("<tr><td>")
                .append(Svg.escape(name))
                .append("</td><td>")
                .append(Svg.escape(figure))
                .append("</td></tr>\n"));
        html.append("</table>\n</section>\n");
    }

    private static String resource(String name) throws IOException {
        try (InputStream in = HtmlReport.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IOException("the resource " + name + " is not beside " + HtmlReport.class.getName());
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
