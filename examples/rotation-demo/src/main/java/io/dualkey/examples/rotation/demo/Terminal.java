package io.dualkey.examples.rotation.demo;

import java.io.PrintStream;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What is printed: lines that stay, and below them a few that are drawn anew several times a second. Where the output
 * is not a terminal, these are printed as plain lines every few seconds. Safe for use by several threads.
 */
final class Terminal implements AutoCloseable {

    private static final String UP_AND_CLEAR = "\u001b[1A\u001b[2K";

    private final PrintStream out;
    private final boolean live;
    private final ScheduledExecutorService redraw = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "progress");
        thread.setDaemon(true);
        return thread;
    });
    private int drawn;
    private boolean closed;
    private @Nullable Supplier<List<String>> status;

    /**
     * Prints to a stream.
     *
     * @param live whether it is a terminal on which lines can be drawn anew
     */
    Terminal(PrintStream out, boolean live) {
        this.out = out;
        this.live = live;
    }

    /** Prints a line that stays, unless this has been closed. */
    synchronized void say(String line) {
        if (closed) {
            return;
        }
        clear();
        out.println(line);
        draw();
    }

    /** Begins to show a status, of always as many lines, which each should fit into 80 columns. */
    synchronized void show(Supplier<List<String>> lines) {
        status = lines;
        long every = live ? 250 : 5_000;
        var unused = redraw.scheduleWithFixedDelay(this::tick, every, every, TimeUnit.MILLISECONDS);
    }

    private synchronized void tick() {
        if (live) {
            clear();
            draw();
        } else if (status != null) {
            status.get().forEach(out::println);
        }
    }

    private void clear() {
        for (; drawn > 0; drawn--) {
            out.print(UP_AND_CLEAR);
        }
        out.flush();
    }

    private void draw() {
        if (live && status != null) {
            List<String> lines = status.get();
            lines.forEach(out::println);
            drawn = lines.size();
        }
        out.flush();
    }

    /** Ends the status; what stays has been printed. */
    synchronized void hide() {
        clear();
        status = null;
    }

    @Override
    public synchronized void close() {
        hide();
        closed = true;
        redraw.shutdownNow();
    }
}
