package io.dualkey.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Code in the documentation is code that compiles: each block of Java or YAML on a page is announced by a comment {@code snippet:
 * File.java name} and is the same as that part of the file.
 *
 * <p>{@code mvn test -pl docs -Dtest=SnippetTest -Dsnippets=write} writes the blocks into the pages.
 */
class SnippetTest {

    private static final Path SOURCES = Path.of("src/main/java/io/dualkey/docs");
    private static final Path RESOURCES = Path.of("src/main/resources");
    private static final Pattern BLOCK = Pattern.compile(
            "<!-- snippet: (?<file>\\S+) (?<name>\\S+) -->\n```(?<language>\\w+)\n(?<code>.*?)```", Pattern.DOTALL);
    private static final Pattern ANY_CODE = Pattern.compile("^ *```(java|yaml|yml)$", Pattern.MULTILINE);

    static List<Path> pages() throws IOException {
        return Pages.all().stream().filter(Pages::isDocumentation).toList();
    }

    @ParameterizedTest
    @MethodSource("pages")
    void codeOnThePageIsTheTestedCode(Path page) throws IOException {
        String text = Pages.read(page);
        Matcher matcher = BLOCK.matcher(text);
        StringBuilder made = new StringBuilder();
        int blocks = 0;
        while (matcher.find()) {
            String code = part(matcher.group("file"), matcher.group("name"));
            String block = "<!-- snippet: %s %s -->\n```%s\n%s```"
                    .formatted(matcher.group("file"), matcher.group("name"), matcher.group("language"), code);
            matcher.appendReplacement(made, Matcher.quoteReplacement(block));
            blocks++;
        }
        matcher.appendTail(made);
        assertThat(ANY_CODE.matcher(text).results().count())
                .as("blocks of Java and YAML in %s, each announced by a comment", page)
                .isEqualTo(blocks);
        if ("write".equals(System.getProperty("snippets"))) {
            Files.writeString(Pages.ROOT.resolve(page), made);
        } else {
            assertThat(text).isEqualTo(made.toString());
        }
    }

    private static String part(String file, String name) throws IOException {
        List<String> lines = Files.readAllLines((file.endsWith(".java") ? SOURCES : RESOURCES).resolve(file));
        int from = -1;
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i).strip();
            if (line.equals("// snippet: " + name) || line.equals("# snippet: " + name)) {
                from = i + 1;
            } else if (from >= 0 && (line.equals("// end") || line.equals("# end"))) {
                return String.join("\n", lines.subList(from, i)).stripIndent().strip() + "\n";
            }
        }
        throw new AssertionError("no part '" + name + "' in " + file);
    }
}
