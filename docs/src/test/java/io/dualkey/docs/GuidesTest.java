package io.dualkey.docs;

import static org.assertj.core.api.Assertions.assertThat;

import io.dualkey.secrets.Role;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What the pages quote of the log, of JSON and of meters is what the code says. */
class GuidesTest {

    private static final Pattern LITERALS =
            Pattern.compile("\"(?:[^\"\\\\\n]|\\\\.)*\"(?:\\s*\\+\\s*\"(?:[^\"\\\\\n]|\\\\.)*\")*");
    private static final Pattern KEY = Pattern.compile("\"([A-Za-z]+)\":");
    private static final Pattern SERIES = Pattern.compile("\\bdualkey_[a-z_]+");
    private static final Pattern DOTTED = Pattern.compile("`(dualkey(?:\\.[a-z-]+)+)");
    private static final Pattern ROW = Pattern.compile("^\\|.*\\|$", Pattern.MULTILINE);
    /** What Spring Boot itself writes. */
    private static final Set<String> OF_BOOT = Set.of("status", "components", "details");

    private static List<Path> pages() throws IOException {
        return Pages.all().stream().filter(Pages::isDocumentation).toList();
    }

    private static List<String> literals(String module) throws IOException {
        return Pages.files(".java").stream()
                .filter(file -> file.toString().matches(module + "/src/main/.*"))
                .flatMap(file -> LITERALS.matcher(Pages.read(file)).results())
                .map(MatchResult::group)
                .map(text -> text.substring(1, text.length() - 1).replaceAll("\"\\s*\\+\\s*\"", ""))
                .toList();
    }

    @Test
    void linesOfTheLogAreWrittenByTheCode() throws IOException {
        List<Pattern> texts = literals("secrets-[a-z-]+").stream()
                .filter(text -> text.contains("{}"))
                .map(text ->
                        Stream.of(text.split("\\{}", -1)).map(Pattern::quote).collect(Collectors.joining(".+")))
                .map(Pattern::compile)
                .toList();
        List<String> lines = pages().stream()
                .flatMap(page -> Pages.blocks(page, "log").stream())
                .flatMap(String::lines)
                .map(String::strip)
                .toList();
        assertThat(lines).isNotEmpty().allSatisfy(line -> {
            assertThat(line).matches("(INFO|WARN)  .*");
            assertThat(texts)
                    .as("texts of the code")
                    .anyMatch(text -> text.matcher(line.substring(6)).matches());
        });
    }

    @Test
    void membersOfJsonAreWrittenByTheStarter() throws IOException {
        Set<String> written = new TreeSet<>(literals("secrets-spring-boot-starter"));
        Stream.of(Role.values())
                .map(role -> role.name().toLowerCase(Locale.ROOT))
                .forEach(written::add);
        Set<String> quoted = pages().stream()
                .filter(page -> page.startsWith("docs/guides"))
                .flatMap(page -> Pages.blocks(page, "json").stream())
                .flatMap(json -> KEY.matcher(json).results())
                .map(key -> key.group(1))
                .filter(key -> !OF_BOOT.contains(key))
                .collect(Collectors.toCollection(TreeSet::new));
        assertThat(quoted).isNotEmpty();
        assertThat(written).containsAll(quoted);
    }

    @Test
    void metersAndPropertiesAreThoseOfTheirTables() throws IOException {
        String metrics = Pages.read(Path.of("docs/metrics.md"));
        Set<String> known = pages().stream()
                .filter(page -> page.startsWith("docs") && page.getNameCount() == 2)
                .flatMap(page -> ROW.matcher(Pages.read(page)).results())
                .flatMap(row -> DOTTED.matcher(row.group()).results())
                .map(name -> name.group(1))
                .collect(Collectors.toCollection(TreeSet::new));
        for (Path page : pages()) {
            String text = Pages.read(page);
            assertThat(SERIES.matcher(text).results().map(MatchResult::group))
                    .as("series in %s", page)
                    .allSatisfy(series -> assertThat(metrics).contains(series));
            assertThat(DOTTED.matcher(text).results().map(found -> found.group(1)))
                    .as("meters and properties in %s", page)
                    .allSatisfy(name -> assertThat(known)
                            .anyMatch(one -> one.equals(name)
                                    || one.startsWith(name + ".") // a group of them
                                    || name.startsWith(one + "."))); // an entry of a map
        }
    }
}
