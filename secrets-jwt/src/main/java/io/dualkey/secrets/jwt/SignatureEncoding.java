package io.dualkey.secrets.jwt;

import org.jspecify.annotations.Nullable;

/** How 32 bytes of a MAC are spelled. Each MAC has exactly one spelling, so that a text stands for one signature. */
enum SignatureEncoding {
    /** Two digits for each byte, in lower case, as all senders we know write them. */
    HEX {
        @Override
        byte @Nullable [] decode(String text, int from, int to) {
            if (to - from != 2 * MacKey.LENGTH) {
                return null;
            }
            byte[] decoded = new byte[MacKey.LENGTH];
            for (int i = 0; i < MacKey.LENGTH; i++) {
                int value = digit(text.charAt(from + 2 * i)) << 4 | digit(text.charAt(from + 2 * i + 1));
                if (value < 0) { // so is what an invalid digit, -1, is combined with
                    return null;
                }
                decoded[i] = (byte) value;
            }
            return decoded;
        }

        private int digit(char character) {
            if (character >= '0' && character <= '9') {
                return character - '0';
            }
            return character >= 'a' && character <= 'f' ? character - 'a' + 10 : -1;
        }
    },
    /** RFC 4648 section 4, with its padding, and with zeros in the bits that stand for nothing. */
    BASE64 {
        @Override
        byte @Nullable [] decode(String text, int from, int to) {
            int digits = (MacKey.LENGTH * 8 + 5) / 6;
            if (to - from != digits + 1 || text.charAt(to - 1) != '=') {
                return null;
            }
            byte[] decoded = new byte[MacKey.LENGTH];
            int bits = 0;
            int pending = 0;
            int length = 0;
            for (int i = from; i < from + digits; i++) {
                int value = digit(text.charAt(i));
                if (value < 0) {
                    return null;
                }
                bits = bits << 6 | value;
                pending += 6;
                if (pending >= 8) {
                    pending -= 8;
                    decoded[length++] = (byte) (bits >> pending);
                }
            }
            return (bits & (1 << pending) - 1) == 0 ? decoded : null;
        }

        private int digit(char character) {
            if (character >= 'A' && character <= 'Z') {
                return character - 'A';
            }
            if (character >= 'a' && character <= 'z') {
                return character - 'a' + 26;
            }
            if (character >= '0' && character <= '9') {
                return character - '0' + 52;
            }
            return character == '+' ? 62 : character == '/' ? 63 : -1;
        }
    };

    /** The bytes that a part of a text stands for; null if it is anything but a MAC in this spelling. */
    abstract byte @Nullable [] decode(String text, int from, int to);
}
