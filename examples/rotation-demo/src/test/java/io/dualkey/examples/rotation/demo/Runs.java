package io.dualkey.examples.rotation.demo;

import io.dualkey.examples.rotation.demo.Measurements.Slice;
import io.dualkey.secrets.Role;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.Random;

/** Runs that were never run. */
final class Runs {

    private Runs() {}

    static RunResult passed() {
        return run(0, List.of());
    }

    static RunResult failed() {
        return run(17, List.of("17 requests failed", "step 2: not within 20 s: <everything> has moved"));
    }

    private static RunResult run(long failures, List<String> problems) {
        Random random = new Random(7);
        List<Slice> slices = new ArrayList<>();
        for (int i = 0; i < 120; i++) {
            long p50 = 1_800L + random.nextInt(300);
            long p99 = 4_000L + random.nextInt(3_000) + (i % 17 == 0 ? 9_000 : 0);
            slices.add(new Slice(i / 2.0, 0.5, new Latency(245 + random.nextInt(10), p50, p99, p99 * 2), 0));
        }
        Latency latency = new Latency(12_345, 1_912, 5_322, 18_822);
        List<Step> steps = List.of(
                step(1, Step.Kind.KEY, "JWT key", "JWT key rotated, old one as companion", 6, 3.1),
                user(2, "new user", "New database user app_2, app_1 dropped", 12.6),
                step(3, Step.Kind.CREDENTIALS, "password", "Password of app_2 changed", 21, 1.6),
                step(4, Step.Kind.BAD_SECRET, "bad secret", "Wrong password written", 28.8, 0.9),
                step(5, Step.Kind.CREDENTIALS, "repair", "Repaired, a new password of app_2", 33, 1.7),
                step(6, Step.Kind.REVOCATION, "key removed", "Previous JWT key removed (kill switch)", 39.6, 0.8),
                step(7, Step.Kind.KEY, "JWT key", "JWT key rotated again", 45.6, 3.0),
                user(8, "new user", "New database user app_3, app_2 dropped", 51.6));

        Bands bands = new Bands();
        bands.keys(-5, Map.of("a", Role.CURRENT));
        bands.keys(7, Map.of("b", Role.CURRENT, "a", Role.PREVIOUS));
        bands.keys(40.4, Map.of("b", Role.CURRENT));
        bands.keys(46.6, Map.of("c", Role.CURRENT, "b", Role.PREVIOUS));
        bands.written(-5, "app_1", "app_1", false);
        bands.written(12.6, "app_2", "app_2", false);
        bands.written(21, "app_2", "app_2, 2nd password", false);
        bands.written(28.8, "app_2", "wrong password", true);
        bands.written(33, "app_2", "app_2, 3rd password", false);
        bands.written(51.6, "app_3", "app_3", false);
        bands.connections(-4, "1", "app_1", 16);
        move(bands, 13.4, "1", "app_1", "2", "app_2");
        bands.safeToDrop(15.6, "app_1");
        bands.gone(15.7, "app_1");
        move(bands, 21.8, "2", "app_2", "3", "app_2");
        bands.gone(33, "wrong password");
        move(bands, 33.9, "3", "app_2", "4", "app_2");
        move(bands, 52.5, "4", "app_2", "5", "app_3");
        bands.safeToDrop(54.6, "app_2, 3rd password");
        return new RunResult(
                Instant.parse("2026-11-21T04:38:12Z"),
                60,
                "32 clients, 500 requests a second, 16 connections",
                new RunResult.Totals(
                        32_512,
                        failures,
                        failures == 0 ? Map.of() : Map.of("HTTP 500", failures),
                        212,
                        29_331,
                        2_969,
                        1,
                        1,
                        64),
                latency,
                steps,
                slices,
                bands.keyBands(60),
                bands.credentialBands(),
                problems);
    }

    private static void move(Bands bands, double at, String from, String fromUser, String to, String toUser) {
        for (int i = 1; i <= 16; i++) {
            bands.connections(at + i * 0.08, to, toUser, i);
            bands.connections(at + i * 0.08, from, fromUser, 16 - i);
        }
    }

    private static Step step(int number, Step.Kind kind, String label, String title, double at, double took) {
        return new Step(
                number,
                kind,
                label,
                title,
                at,
                OptionalDouble.of(at + took),
                OptionalDouble.empty(),
                at + took,
                kind == Step.Kind.CREDENTIALS ? OptionalLong.of(16) : OptionalLong.empty(),
                new Latency(800, 1_944, 6_031, 14_100));
    }

    private static Step user(int number, String label, String title, double at) {
        return new Step(
                number,
                Step.Kind.CREDENTIALS,
                label,
                title,
                at,
                OptionalDouble.of(at + 2.1),
                OptionalDouble.of(at + 3),
                at + 3.1,
                OptionalLong.of(16),
                new Latency(800, 1_944, 6_031, 14_100));
    }
}
