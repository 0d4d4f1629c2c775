package io.dualkey.examples.rotation.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class SummaryTableTest {

    @Test
    void alignsItsColumns() {
        List<String> lines = SummaryTable.lines(Runs.passed());

        List<String> steps = lines.subList(lines.indexOf("") + 1, lines.size());
        assertThat(steps).hasSize(10);
        assertThat(steps).extracting(String::length).containsOnly(steps.get(0).length());
        assertThat(lines).allSatisfy(line -> assertThat(line).hasSizeLessThan(110));
    }

    @Test
    void saysWhatAStepTook() {
        List<List<String>> steps = SummaryTable.steps(Runs.passed());

        assertThat(steps.get(2).subList(2, 5)).containsExactly("2.10 s", "3.00 s", "16");
        assertThat(steps.get(4).get(2)).isEqualTo("held off 0.90 s");
        assertThat(steps.get(6).get(2)).isEqualTo("refused 0.80 s");
    }

    @Test
    void namesTheKindsOfFailures() {
        assertThat(SummaryTable.figures(Runs.failed())).containsEntry("Failures", "17 (HTTP 500: 17)");
        assertThat(SummaryTable.figures(Runs.passed())).containsEntry("Failures", "0");
    }
}
