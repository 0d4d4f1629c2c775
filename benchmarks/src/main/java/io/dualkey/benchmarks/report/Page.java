package io.dualkey.benchmarks.report;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A page of the documentation with parts that are generated; what stands outside of their markers is left alone. */
public final class Page {

    private final Path file;

    /**
     * A page.
     *
     * @param file Markdown that has the markers
     */
    public Page(Path file) {
        this.file = file;
    }

    /**
     * Replaces what stands between {@code <!-- generated: name -->} and {@code <!-- end: name -->}.
     *
     * @param name of the part
     * @param markdown its new text
     * @throws IOException if the page cannot be read or written
     * @throws IllegalArgumentException if the page has no such markers
     */
    public void replace(String name, String markdown) throws IOException {
        String text = Files.readString(file);
        String begin = "<!-- generated: " + name + " -->\n";
        String end = "<!-- end: " + name + " -->";
        int from = text.indexOf(begin);
        int to = text.indexOf(end);
        if (from < 0 || to < from) {
            throw new IllegalArgumentException(file + " has no lines " + begin.strip() + " and " + end + ": add them");
        }
        Files.writeString(file, text.substring(0, from) + begin + markdown.strip() + "\n" + text.substring(to));
    }
}
