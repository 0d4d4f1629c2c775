package io.dualkey.secrets.jwt;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class Base64UrlTest {

    private static byte[] decode(String text) {
        byte[] source = text.getBytes(ISO_8859_1);
        byte[] target = new byte[Base64Url.decodedLength(source.length)];
        int length = Base64Url.decode(source, 0, source.length, target);
        return length < 0 ? null : Arrays.copyOf(target, length);
    }

    @Test
    void decodesWhatTheJdkEncodes() {
        Random random = new Random(1);
        for (int length = 0; length < 200; length++) {
            byte[] bytes = new byte[length];
            random.nextBytes(bytes);
            assertThat(decode(Tokens.base64Url(bytes))).isEqualTo(bytes);
        }
    }

    /** Every text of up to three characters is refused or is the only spelling of its bytes. */
    @Test
    void acceptsOneSpellingOnly() {
        for (int a = 0; a < 256; a++) {
            assertThat(decode("" + (char) a)).isNull();
            for (int b = 0; b < 256; b++) {
                onlySpelling("" + (char) a + (char) b);
                onlySpelling("AB" + (char) a + (char) b);
                onlySpelling("A" + (char) a + (char) b);
            }
        }
    }

    private static void onlySpelling(String text) {
        byte[] bytes = decode(text);
        if (bytes != null && !Tokens.base64Url(bytes).equals(text)) {
            throw new AssertionError(text);
        }
    }
}
