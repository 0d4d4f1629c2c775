package io.dualkey.examples.rotation.demo;

import java.util.Locale;

/** Builds a drawing, element by element. Colours are left to classes in the page's style sheet. */
final class Svg {

    private final StringBuilder out = new StringBuilder();

    void line(String style, double x1, double y1, double x2, double y2) {
        add("<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>", style, x1, y1, x2, y2);
    }

    void rect(String style, double x, double y, double width, double height, double radius) {
        add(
                "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" rx=\"%.1f\"/>",
                style, x, y, Math.max(0, width), Math.max(0, height), radius);
    }

    /** A rectangle that explains itself when pointed at. */
    void hover(double x, double y, double width, double height, String explanation) {
        add(
                "<rect class=\"hover\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"><title>%s</title></rect>",
                x, y, width, height, escape(explanation));
    }

    void circle(String style, double x, double y, double radius) {
        add("<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"/>", style, x, y, radius);
    }

    void text(String style, double x, double y, String text) {
        add("<text class=\"%s\" x=\"%.1f\" y=\"%.1f\">%s</text>", style, x, y, escape(text));
    }

    void path(String style, CharSequence commands) {
        add("<path class=\"%s\" d=\"%s\"/>", style, commands);
    }

    void raw(String markup) {
        out.append(markup).append('\n');
    }

    private void add(String format, Object... arguments) {
        out.append(String.format(Locale.ROOT, format, arguments)).append('\n');
    }

    /** {@return a text as it is written between tags and in attributes} */
    static String escape(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;")
                .replace("'", "&#39;");
    }

    @Override
    public String toString() {
        return out.toString();
    }
}
