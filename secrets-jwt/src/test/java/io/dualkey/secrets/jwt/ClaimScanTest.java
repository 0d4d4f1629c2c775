package io.dualkey.secrets.jwt;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The claims are read by a quicker path than {@link JsonCursor#readObject}; the two must agree on what JSON is. */
class ClaimScanTest {

    private static final ClaimRules ANY = new ClaimRules(null, List.of(), true, false, Duration.ZERO);

    private static final byte[] REPLACEMENTS = "\"\\,:{}[]0129-.eE tfnaz\t\n\0\u007f\u00e9".getBytes(ISO_8859_1);

    private final ClaimScan scan = new ClaimScan();

    /** Leaves something behind the text, as an earlier token does. */
    private boolean isRead(byte[] text) {
        byte[] room = Arrays.copyOf(text, text.length + 32);
        Arrays.fill(room, text.length, room.length, (byte) '"');
        return scan.check(room, text.length, ANY, 0, true) != RejectionReason.MALFORMED_CLAIMS;
    }

    private static boolean isObject(byte[] text) {
        return JsonCursor.readObject(text.clone()) != null; // it unescapes names in place
    }

    /** None of these names is registered, so a text is good if it is an object at all. */
    @Test
    void agreesWithTheCursorOnEveryChangeOfOneByte() {
        List<String> texts = List.of(
                "{\"name\":\"value\",\"a\":1,\"ab\":10,\"long-name\":123456789012345,\"list\":[\"x\",\"y\"],\"last\":true}",
                "{\"a\":[\"x\"],\"b\":[],\"c\":[\"x\",1,\"y\"],\"d\":{\"a\":[\"b\",{\"c\":\"d\"}]},\"e\":-1.5e3,\"f\":null}",
                "{ \"a\" : \"b\" , \"c\" : 12 , \"d\" :[ \"e\" ,\"f\"]}",
                "{\"m\u00e4\":\"w\u00e9\",\"\\u0061\":\"\\n\",\"b\":0}",
                "{\"eight-ch\":1,\"eight-cj\":2,\"nine-char\":3,\"nine-chbr\":4,\"\":5}");
        for (String text : texts) {
            byte[] good = text.getBytes(UTF_8);
            assertThat(isRead(good)).as(text).isTrue();
            for (int at = 0; at < good.length; at++) {
                byte[] changed = good.clone();
                for (byte replacement : REPLACEMENTS) {
                    changed[at] = replacement;
                    assertAgreement(changed);
                }
                assertAgreement(Arrays.copyOf(good, at));
            }
        }
    }

    private void assertAgreement(byte[] text) {
        boolean expected = isObject(text);
        if (isRead(text) != expected) {
            throw new AssertionError("not judged alike: " + new String(text, UTF_8));
        }
    }

    @Test
    void refusesANameThatIsThereTwiceHoweverTheTwoAreSpelled() {
        String[] spellings = {"\"name\":1", " \"name\" : \"x\"", "\"n\\u0061me\":[]"};
        for (String first : spellings) {
            for (String second : spellings) {
                assertThat(isRead(("{" + first + ",\"other\":1," + second + "}").getBytes(UTF_8)))
                        .isFalse();
            }
        }
    }

    @Test
    void refusesARegisteredClaimOfTheWrongKindHoweverItIsSpelled() {
        for (String name : List.of("exp", "nbf", "iat", "e\\u0078p")) {
            for (String value : List.of("\"1\"", "[\"1\"]", "[1]", "{}", "true", "null", "-1", "99999999999999")) {
                assertThat(isRead(("{\"" + name + "\":" + value + "}").getBytes(UTF_8)))
                        .as(name + " " + value)
                        .isFalse();
            }
        }
        for (String name : List.of("iss", "sub", "jti", "s\\u0075b")) {
            for (String value : List.of("1", "[\"1\"]", "{}", "true", "null")) {
                assertThat(isRead(("{\"" + name + "\":" + value + "}").getBytes(UTF_8)))
                        .as(name + " " + value)
                        .isFalse();
            }
        }
    }
}
