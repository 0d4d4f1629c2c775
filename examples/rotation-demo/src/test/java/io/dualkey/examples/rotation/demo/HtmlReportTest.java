package io.dualkey.examples.rotation.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.StringReader;
import java.util.List;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.xml.sax.InputSource;

class HtmlReportTest {

    @Test
    void needsNothingButItself() throws IOException {
        assertThat(HtmlReport.page(Runs.passed()))
                .doesNotContain("src=", "href=", "@import", "<script", "<link", "//cdn")
                .contains("Six rotations under load, no failed request");
    }

    @Test
    void drawsWellFormedSvg() throws Exception {
        String svg = TimelineChart.draw(Runs.passed());

        var document =
                DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(new InputSource(new StringReader(svg)));

        assertThat(document.getElementsByTagName("circle").getLength()).isEqualTo(8);
        assertThat(svg).doesNotContain("NaN", "Infinity");
    }

    @Test
    void drawsARunThatEndedBeforeItBegan() throws IOException {
        RunResult run = Runs.passed();
        RunResult empty = new RunResult(
                run.startedAt(),
                0,
                run.setting(),
                run.totals(),
                Measurements.latency(List.of(), at -> true),
                List.of(),
                List.of(),
                List.of(),
                List.of(),
                List.of("nothing happened"));

        assertThat(HtmlReport.page(empty)).doesNotContain("NaN", "Infinity").contains("nothing happened");
    }

    @Test
    void saysWhatWentWrong() throws IOException {
        assertThat(HtmlReport.page(Runs.failed()))
                .contains("17 failed requests", "&lt;everything&gt; has moved")
                .doesNotContain("no failed request");
    }
}
