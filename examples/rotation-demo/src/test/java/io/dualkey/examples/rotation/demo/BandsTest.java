package io.dualkey.examples.rotation.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.dualkey.examples.rotation.demo.CredentialBand.Point;
import io.dualkey.examples.rotation.demo.KeyBand.Acceptance;
import io.dualkey.examples.rotation.demo.KeyBand.Span;
import io.dualkey.secrets.Role;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class BandsTest {

    private final Bands bands = new Bands();

    @Test
    void followsAKeyFromCurrentToRefused() {
        bands.keys(0, Map.of("a", Role.CURRENT));
        bands.keys(1, Map.of("a", Role.CURRENT));
        bands.keys(2, Map.of("a", Role.PREVIOUS, "b", Role.CURRENT));
        bands.keys(3, Map.of("b", Role.CURRENT));

        assertThat(bands.keyBands(4))
                .containsExactly(
                        new KeyBand(
                                "K1",
                                List.of(
                                        new Span(0, 2, Acceptance.CURRENT),
                                        new Span(2, 3, Acceptance.PREVIOUS),
                                        new Span(3, 4, Acceptance.REFUSED))),
                        new KeyBand("K2", List.of(new Span(2, 4, Acceptance.CURRENT))));
    }

    @Test
    void namesVersionsOfCredentialsInTheOrderInWhichTheyWereWritten() {
        bands.written(0, "app_1", "first", false);
        bands.written(1, "app_1", "wrong", true);
        bands.written(2, "app_1", "second", false);

        bands.connections(0.5, "v1", "app_1", 16);
        bands.connections(2.5, "v1", "app_1", 16);
        bands.connections(2.5, "v3", "app_1", 1);
        bands.connections(2.6, "v9", "somebody", 1);

        assertThat(bands.credentialBands())
                .extracting(CredentialBand::label, CredentialBand::points)
                .containsExactly(
                        tuple("first", List.of(new Point(0.5, 16))),
                        tuple("wrong", List.of()),
                        tuple("second", List.of(new Point(2.5, 1))));
    }
}
