package io.dualkey.benchmarks.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.nio.file.Files;
import java.nio.file.Path;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BenchmarkReportTest {

    private static final String LATENCY = """
            [{"way": "RotatingDataSource", "rotations": 5,
              "steady": {"p50": 6.0, "p99": 20.0, "max": 900.0, "mostOpen": 10},
              "rotating": {"p50": 7.0, "p99": 30.0, "max": 1234.0, "mostOpen": 11}}]
            """;

    @TempDir
    private Path folder;

    private Path results;
    private Path docs;

    @BeforeEach
    void writeResults() throws Exception {
        results = Files.createDirectories(folder.resolve("results"));
        docs = Files.createDirectories(folder.resolve("docs"));
        Files.writeString(
                results.resolve("jmh-a.json"),
                "[" + jmh("JwtVerificationBenchmark.verify", "RAW", 420, 425, 48) + ","
                        + jmh("JwtVerificationBenchmark.verify", "DUALKEY", 1180, 1050, 120) + ","
                        + jmh("SecretReadBenchmark.volatileRead", "", 0.5, 0.6, 0) + ","
                        + jmh("SecretReadBenchmark.current", "", 1.0, 1.5, 0) + "]");
        Files.writeString(
                results.resolve("jmh-c.json"),
                "["
                        + jmh("JwtVerificationBenchmark.verify", "DUALKEY", 1200, 1100, 120)
                                .replace("{\"benchmark\"", "{\"threads\": 2, \"benchmark\"")
                        + "," + jmh("JwtCacheBenchmark.newString", "DUALKEY", 40, 41, 500)
                        + "," + jmh("JwtCacheBenchmark.newStringAndHit", "DUALKEY", 260, 250, 556)
                        + "," + jmh("JwtOverheadBenchmark.verify", "DUALKEY", 700, 600, 120) + "]");
        // Measured twice: the first counts.
        Files.writeString(
                results.resolve("jmh-b.json"), "[" + jmh("JwtVerificationBenchmark.verify", "RAW", 1, 1, 1) + "]");
        Files.writeString(results.resolve("latency.json"), LATENCY);
        Files.writeString(
                results.resolve("machine.json"),
                "{\"date\": \"2026-11-21\", \"machine\": \"2 cores\", \"jdk\": \"17\"}");
        Files.writeString(
                docs.resolve("benchmarks.md"),
                "by hand\n<!-- generated: benchmarks -->\nold\n<!-- end: benchmarks -->\nby hand too\n");
    }

    private static String jmh(String name, String library, double one, double other, double bytes) {
        String params = library.isEmpty()
                ? ""
                : "\"params\": {\"library\": \"" + library
                        + "\", \"algorithm\": \"HS256\", \"scenario\": \"CURRENT\"},";
        return "{\"benchmark\": \"io.dualkey.benchmarks." + name + "\"," + params
                + "\"primaryMetric\": {\"scoreUnit\": \"ns/op\", \"rawData\": [[" + one + "," + other + "]]},"
                + "\"secondaryMetrics\": {\"gc.alloc.rate.norm\": {\"score\": " + bytes + "}}}";
    }

    @Test
    void replacesWhatIsGeneratedAndLeavesTheRestOfThePage() throws Exception {
        new BenchmarkReport(results, "benchmarks/run short").write(docs);

        assertThat(docs.resolve("benchmarks.md"))
                .content()
                .startsWith("by hand\n<!-- generated: benchmarks -->\n")
                .endsWith("<!-- end: benchmarks -->\nby hand too\n")
                .doesNotContain("old")
                .contains("2026-11-21, 2 cores; 17. `benchmarks/run short`");
    }

    @Test
    void takesTheBestIterationAndTheRatioToTheFloorOfTheSameRun() throws Exception {
        assertThat(new BenchmarkReport(results, "x").markdown())
                .contains("| the signature alone | 420 | 1.0 | 48 |")
                .contains("| **Dualkey** | 1,050 | 2.5 | 120 |")
                .contains("| **Dualkey**, `current()` | 1.0 | 2.0 | 0 |")
                .contains("| **Dualkey** | 1,050 | 1,100 | 1.91 |")
                .contains("| HS256 | 250 | 556 | 40.0 | 500 | 210 | 56 |")
                .contains("| HS256 | 600 | 120 |")
                .contains("| RotatingDataSource | 6 | 20 | 900 | 7 | 30 | 1,234 | 11 |");
    }

    @Test
    void plotsAreWellFormedAndReadableOnDarkGround() throws Exception {
        new BenchmarkReport(results, "x").write(docs);

        for (String plot : new String[] {"jwt", "read", "rotation"}) {
            Path file = docs.resolve("images/benchmarks-" + plot + ".svg");
            assertThat(DocumentBuilderFactory.newInstance()
                            .newDocumentBuilder()
                            .parse(file.toFile())
                            .getDocumentElement()
                            .getTagName())
                    .isEqualTo("svg");
            assertThat(file).content().contains("prefers-color-scheme: dark");
        }
        assertThat(docs.resolve("images/benchmarks-jwt.svg")).content().contains("Dualkey</text>", "1,050</text>");
        assertThat(docs.resolve("results/benchmarks.json")).content().contains("rawData", "RotatingDataSource");
    }

    @Test
    void aPageWithoutMarkersIsLeftAlone() throws Exception {
        Path page = Files.writeString(docs.resolve("plain.md"), "text\n");

        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Page(page).replace("benchmarks", "new"))
                .withMessageContaining("<!-- generated: benchmarks -->");
        assertThat(page).hasContent("text\n");
    }
}
