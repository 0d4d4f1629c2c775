package io.dualkey.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What pages point at is there: files, headings, and the tests that show what is said. */
class LinksTest {

    private static final Pattern LINK =
            Pattern.compile("\\[(?<text>[^\\[\\]]*)]\\((?<target>[^()\\s]+)(?:\\s+\"(?<title>[^\"]*)\")?\\)");
    private static final Pattern HTML = Pattern.compile("(?:src|srcset|href)=\"(?<target>[^\"]+)\"");
    private static final Pattern HEADING = Pattern.compile("^#{1,6} +(.+?) *$", Pattern.MULTILINE);
    private static final Pattern SECTION = Pattern.compile("^## ", Pattern.MULTILINE);
    private static final Pattern TEST_FILE = Pattern.compile(".*/(\\w+(?:Test|IT))\\.java");
    private static final Pattern TEST_NAME = Pattern.compile("`(\\w+(?:Test|IT))(?:\\.(\\w+))?`");

    private static List<Path> pages;
    /** By the name of its class; several modules have classes of one name. */
    private static Map<String, List<Path>> tests;

    @BeforeAll
    static void list() throws IOException {
        pages = Pages.all();
        tests = Pages.files(".java").stream()
                .filter(file -> TEST_FILE.matcher(file.toString()).matches())
                .collect(Collectors.groupingBy(LinksTest::className));
    }

    private static String className(Path file) {
        return file.getFileName().toString().replace(".java", "");
    }

    private record Link(Path page, String text, String target, String title) {

        boolean isOutside() {
            return target.matches("[a-z]+:.*");
        }

        /** The file that it points at, from the root of the repository. */
        Path file() {
            String path = target.replaceFirst("#.*", "");
            return path.isEmpty()
                    ? page
                    : Pages.ROOT.relativize(
                            Pages.ROOT.resolve(page).resolveSibling(path).normalize());
        }

        String anchor() {
            int hash = target.indexOf('#');
            return hash < 0 ? "" : target.substring(hash + 1);
        }

        @Override
        public String toString() {
            return page + ": [" + text + "](" + target + (title.isEmpty() ? "" : " \"" + title + "\"") + ")";
        }
    }

    private static List<Link> links(Path page) {
        String prose = Pages.prose(page);
        List<Link> links = new ArrayList<>();
        Matcher link = LINK.matcher(prose);
        while (link.find()) {
            String title = link.group("title");
            links.add(new Link(page, link.group("text"), link.group("target"), title == null ? "" : title));
        }
        Matcher html = HTML.matcher(prose);
        while (html.find()) {
            links.add(new Link(page, "", html.group("target"), ""));
        }
        return links;
    }

    private static List<String> problems(Consumer<List<String>> search) {
        List<String> problems = new ArrayList<>();
        search.accept(problems);
        return problems;
    }

    @Test
    void filesAndHeadingsThatPagesLinkToExist() {
        List<String> problems = problems(found -> pages.stream()
                .flatMap(page -> links(page).stream())
                .filter(link -> !link.isOutside())
                .forEach(link -> {
                    Path file = link.file();
                    if (file.startsWith("..") || !Files.exists(Pages.ROOT.resolve(file))) {
                        found.add(link + ": there is no such file");
                    } else if (!link.anchor().isEmpty()
                            && file.toString().endsWith(".md")
                            && !anchors(file).contains(link.anchor())) {
                        found.add(link + ": there is no such heading");
                    }
                }));
        assertThat(problems).isEmpty();
    }

    @Test
    void testsThatPagesLinkToExist() {
        List<String> problems = problems(found -> pages.stream()
                .flatMap(page -> links(page).stream())
                .filter(link -> TEST_FILE.matcher(link.target()).matches())
                .filter(link -> Files.exists(Pages.ROOT.resolve(link.file())))
                .forEach(link -> {
                    Matcher named = TEST_NAME.matcher(link.text());
                    if (named.matches() && !named.group(1).equals(className(link.file()))) {
                        found.add(link + ": the link is to another class");
                    }
                    if (!link.title().isEmpty() && !hasMethod(link.file(), link.title())) {
                        found.add(link + ": the class has no such test");
                    }
                }));
        assertThat(problems).isEmpty();
    }

    @Test
    void testsThatPagesNameExist() {
        List<String> problems = problems(found -> pages.forEach(page -> TEST_NAME
                .matcher(Pages.prose(page))
                .results()
                .filter(name -> tests.getOrDefault(name.group(1), List.of()).stream()
                        .noneMatch(file -> name.group(2) == null || hasMethod(file, name.group(2))))
                .map(MatchResult::group)
                .forEach(name -> found.add(page + ": there is no test " + name))));
        assertThat(problems).isEmpty();
    }

    private static boolean hasMethod(Path file, String method) {
        return Pattern.compile("void " + Pattern.quote(method) + "\\(")
                .matcher(Pages.read(file))
                .find();
    }

    @Test
    void everySectionOfTheConceptsAndEveryGuideLinksToATestThatShowsIt() {
        List<String> problems = problems(found -> pages.forEach(page -> {
            if (page.equals(Path.of("docs/concepts.md"))) {
                SECTION.splitAsStream(Pages.prose(page))
                        .skip(1)
                        .filter(section -> !section.contains("Test.java") && !section.contains("IT.java"))
                        .forEach(section -> found.add(
                                page + ": nothing shows " + section.lines().findFirst()));
            } else if (page.startsWith("docs/guides") && !page.endsWith("README.md")) {
                if (links(page).stream()
                        .noneMatch(link -> TEST_FILE.matcher(link.target()).matches())) {
                    found.add(page + ": no test shows it");
                }
            }
        }));
        assertThat(problems).isEmpty();
    }

    @Test
    void startPageLeadsToEveryPage() {
        Path start = Path.of("docs/README.md");
        Set<Path> led = links(start).stream()
                .filter(link -> !link.isOutside())
                .map(Link::file)
                .collect(Collectors.toSet());
        assertThat(led)
                .containsAll(pages.stream()
                        .filter(page -> page.startsWith("docs") && !page.equals(start))
                        .toList());
    }

    /** {@return what follows the hash in links to the headings of a page, by the rules of GitHub} */
    private static Set<String> anchors(Path page) {
        Set<String> anchors = new HashSet<>();
        Map<String, Integer> seen = new HashMap<>();
        Matcher heading = HEADING.matcher(Pages.prose(page));
        while (heading.find()) {
            String text = LINK.matcher(heading.group(1)).replaceAll("${text}").toLowerCase(Locale.ROOT);
            String slug = text.replaceAll("[^\\p{L}\\p{N}_ -]", "").replace(' ', '-');
            int before = seen.merge(slug, 1, Integer::sum) - 1;
            anchors.add(before == 0 ? slug : slug + "-" + before);
        }
        return anchors;
    }
}
