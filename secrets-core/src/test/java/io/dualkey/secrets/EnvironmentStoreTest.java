package io.dualkey.secrets;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

class EnvironmentStoreTest {

    private final VirtualTime time = new VirtualTime();

    private SecretSource source(Map<String, String> variables) {
        return SecretSource.builder(EnvironmentStore.of(variables))
                .threads(time)
                .build();
    }

    @Test
    void servesAVariable() {
        SecretSource source = source(Map.of("API_KEY", "one"));
        RotatingSecret secret = source.secret("API_KEY");
        var unused = source.begin();
        time.advance(Duration.ofDays(1));
        assertThat(secret.current().revealText()).isEqualTo("one");
        assertThat(secret.status().checks().get(Outcome.OK)).isEqualTo(1);
    }

    @Test
    void companionVariableIsThePreviousValue() {
        SecretSource source = source(Map.of("API_KEY", "one", "API_KEY_PREVIOUS", "zero"));
        RotatingSecret secret = source.secret("API_KEY");
        var unused = source.begin();
        time.run();
        assertThat(secret.versions().previous())
                .extracting(version -> version.value().revealText())
                .containsExactly("zero");
    }

    @Test
    void missingVariableIsNamed() {
        SecretSource source = source(Map.of());
        RotatingSecret secret = source.secret("API_KEY");
        var unused = source.begin();
        time.run();
        assertThat(secret.status().detail()).contains("API_KEY", "environment");
    }

    @Test
    void configuredCompanionIsThePreviousValue() {
        Map<String, String> variables = Map.of("JWT_SIGNING_KEY", "one", "JWT_PREVIOUS_SIGNING_KEY", "zero");
        SecretSource source = SecretSource.builder(EnvironmentStore.of(variables))
                .secret("JWT_SIGNING_KEY", key -> key.companion("JWT_PREVIOUS_SIGNING_KEY"))
                .threads(time)
                .build();
        RotatingSecret secret = source.secret("JWT_SIGNING_KEY");
        var unused = source.begin();
        time.run();
        assertThat(secret.versions().previous())
                .extracting(version -> version.value().revealText())
                .containsExactly("zero");
    }
}
