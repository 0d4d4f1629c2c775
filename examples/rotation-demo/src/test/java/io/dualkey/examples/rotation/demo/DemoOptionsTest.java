package io.dualkey.examples.rotation.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DemoOptionsTest {

    @Test
    void lastsAMinuteUnlessTold() {
        DemoOptions options = DemoOptions.parse();

        assertThat(options.seconds()).isEqualTo(60);
        assertThat(options.serve()).isFalse();
    }

    @Test
    void takesTheLastWordOnEachOption() {
        DemoOptions options = DemoOptions.parse(
                "--report", "/a/first.html", "--seconds", "20", "--serve", "--report", "/b/second.html");

        assertThat(options).isEqualTo(new DemoOptions(20, true, false, Path.of("/b/second.html")));
        assertThat(options.log()).isEqualTo(Path.of("/b/rotation-demo.log"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"--seconds", "--seconds 3", "--seconds many", "--report", "--sreve"})
    void explainsWhatItDoesNotUnderstand(String line) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> DemoOptions.parse(line.split(" ", -1)))
                .withMessageContaining(line.split(" ", -1)[0]);
    }
}
