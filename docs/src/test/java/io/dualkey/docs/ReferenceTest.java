package io.dualkey.docs;

import static org.assertj.core.api.Assertions.assertThat;

import io.dualkey.secrets.Outcome;
import io.dualkey.secrets.RefreshCause;
import io.dualkey.secrets.RefreshResult;
import io.dualkey.secrets.Role;
import io.dualkey.secrets.SecretState;
import io.dualkey.secrets.StoredVersion;
import io.dualkey.secrets.jdbc.CredentialPhase;
import io.dualkey.secrets.jwt.HmacVerifier;
import io.dualkey.secrets.jwt.JwsAlgorithm;
import io.dualkey.secrets.jwt.KeyFormat;
import io.dualkey.secrets.jwt.RejectionReason;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** docs/reference.md has the names that exist, and all of them. */
class ReferenceTest {

    private static final String PAGE = Pages.prose(Path.of("docs/reference.md"));
    private static final Pattern TABLE = Pattern.compile(
            "^### `(\\w+)`$.*?^\\|(?:---\\|)+$\n((?:\\|[^\n]*\\|\n)+)", Pattern.DOTALL | Pattern.MULTILINE);
    private static final Pattern NAME = Pattern.compile("`(\\w+)`");
    private static final Pattern PUBLIC_ENUM = Pattern.compile("^ *public enum (\\w+)", Pattern.MULTILINE);

    static Stream<Class<? extends Enum<?>>> enums() {
        return Stream.of(
                SecretState.class,
                Role.class,
                StoredVersion.Stage.class,
                Outcome.class,
                RefreshCause.class,
                RefreshResult.class,
                CredentialPhase.class,
                RejectionReason.class,
                JwsAlgorithm.class,
                KeyFormat.class,
                HmacVerifier.Result.class);
    }

    @ParameterizedTest
    @MethodSource("enums")
    void tableHasEveryNameInTheOrderOfTheCode(Class<? extends Enum<?>> type) {
        assertThat(names(tables().getOrDefault(type.getSimpleName(), List.of())))
                .isEqualTo(Arrays.stream(type.getEnumConstants())
                        .map(constant -> ((Enum<?>) constant).name())
                        .toList());
    }

    @Test
    void everyPublicEnumHasATableAndNothingElseHas() throws IOException {
        List<String> exported = Pages.files(".java").stream()
                .filter(file -> file.toString().matches("secrets-[a-z-]+/src/main/.*"))
                .flatMap(file -> PUBLIC_ENUM.matcher(Pages.read(file)).results().map(found -> found.group(1)))
                .toList();
        assertThat(tables().keySet()).containsExactlyInAnyOrderElementsOf(exported);
        assertThat(enums().map(Class::getSimpleName)).containsExactlyInAnyOrderElementsOf(exported);
    }

    @Test
    void outcomesAreExplainedInTheWordsThatOperatorsRead() {
        assertThat(tables().get("Outcome"))
                .isEqualTo(Arrays.stream(Outcome.values())
                        .map(outcome -> ("| `" + outcome + "` | " + outcome.description() + " | " + outcome.advice()
                                        + " |")
                                .replaceAll("\\|  (?=\\|)", "| "))
                        .toList());
    }

    private static List<String> names(List<String> rows) {
        return rows.stream()
                .map(row -> row.substring(0, row.indexOf('|', 1)))
                .flatMap(cell -> NAME.matcher(cell).results().map(name -> name.group(1)))
                .toList();
    }

    /** {@return the rows of each table, by the name in the heading before it} */
    private static Map<String, List<String>> tables() {
        Map<String, List<String>> tables = new LinkedHashMap<>();
        Matcher table = TABLE.matcher(PAGE);
        while (table.find()) {
            tables.put(table.group(1), table.group(2).lines().toList());
        }
        return tables;
    }
}
