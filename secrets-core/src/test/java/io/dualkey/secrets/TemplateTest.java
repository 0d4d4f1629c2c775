package io.dualkey.secrets;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class TemplateTest {

    private static String render(String template, String... values) {
        Template parsed = Template.parse(template);
        List<SecretValue> checked =
                Arrays.stream(values).map(SecretValue::ofText).toList();
        for (int i = 0; i < values.length; i++) {
            parsed.check(i, checked.get(i));
        }
        return parsed.render(checked).revealText();
    }

    private static void refuses(String template, int character, String problem) {
        assertThatThrownBy(() -> Template.parse(template))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("malformed template, character " + character + ": ", problem);
    }

    @Test
    void valuesArePercentEncodedWhereAUrlNeedsIt() {
        assertThat(render("postgresql://{db-user}:{db-password}@db:5432/app", "app user", "p@ss/w:rd%?#"))
                .isEqualTo("postgresql://app%20user:p%40ss%2Fw%3Ard%25%3F%23@db:5432/app");
        assertThat(render("jdbc:postgresql://db/app?user={u}&password={p}", "a&b", "c=d+e"))
                .isEqualTo("jdbc:postgresql://db/app?user=a%26b&password=c%3Dd%2Be");
        assertThat(render("redis://:{p}@cache/{n}#{f}", "-._~Az09", "a/b", "\u00e4\u20ac\ud83d\ude00"))
                .isEqualTo("redis://:-._~Az09@cache/a%2Fb#%C3%A4%E2%82%AC%F0%9F%98%80");
    }

    @Test
    void hostAndPortAreNotEncodedButChecked() {
        assertThat(render("pg://{u}:{p}@{h}:{port}/{db}", "u", "p", "db.example.com", "5432", "app"))
                .isEqualTo("pg://u:p@db.example.com:5432/app");
        assertThat(render("mongodb://{hosts}/app", "[::1]:27017,b:27018"))
                .isEqualTo("mongodb://[::1]:27017,b:27018/app");
        for (String host : List.of("evil@h", "h/x", "h?x", "h#x", "h x", "h\\x", "h\n", "h\u00e4")) {
            assertThatThrownBy(() -> render("pg://{h}/app", host))
                    .isInstanceOf(UnusableSecretException.class)
                    .hasMessageNotContaining(host);
        }
    }

    @Test
    void textThatIsNoUrlIsLeftAsItIs() {
        assertThat(render("user={u};password={p}", "a b", "c%d")).isEqualTo("user=a b;password=c%d");
        assertThat(render("{scheme}://{u}@h", "http", "a b")).isEqualTo("http://a%20b@h");
        assertThat(render("{token}", "x/y")).isEqualTo("x/y");
    }

    @Test
    void formCanBeTold() {
        assertThat(render("pg://{u|raw}@{h|raw}/", "a@b", "h/x")).isEqualTo("pg://a@b@h/x/");
        assertThat(render("{base}?t={t|url}", "https://h/", "a b")).isEqualTo("https://h/?t=a%20b");
        assertThat(render("{u|raw} {u|url}", "a b")).isEqualTo("a b a%20b");
    }

    @Test
    void doubledBracesAreBraces() {
        assertThat(render("{{{a}}}{{}}", "x")).isEqualTo("{x}{}");
        assertThat(render("{{\"key\":\"{k}\"}}", "v")).isEqualTo("{\"key\":\"v\"}");
    }

    @Test
    void eachReferenceIsAskedForOnce() {
        assertThat(Template.parse("{a} {aws:b#c/d} {a|url} {op://v/i/f}").references())
                .containsExactly("a", "aws:b#c/d", "op://v/i/f");
    }

    @Test
    void malformedTemplateIsRefusedWithThePosition() {
        refuses("", 1, "names no secret");
        refuses("postgresql://app@db", 1, "names no secret");
        refuses("{{}}", 1, "names no secret");
        refuses("a{b", 2, "without a '}'");
        refuses("a}b", 2, "without a '{'");
        refuses("{a}}", 4, "without a '{'");
        refuses("{}", 2, "is missing");
        refuses("x{|raw}", 3, "is missing");
        refuses("{a{b}", 3, "'{' within");
        refuses("{a|json}", 4, "raw or url");
        refuses("{a|}", 4, "raw or url");
        refuses("x {a#}", 4, "malformed reference, character 3: the name of a field is missing");
    }

    @Test
    void messageDoesNotQuoteTheTemplate() {
        assertThatThrownBy(() -> Template.parse("postgresql://app:canary@db/{"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageNotContaining("canary");
    }

    @Test
    void braceInALiteralPasswordIsNotQuoted() {
        assertThatThrownBy(() -> Template.parse("postgresql://app:pa{canary#wo#rd}@db/app"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("malformed template, character ")
                .hasMessageNotContaining("canary");
    }

    @Test
    void randomTextIsReadOrRefused() {
        List<String> bits = List.of(
                "{", "}", "{{", "}}", "{a}", "{b|raw}", "|", "raw", "url", "://", "/", "?", "@", ":", "#", "x", "é",
                " ", "\u0000", "{a#b}", "\ud83d");
        Random random = new Random(3);
        int read = 0;
        for (int i = 0; i < 50_000; i++) {
            StringBuilder text = new StringBuilder();
            for (int n = random.nextInt(12); n >= 0; n--) {
                text.append(bits.get(random.nextInt(bits.size())));
            }
            Template template;
            try {
                template = Template.parse(text.toString());
            } catch (IllegalArgumentException malformed) {
                assertThat(malformed.getClass()).isEqualTo(IllegalArgumentException.class);
                continue;
            }
            read++;
            List<SecretValue> values = template.references().stream()
                    .map(any -> SecretValue.ofText("canary"))
                    .toList();
            assertThat(template.render(values).revealText()).contains("canary");
        }
        assertThat(read).isBetween(500, 45_000);
    }
}
