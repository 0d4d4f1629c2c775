package io.dualkey.examples.rotation.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class TerminalTest {

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    @Test
    void drawsTheStatusAnewBelowWhatStays() {
        try (Terminal terminal = new Terminal(new PrintStream(out, true, StandardCharsets.UTF_8), true)) {
            terminal.show(() -> List.of("one", "two"));
            terminal.say("stays");
            terminal.say("too");
        }

        assertThat(text())
                .startsWith("stays\none\ntwo\n\u001b[1A\u001b[2K\u001b[1A\u001b[2Ktoo\none\ntwo\n")
                .endsWith("\u001b[1A\u001b[2K");
    }

    @Test
    void printsNothingButLinesWhereThereIsNoTerminal() {
        try (Terminal terminal = new Terminal(new PrintStream(out, true, StandardCharsets.UTF_8), false)) {
            terminal.show(() -> List.of("one", "two"));
            terminal.say("stays");
        }

        assertThat(text()).isEqualTo("stays\n");
    }

    private String text() {
        return out.toString(StandardCharsets.UTF_8).replace(System.lineSeparator(), "\n");
    }
}
