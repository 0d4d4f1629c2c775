package io.dualkey.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Each example is built, tested, described and found from the front page, and prints what its README says. */
class ExamplesTest {

    private static final Path EXAMPLES = Path.of("../examples");
    private static final Pattern RUN = Pattern.compile("^examples/run (\\S+)$", Pattern.MULTILINE);
    private static final Pattern START = Pattern.compile("<start-class>(.+)</start-class>");
    private static final Pattern PRINTS = Pattern.compile("\nprints\n\n```\n(.*?)```", Pattern.DOTALL);

    static List<Path> examples() throws IOException {
        try (Stream<Path> folders = Files.list(EXAMPLES)) {
            return folders.filter(folder -> Files.exists(folder.resolve("pom.xml")))
                    .sorted()
                    .toList();
        }
    }

    @ParameterizedTest
    @MethodSource("examples")
    void isBuiltTestedAndFound(Path example) throws IOException {
        String name = example.getFileName().toString();
        assertThat(Files.readString(EXAMPLES.resolve("pom.xml"))).contains("<module>" + name + "</module>");
        assertThat(tests(example)).contains("@Test");
        assertThat(example.resolve("README.md")).isNotEmptyFile();
        assertThat(Files.readString(Path.of("../README.md"))).contains("(examples/" + name + ")");
    }

    @ParameterizedTest
    @MethodSource("examples")
    void commandInItsReadmeStartsAClassThatIsThere(Path example) throws IOException {
        Matcher run = RUN.matcher(Files.readString(example.resolve("README.md")));
        while (run.find()) {
            assertThat(run.group(1)).isEqualTo(example.getFileName().toString());
            Matcher start = START.matcher(Files.readString(example.resolve("pom.xml")));
            assertThat(start.find()).as("pom.xml has a start-class").isTrue();
            Path source =
                    example.resolve("src/main/java").resolve(start.group(1).replace('.', '/') + ".java");
            assertThat(source).content().contains("static void main(String[]");
        }
    }

    /** What is printed is compared by the example's own test; here the README is compared with that. */
    @ParameterizedTest
    @MethodSource("examples")
    void printsWhatItsReadmeShows(Path example) throws IOException {
        Matcher prints = PRINTS.matcher(Files.readString(example.resolve("README.md")));
        String tests = tests(example);
        while (prints.find()) {
            List<String> lines = prints.group(1).lines().toList();
            assertThat(lines)
                    .isNotEmpty()
                    .allSatisfy(
                            line -> assertThat(tests).containsAnyOf(quoted(line), quoted(line.replaceAll(" +", " "))));
        }
    }

    private static String quoted(String line) {
        return "\"" + line.replace("\"", "\\\"") + "\"";
    }

    private static String tests(Path example) throws IOException {
        try (Stream<Path> files = Files.walk(example.resolve("src/test/java"))) {
            return files.filter(file -> file.toString().endsWith(".java"))
                    .map(ExamplesTest::read)
                    .collect(Collectors.joining("\n"));
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }
}
