package io.dualkey.benchmarks.report;

import java.util.Locale;

/**
 * A picture in SVG, readable on light and on dark ground. Colours are classes: {@code ink}, {@code faint}, and {@code s0} to
 * {@code s3} for series.
 */
public final class Svg {

    private static final String STYLE = """
            <style>
              text { font: 12px system-ui, sans-serif; fill: #24292f; }
              .title { font-weight: 600; font-size: 14px; }
              .faint { stroke: #d0d7de; fill: none; }
              text.faint { stroke: none; fill: #57606a; }
              .limit { stroke: #cf222e; fill: none; stroke-dasharray: 5 4; }
              text.limit { stroke: none; fill: #cf222e; }
              .s0 { stroke: #0969da; fill: #0969da; } .s1 { stroke: #1a7f37; fill: #1a7f37; }
              .s2 { stroke: #bc4c00; fill: #bc4c00; } .s3 { stroke: #8c959f; fill: #8c959f; }
              polyline { fill: none !important; stroke-width: 2; }
              text.s0, text.s1, text.s2, text.s3 { stroke: none; }
              .end { text-anchor: end; } .middle { text-anchor: middle; }
              @media (prefers-color-scheme: dark) {
                text { fill: #e6edf3; }
                .faint { stroke: #30363d; } text.faint { fill: #8d96a0; }
                .limit { stroke: #ff7b72; } text.limit { fill: #ff7b72; }
                .s0 { stroke: #58a6ff; fill: #58a6ff; } .s1 { stroke: #3fb950; fill: #3fb950; }
                .s2 { stroke: #f0883e; fill: #f0883e; } .s3 { stroke: #8b949e; fill: #8b949e; }
              }
            </style>
            """;

    private final StringBuilder body = new StringBuilder();
    private final int width;
    private final int height;
    private final String description;

    /**
     * An empty picture.
     *
     * @param width in pixels
     * @param height in pixels
     * @param description for those who cannot see it
     */
    public Svg(int width, int height, String description) {
        this.width = width;
        this.height = height;
        this.description = description;
    }

    /**
     * Draws a line.
     *
     * @param classes its look
     * @param x1 where it begins
     * @param y1 where it begins
     * @param x2 where it ends
     * @param y2 where it ends
     */
    public void line(String classes, double x1, double y1, double x2, double y2) {
        add("<line class='%s' x1='%.1f' y1='%.1f' x2='%.1f' y2='%.1f'/>", classes, x1, y1, x2, y2);
    }

    /**
     * Draws a line through points.
     *
     * @param classes its look
     * @param points pairs of x and y
     */
    public void path(String classes, double... points) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < points.length; i += 2) {
            text.append(String.format(Locale.ROOT, "%.1f,%.1f ", points[i], points[i + 1]));
            add("<circle class='%s' cx='%.1f' cy='%.1f' r='3'/>", classes, points[i], points[i + 1]);
        }
        add("<polyline class='%s' points='%s'/>", classes, text.toString().strip());
    }

    /**
     * Draws a bar.
     *
     * @param classes its look
     * @param x its left side
     * @param y its upper side
     * @param wide its width
     * @param high its height
     */
    public void bar(String classes, double x, double y, double wide, double high) {
        add("<rect class='%s' x='%.1f' y='%.1f' width='%.1f' height='%.1f'/>", classes, x, y, wide, high);
    }

    /**
     * Writes text.
     *
     * @param classes its look, and {@code middle} or {@code end} for where it is held
     * @param x where it is held
     * @param y its base line
     * @param text what to write
     */
    public void text(String classes, double x, double y, String text) {
        add("<text class='%s' x='%.1f' y='%.1f'>%s</text>", classes, x, y, escaped(text));
    }

    private void add(String format, Object... arguments) {
        body.append(String.format(Locale.ROOT, format, arguments)).append('\n');
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace("'", "&apos;");
    }

    /** {@return the picture} */
    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %d %d' width='%d' height='%d' role='img'>%n"
                        + "<title>%s</title>%n%s%s</svg>%n",
                width,
                height,
                width,
                height,
                escaped(description),
                STYLE,
                body);
    }
}
