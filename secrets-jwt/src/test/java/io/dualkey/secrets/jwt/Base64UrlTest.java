package io.dualkey.secrets.jwt;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class Base64UrlTest {

    private static final Base64Url.Signed SIGNED = new Base64Url.Signed();

    /** By both decoders, which must agree. */
    private static byte[] decode(String text) {
        byte[] source = text.getBytes(ISO_8859_1);
        byte[] target = new byte[Base64Url.decodedLength(source.length)];
        int length = Base64Url.decode(source, 0, source.length, target);
        byte[] decoded = length < 0 ? null : Arrays.copyOf(target, length);

        byte[] framed = ("=?" + text + "=?").getBytes(ISO_8859_1);
        byte[] room = new byte[Math.max(192, 2 * source.length)];
        int signedLength = SIGNED.decode(framed, 2, 2 + source.length, room);
        assertThat(signedLength).as(text).isEqualTo(length);
        if (length >= 0) {
            assertThat(Arrays.copyOf(room, length)).isEqualTo(decoded);
        }
        return decoded;
    }

    /** A foreign character or padding at every place of texts of all lengths around the sizes of the decoder's rooms. */
    @Test
    void refusesForeignCharactersAtEveryPlace() {
        for (int length : new int[] {3, 4, 64, 251, 252, 253, 254, 255, 256, 257, 508, 512}) {
            String good = "A".repeat(length);
            for (int at = 0; at < length; at++) {
                for (char foreign : "=+/ \n\0\u00e4".toCharArray()) {
                    String bad = good.substring(0, at) + foreign + good.substring(at + 1);
                    assertThat(decode(bad)).isNull();
                }
            }
        }
    }

    @Test
    void decodesWhatTheJdkEncodes() {
        Random random = new Random(1);
        for (int length = 0; length < 800; length++) {
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
