package io.dualkey.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.xpath.XPath;
import javax.xml.xpath.XPathConstants;
import javax.xml.xpath.XPathFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.NodeList;

/** The BOM has no parent, so nothing but this test keeps its version and its list right. */
class BomTest {

    private static final Path REPOSITORY = Path.of("").toAbsolutePath().getParent();

    @Test
    void hasTheVersionOfTheParent() throws Exception {
        assertThat(texts("secrets-bom/pom.xml", "/project/version")).isEqualTo(texts("pom.xml", "/project/version"));
    }

    @Test
    void namesEveryPublishedModule() throws Exception {
        List<String> published = texts("pom.xml", "/project/modules/module").stream()
                .filter(module -> module.startsWith("secrets-") && !module.equals("secrets-bom"))
                .toList();

        assertThat(texts("secrets-bom/pom.xml", "//dependency[groupId='io.dualkey']/artifactId"))
                .containsExactlyInAnyOrderElementsOf(published);
    }

    private static List<String> texts(String pom, String expression) throws Exception {
        Document document = DocumentBuilderFactory.newDefaultInstance()
                .newDocumentBuilder()
                .parse(REPOSITORY.resolve(pom).toFile());
        XPath xpath = XPathFactory.newDefaultInstance().newXPath();
        NodeList nodes = (NodeList) xpath.evaluate(expression, document, XPathConstants.NODESET);
        return IntStream.range(0, nodes.getLength())
                .mapToObj(i -> nodes.item(i).getTextContent().strip())
                .toList();
    }
}
