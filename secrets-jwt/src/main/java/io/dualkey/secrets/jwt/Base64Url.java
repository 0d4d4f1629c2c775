package io.dualkey.secrets.jwt;

import java.util.Arrays;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/**
 * Base64url as RFC 7515 section 2 has it, and nothing else: no padding, no white space, no foreign characters, no
 * non-zero bits after the last byte. So each sequence of bytes has exactly one spelling.
 */
final class Base64Url {

    private static final Base64.Decoder DECODER = Base64.getUrlDecoder();
    private static final int[] VALUES = new int[256];

    static {
        Arrays.fill(VALUES, -1);
        String alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        for (int i = 0; i < alphabet.length(); i++) {
            VALUES[alphabet.charAt(i)] = i;
        }
    }

    private Base64Url() {}

    /** The most bytes that this many characters can stand for. */
    static int decodedLength(int characters) {
        return (int) (characters * 3L / 4);
    }

    /**
     * Decodes a range of characters.
     *
     * @param target has room for {@link #decodedLength} bytes
     * @return the number of bytes, or -1 if the characters are not canonical base64url
     */
    static int decode(byte[] source, int from, int to, byte[] target) {
        int tail = (to - from) & 3;
        int whole = to - tail;
        int bad = 0; // an invalid character is -1, and so is what it is combined with: negative
        int length = 0;
        for (int i = from; i < whole; i += 4) {
            int bits = VALUES[source[i] & 0xFF] << 18
                    | VALUES[source[i + 1] & 0xFF] << 12
                    | VALUES[source[i + 2] & 0xFF] << 6
                    | VALUES[source[i + 3] & 0xFF];
            bad |= bits;
            target[length] = (byte) (bits >> 16);
            target[length + 1] = (byte) (bits >> 8);
            target[length + 2] = (byte) bits;
            length += 3;
        }
        if (tail == 1) {
            return -1;
        }
        if (tail > 1) {
            int bits = VALUES[source[whole] & 0xFF] << 12 | VALUES[source[whole + 1] & 0xFF] << 6;
            target[length++] = (byte) (bits >> 10);
            if (tail == 2) {
                bad |= bits | -(bits & 0x3FF);
            } else {
                bits |= VALUES[source[whole + 2] & 0xFF];
                target[length++] = (byte) (bits >> 2);
                bad |= bits | -(bits & 3);
            }
        }
        return bad < 0 ? -1 : length;
    }

    /**
     * Decodes by the JDK, which does it many bytes at a time where the processor can. It takes whole arrays only, and
     * throws an exception, with its stack trace, at characters that it does not know; so this is for texts that somebody
     * has signed. Not safe for use by several threads.
     */
    static final class Signed {

        private static final int LEAST_BITS = 8;

        /** Arrays of the powers of two; made when first needed. */
        private final byte[] @Nullable [] rooms = new byte[32][];

        /**
         * Decodes a range of characters.
         *
         * @param target has room for three quarters of the next power of two above the number of characters
         * @return the number of bytes, or -1 if the characters are not canonical base64url
         */
        int decode(byte[] source, int from, int to, byte[] target) {
            int characters = to - from;
            int tail = characters & 3;
            if (tail == 1 || (tail > 1 && !hasNoLooseBits(source[to - 1], tail))) {
                return -1;
            }
            byte[] room = room(characters);
            System.arraycopy(source, from, room, 0, characters);
            // What follows stands for zeros. At least one group does, so padding is never at the end, where it is
            // allowed.
            Arrays.fill(room, characters, room.length, (byte) 'A');
            try {
                int length = DECODER.decode(room, target);
                return length == decodedLength(room.length) ? decodedLength(characters) : -1;
            } catch (IllegalArgumentException foreignCharacter) {
                return -1;
            }
        }

        private static boolean hasNoLooseBits(byte last, int tail) {
            int value = VALUES[last & 0xFF];
            return (value & (tail == 2 ? 0xF : 3)) == 0;
        }

        private byte[] room(int characters) {
            int bits = Math.max(LEAST_BITS, Integer.SIZE - Integer.numberOfLeadingZeros(characters + 3));
            byte[] room = rooms[bits];
            if (room == null) {
                room = new byte[1 << bits];
                rooms[bits] = room;
            }
            return room;
        }
    }
}
