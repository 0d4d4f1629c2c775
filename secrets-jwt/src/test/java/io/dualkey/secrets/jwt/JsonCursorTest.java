package io.dualkey.secrets.jwt;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.nimbusds.jose.util.JSONObjectUtils;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonCursorTest {

    private static Map<String, Object> read(String text) {
        return JsonCursor.readObject(text.getBytes(UTF_8));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{}",
                " \t\r\n{ \"a\" : [ ] , \"b\" : { } } ",
                "{\"\":\"\"}",
                "{\"a\":[[],[[\"x\"]],{\"b\":{}}],\"c\":\"d\"}",
                "{\"s\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4\\uD83D\\uDE00\"}",
                "{\"\\u00e4\":\"\u00e4\",\"\ud83d\ude00\":\"\ud83d\ude00\",\"\\n\":\"\\u0000\"}",
                "{\"t\":true,\"f\":false}",
            })
    void readsWhatNimbusReads(String text) throws Exception {
        assertThat(read(text)).isEqualTo(JSONObjectUtils.parse(text));
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "-0", "12", "-1", "1.5", "0.5", "-1.25e2", "1E+2", "1e-2", "123456789012345678901"})
    void readsNumbers(String number) {
        Object value = read("{\"n\":" + number + "}").get("n");

        assertThat(((Number) value).doubleValue()).isEqualTo(Double.parseDouble(number));
    }

    @ParameterizedTest
    @ValueSource(strings = {"01", "-", "+1", ".5", "1.", "1e", "1e+", "0x1", "Infinity", "tru", "nul", "'a'", "a", ""})
    void refusesWhatIsNoValue(String value) {
        assertThat(read("{\"n\":" + value + "}")).isNull();
        assertThat(read("{\"n\":[" + value + ",1]}")).isNull();
    }

    /** By its exponent, by its digits, or by both together. */
    @Test
    void refusesNumbersBeyondTheLargestDouble() {
        String nines = "9".repeat(297);
        for (String number : new String[] {"1e309", "-1e309", nines + "e99", nines + "999999999999999.5"}) {
            assertThat(read("{\"n\":" + number + "}")).isNull();
        }
        assertThat(read("{\"n\":" + nines + ".5}")).isNotNull();
    }

    @Test
    void refusesTooManyMembers() {
        assertThat(read(members(256))).hasSize(256);
        assertThat(read(members(257))).isNull();
    }

    private static String members(int count) {
        return IntStream.range(0, count).mapToObj(i -> "\"m" + i + "\":1").collect(Collectors.joining(",", "{", "}"));
    }

    /** "Aa" and "BB" have the same hash. */
    @Test
    void tellsNamesOfOneHashApart() {
        assertThat(read("{\"Aa\":1,\"BB\":2}")).hasSize(2);
        assertThat(read("{\"Aa\":1,\"BB\":2,\"Aa\":3}")).isNull();
    }

    @Test
    void refusesEveryTruncation() {
        String text = "{\"a\":[1,{\"b\":\"\\u00e4\u00e4\"}],\"c\":true,\"d\":null,\"e\":-1.5e3}";
        byte[] bytes = text.getBytes(UTF_8);

        assertThat(read(text)).isNotNull();
        for (int length = 0; length < bytes.length; length++) {
            assertThat(JsonCursor.readObject(Arrays.copyOf(bytes, length))).isNull();
        }
    }
}
