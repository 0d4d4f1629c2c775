package io.dualkey.secrets;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.NotSerializableException;
import java.io.ObjectOutputStream;
import java.io.OutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** P7: a value is copied, compared and hidden. */
class SecretValueTest {

    @Test
    void bytesAreCopiedInAndOut() {
        byte[] bytes = {1, 2, 3};
        SecretValue value = SecretValue.of(bytes);
        bytes[0] = 9;
        value.revealBytes()[1] = 9;
        assertThat(value.revealBytes()).containsExactly(1, 2, 3);
    }

    @Test
    void equalContentIsEqual() {
        assertThat(SecretValue.ofText("a")).isEqualTo(SecretValue.of(new byte[] {'a'}));
        assertThat(SecretValue.ofText("a")).isNotEqualTo(SecretValue.ofText("b"));
        assertThat(SecretValue.ofText("a")).hasSameHashCodeAs(SecretValue.ofText("b"));
    }

    @Test
    void contentIsNotShown() {
        assertThat(SecretValue.ofText("canary").toString()).doesNotContain("canary");
    }

    @Test
    void cannotBeSerialized() throws Exception {
        try (ObjectOutputStream out = new ObjectOutputStream(OutputStream.nullOutputStream())) {
            SecretValue value = SecretValue.ofText("canary");
            assertThatThrownBy(() -> out.writeObject(value))
                    .isInstanceOf(NotSerializableException.class)
                    .hasMessageNotContaining("canary");
        }
    }

    @Test
    void binaryValueIsNoText() {
        SecretValue value = SecretValue.of(new byte[] {(byte) 0xff});
        assertThatThrownBy(value::revealText).isInstanceOf(UnusableSecretException.class);
        assertThat(value.placeholderProblem()).isNull();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "  \n",
                "__REPLACED_BY_ENV_VAR__",
                "__DEV_OVERRIDE__",
                "changeme",
                "CHANGEME ",
                "<your key here>"
            })
    void placeholdersAreNoSecrets(String text) {
        assertThat(SecretValue.ofText(text).placeholderProblem()).isNotNull();
    }

    @ParameterizedTest
    @ValueSource(strings = {"x", "changeme2", "<a", "a>", "<a>\n<b>"})
    void otherTextsMayBe(String text) {
        assertThat(SecretValue.ofText(text).placeholderProblem()).isNull();
    }
}
