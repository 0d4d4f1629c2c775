package io.dualkey.examples.rotation.demo;

import java.nio.file.Path;

/**
 * What the command line asks for.
 *
 * @param seconds how long the load lasts, after warming up
 * @param serve whether the service stays up afterwards
 * @param help whether only to say how to use it
 * @param report where the report is written; the log goes beside it
 */
record DemoOptions(int seconds, boolean serve, boolean help, Path report) {

    static final int CLIENTS = 32;
    static final int REQUESTS_PER_SECOND = 500;

    static final String USAGE = """
            Usage: ./demo [--seconds N] [--serve] [--report FILE]

            Rotates the signing key and the database user of a web service under load, without a restart.

              --seconds N    how long the load lasts, from 15 to 3600; 60 if not given
              --serve        keep the service up afterwards, and say how to rotate a secret by hand
              --report FILE  where to write the report
              --help         this text

            Exits with 0 if no request failed and every step of the runbook took effect, else with 1.
            """;

    static DemoOptions parse(String... arguments) {
        int seconds = 60;
        boolean serve = false;
        boolean help = false;
        Path report = Path.of("target", "rotation-report.html");
        for (int i = 0; i < arguments.length; i++) {
            switch (arguments[i]) {
                case "--seconds" -> seconds = seconds(value(arguments, ++i));
                case "--serve" -> serve = true;
                case "--report" -> report = Path.of(value(arguments, ++i));
                case "--help", "-h" -> help = true;
                default -> throw new IllegalArgumentException("there is no option " + arguments[i]);
            }
        }
        return new DemoOptions(seconds, serve, help, report.toAbsolutePath().normalize());
    }

    private static String value(String[] arguments, int index) {
        if (index >= arguments.length) {
            throw new IllegalArgumentException(arguments[index - 1] + " needs a value");
        }
        return arguments[index];
    }

    private static int seconds(String text) {
        try {
            int seconds = Integer.parseInt(text);
            if (seconds >= 15 && seconds <= 3600) {
                return seconds;
            }
        } catch (NumberFormatException notANumber) {
            // said below
        }
        throw new IllegalArgumentException("--seconds must be a number from 15 to 3600, but is " + text);
    }

    Path log() {
        return report.resolveSibling("rotation-demo.log");
    }
}
