package io.dualkey.secrets.jwt;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.math.BigInteger;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Walks over one JSON text (RFC 8259) in UTF-8, token by token, without allocating. It is strict: member names are
 * unique within their object, escapes count as what they stand for, nothing but white space follows the value, UTF-8 is
 * well-formed, surrogates come in pairs, and depth and number of members are limited. After the first violation it
 * answers {@link #ERROR} for good.
 *
 * <p>It may rewrite the bytes it has passed: names with escapes are unescaped in place. Not safe for use by several
 * threads.
 */
final class JsonCursor {

    static final int ERROR = 0;
    static final int END = 1;
    static final int BEGIN_OBJECT = 2;
    static final int END_OBJECT = 3;
    static final int BEGIN_ARRAY = 4;
    static final int END_ARRAY = 5;
    static final int NAME = 6;
    static final int STRING = 7;
    static final int NUMBER = 8;
    static final int TRUE = 9;
    static final int FALSE = 10;
    static final int NULL = 11;

    static final long NO_DATE = Long.MIN_VALUE;

    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final long ONES = 0x0101010101010101L;
    private static final long HIGH_BITS = ONES << 7;

    private static final long GOLDEN_RATIO = 0x9E3779B97F4A7C15L; // spreads what differs over the upper bits

    private static final int MAX_DEPTH = 16;
    private static final int MAX_MEMBERS = 256;
    private static final long LAST_DATE = 253_402_300_799L; // 9999-12-31T23:59:59Z

    // What may come next; numbers, since a switch over an enum costs a look-up for each token.
    private static final int VALUE = 0;
    private static final int FIRST_ELEMENT = 1;
    private static final int FIRST_NAME = 2;
    private static final int AFTER_VALUE = 3;
    private static final int FAILED = 4;

    private byte[] bytes = new byte[0];
    private int position;
    private int end;
    private int state = FAILED;

    private int depth;
    private long objects; // one bit for each depth: whether it is an object
    private final int[] firstMember = new int[MAX_DEPTH + 1];
    private final long[] nameHashes = new long[MAX_MEMBERS];
    private final long[] names = new long[MAX_MEMBERS]; // start and length in one number
    private long filter; // a bit for each name of the innermost object, by its hash: few names need be compared
    private final long[] outerFilters = new long[MAX_DEPTH + 1];
    private int members; // of all open objects together

    private int start;
    private int length;
    private boolean escaped;
    private boolean integer;

    /** Begins at the start of a text. */
    void reset(byte[] text, int textLength) {
        bytes = text;
        position = 0;
        end = textLength;
        state = VALUE;
        depth = 0;
        members = 0;
    }

    /** Moves to the next token and says which it is. */
    int next() {
        skipSpace();
        switch (state) {
            case AFTER_VALUE -> {
                if (depth == 0) {
                    return position == end ? END : fail();
                }
                int separator = take();
                if (separator != ',') {
                    return close(separator);
                }
                skipSpace();
                return inObject() ? name() : value();
            }
            case FIRST_NAME -> {
                return position < end && bytes[position] == '}' ? close(take()) : name();
            }
            case FIRST_ELEMENT -> {
                return position < end && bytes[position] == ']' ? close(take()) : value();
            }
            case VALUE -> {
                return value();
            }
            default -> {
                return ERROR;
            }
        }
    }

    /*
     * For a caller that reads the plainest tokens itself, in local variables, which is quicker than in the fields here. It
     * says what it has read in the place of next(), and where. Plain is what is of ASCII and has no escapes.
     */

    /** Where the next token is looked for. */
    int position() {
        return position;
    }

    /** A plain name was read, its quotes and the colon right behind it; false if the object has it already, or too many. */
    boolean plainName(int from, int to) {
        start = from;
        length = to - from;
        escaped = false;
        position = to + 2;
        state = VALUE;
        return remember();
    }

    /** A plain string was read, and its quotes. */
    int plainString(int from, int to) {
        start = from;
        length = to - from;
        escaped = false;
        position = to + 1;
        state = AFTER_VALUE;
        return STRING;
    }

    /** A number was read that is digits alone, and does not begin with a zero. */
    int plainInteger(int from, int to) {
        start = from;
        length = to - from;
        integer = true;
        position = to;
        state = AFTER_VALUE;
        return NUMBER;
    }

    /** Passes over the rest of the value whose first token was just read; false after a violation. */
    boolean skip(int token) {
        if (token == BEGIN_ARRAY) {
            passPlainStrings();
        }
        if (token == BEGIN_OBJECT || token == BEGIN_ARRAY) {
            int outside = depth - 1;
            while (depth > outside) {
                if (next() == ERROR) {
                    return false;
                }
            }
        }
        return token != ERROR;
    }

    /** Passes over what an array begins with as far as it is plain strings with nothing in between, as it mostly is. */
    private void passPlainStrings() {
        byte[] text = bytes;
        int at = position;
        while (at < end && text[at] == '"') {
            int to = special(text, at + 1, end);
            if (to + 1 >= end || text[to] != '"') {
                return;
            }
            position = to + 1;
            state = AFTER_VALUE;
            if (text[to + 1] != ',') {
                return;
            }
            at = to + 2;
        }
    }

    private int fail() {
        state = FAILED;
        return ERROR;
    }

    private boolean inObject() {
        return (objects >> depth & 1) != 0;
    }

    private int take() {
        return position < end ? bytes[position++] : -1;
    }

    private void skipSpace() {
        if (position < end && bytes[position] <= ' ') { // seldom
            position = afterSpace(position);
        }
    }

    private int afterSpace(int from) {
        int at = from;
        while (at < end && (bytes[at] == ' ' || bytes[at] == '\n' || bytes[at] == '\r' || bytes[at] == '\t')) {
            at++;
        }
        return at;
    }

    private int open(boolean object) {
        if (depth == MAX_DEPTH) {
            return fail();
        }
        depth++;
        objects = object ? objects | 1L << depth : objects & ~(1L << depth);
        firstMember[depth] = members;
        outerFilters[depth] = filter;
        filter = 0;
        state = object ? FIRST_NAME : FIRST_ELEMENT;
        return object ? BEGIN_OBJECT : BEGIN_ARRAY;
    }

    private int close(int bracket) {
        boolean object = inObject();
        if (bracket != (object ? '}' : ']')) {
            return fail();
        }
        members = firstMember[depth];
        filter = outerFilters[depth];
        depth--;
        state = AFTER_VALUE;
        return object ? END_OBJECT : END_ARRAY;
    }

    private int value() {
        state = AFTER_VALUE;
        int first = take();
        if (first == '"') {
            return string() ? STRING : fail();
        }
        return switch (first) {
            case '{' -> open(true);
            case '[' -> open(false);
            case 't' -> literal("rue", TRUE);
            case 'f' -> literal("alse", FALSE);
            case 'n' -> literal("ull", NULL);
            default -> number(first);
        };
    }

    private int literal(String rest, int token) {
        for (int i = 0; i < rest.length(); i++) {
            if (take() != rest.charAt(i)) {
                return fail();
            }
        }
        return token;
    }

    private int name() {
        if (take() != '"' || !string()) {
            return fail();
        }
        if (escaped) {
            length = unescape(bytes, start, length);
            escaped = false;
        }
        if (!remember()) {
            return fail();
        }
        if (position < end && bytes[position] != ':') {
            skipSpace();
        }
        if (take() != ':') {
            return fail();
        }
        state = VALUE;
        return NAME;
    }

    /** Notes the name; false if the object already has it. */
    private boolean remember() {
        long hash = length <= Long.BYTES
                ? word(start, length)
                : word(start, Long.BYTES) * 31 + word(start + length - Long.BYTES, Long.BYTES);
        long bit = 1L << ((hash * GOLDEN_RATIO) >>> 58);
        int count = members;
        if (((filter & bit) != 0 && isKnown(hash)) || count == MAX_MEMBERS) {
            return false;
        }
        filter |= bit;
        nameHashes[count] = hash;
        names[count] = (long) start << Integer.SIZE | length;
        members = count + 1;
        return true;
    }

    private boolean isKnown(long hash) {
        for (int i = firstMember[depth]; i < members; i++) {
            int from = (int) (names[i] >> Integer.SIZE);
            int to = from + (int) names[i];
            if (nameHashes[i] == hash && Arrays.equals(bytes, from, to, bytes, start, start + length)) {
                return true;
            }
        }
        return false;
    }

    /** Up to eight bytes as one number. */
    private long word(int from, int size) {
        if (from + Long.BYTES <= bytes.length) {
            long word = (long) LONGS.get(bytes, from);
            return size == Long.BYTES ? word : word & ((1L << (size << 3)) - 1);
        }
        long word = 0;
        for (int i = size - 1; i >= 0; i--) {
            word = word << 8 | (bytes[from + i] & 0xFF);
        }
        return word;
    }

    /** Reads a string after its opening quote. */
    private boolean string() {
        byte[] text = bytes;
        int at = position;
        start = at;
        escaped = false;
        while (true) {
            at = special(text, at, end);
            if (at >= end) {
                return false;
            }
            byte next = text[at];
            if (next == '"') {
                length = at - start;
                position = at + 1;
                return true;
            }
            at = next == '\\' ? escape(at) : next < 0 ? sequence(at) : -1;
            if (at < 0) {
                return false;
            }
        }
    }

    /**
     * The position of the next byte that is a quote, a backslash, a control character or not of ASCII; at least the end if
     * there is none before it. Looks at eight bytes at a time where the array allows, which may be past the end of the text.
     */
    static int special(byte[] text, int from, int end) {
        int at = from;
        while (at + Long.BYTES <= text.length) {
            long word = (long) LONGS.get(text, at);
            long quotes = word ^ ONES * '"';
            long backslashes = word ^ ONES * '\\';
            // The lowest bit that is set is right; a borrow may set more above it.
            long found = ((quotes - ONES) & ~quotes)
                    | ((backslashes - ONES) & ~backslashes)
                    | ((word - ONES * ' ') & ~word)
                    | word;
            found &= HIGH_BITS;
            if (found != 0) {
                return at + (Long.numberOfTrailingZeros(found) >>> 3);
            }
            at += Long.BYTES;
        }
        while (at < end && text[at] >= ' ' && text[at] != '"' && text[at] != '\\') {
            at++;
        }
        return at;
    }

    /** Checks an escape; the position after it, or -1. */
    private int escape(int at) {
        escaped = true;
        if (at + 1 >= end) {
            return -1;
        }
        byte kind = bytes[at + 1];
        if (kind != 'u') {
            return "\"\\/bfnrt".indexOf(kind) < 0 ? -1 : at + 2;
        }
        int unit = hex(at + 2);
        if (unit < 0 || Character.isLowSurrogate((char) unit)) {
            return -1;
        }
        if (!Character.isHighSurrogate((char) unit)) {
            return at + 6;
        }
        boolean paired = at + 7 < end
                && bytes[at + 6] == '\\'
                && bytes[at + 7] == 'u'
                && Character.isLowSurrogate((char) hex(at + 8));
        return paired ? at + 12 : -1;
    }

    private int hex(int at) {
        if (at + 4 > end) {
            return -1;
        }
        return hex(bytes, at);
    }

    private static int hex(byte[] text, int at) {
        int unit = 0;
        for (int i = at; i < at + 4; i++) {
            int digit = text[i] < 0 ? -1 : Character.digit(text[i], 16);
            if (digit < 0) {
                return -1;
            }
            unit = unit << 4 | digit;
        }
        return unit;
    }

    /** Checks a UTF-8 sequence of several bytes (RFC 3629 section 4); the position after it, or -1. */
    private int sequence(int at) {
        int first = bytes[at] & 0xFF;
        int size = first >= 0xC2 && first < 0xE0 ? 2 : first >= 0xE0 && first < 0xF0 ? 3 : first <= 0xF4 ? 4 : 0;
        if (first < 0xC2 || size == 0 || at + size > end) {
            return -1;
        }
        for (int i = 1; i < size; i++) {
            if ((bytes[at + i] & 0xC0) != 0x80) {
                return -1;
            }
        }
        int second = bytes[at + 1] & 0xFF;
        boolean wrong = (first == 0xE0 && second < 0xA0) // overlong
                || (first == 0xED && second >= 0xA0) // a surrogate
                || (first == 0xF0 && second < 0x90) // overlong
                || (first == 0xF4 && second >= 0x90); // beyond U+10FFFF
        return wrong ? -1 : at + size;
    }

    private int number(int first) {
        start = position - 1;
        int digit = first == '-' ? take() : first;
        if (digit < '0' || digit > '9') {
            return fail();
        }
        if (digit != '0') {
            skipDigits();
        }
        integer = true;
        int exponent = Integer.MAX_VALUE; // where its digits begin
        if (position < end && bytes[position] == '.') {
            integer = false;
            position++;
            if (!skipDigits()) {
                return fail();
            }
        }
        if (position < end && (bytes[position] | 0x20) == 'e') {
            integer = false;
            position++;
            if (position < end && (bytes[position] == '+' || bytes[position] == '-')) {
                position++;
            }
            exponent = position;
            if (!skipDigits()) {
                return fail();
            }
        }
        length = position - start;
        // Few numbers get near the largest double (RFC 7493 section 2.2), so few are looked at closely.
        boolean large = !integer && (length > 200 || position - exponent > 2);
        return large && Double.isInfinite(Double.parseDouble(ascii())) ? fail() : NUMBER;
    }

    private boolean skipDigits() {
        int from = position;
        position = digitsEnd(bytes, from, end);
        return position > from;
    }

    /** The position of the next byte that is no digit. */
    static int digitsEnd(byte[] text, int from, int end) {
        int at = from;
        while (at < end && text[at] >= '0' && text[at] <= '9') {
            at++;
        }
        return at;
    }

    /** The name just read if it has three bytes, as {@link #threeLetters(String)} makes it of a text; else -1. */
    int threeLetters() {
        return length == 3 ? bytes[start] << 16 | bytes[start + 1] << 8 | bytes[start + 2] : -1;
    }

    /** Three letters of ASCII as one number. */
    static int threeLetters(String text) {
        return text.charAt(0) << 16 | text.charAt(1) << 8 | text.charAt(2);
    }

    /** Whether the name or string just read is this text, given in UTF-8. */
    boolean is(byte[] text) {
        if (!escaped) {
            return length == text.length && Arrays.equals(bytes, start, start + length, text, 0, text.length);
        }
        byte[] plain = Arrays.copyOfRange(bytes, start, start + length);
        int plainLength = unescape(plain, 0, plain.length);
        return Arrays.equals(plain, 0, plainLength, text, 0, text.length);
    }

    /** Whether the name or string just read is this text of ASCII, given in lower case, but for the case of letters. */
    boolean isIgnoringCase(byte[] lowerCase) {
        if (escaped || length != lowerCase.length) {
            return false;
        }
        for (int i = 0; i < length; i++) {
            byte next = bytes[start + i];
            if ((next >= 'A' && next <= 'Z' ? next + 32 : next) != lowerCase[i]) {
                return false;
            }
        }
        return true;
    }

    /** The name or string just read. */
    String string(int token) {
        if (token != NAME && token != STRING) {
            throw new IllegalStateException();
        }
        if (!escaped) {
            return new String(bytes, start, length, UTF_8);
        }
        byte[] plain = Arrays.copyOfRange(bytes, start, start + length);
        return new String(plain, 0, unescape(plain, 0, plain.length), UTF_8);
    }

    /** The number just read as a NumericDate (RFC 7519 section 2), in milliseconds; {@link #NO_DATE} if out of range. */
    long dateMillis() {
        if (integer && length <= 12 && bytes[start] != '-') {
            long seconds = 0;
            for (int i = start; i < start + length; i++) {
                seconds = 10 * seconds + (bytes[i] - '0');
            }
            return seconds <= LAST_DATE ? seconds * 1000 : NO_DATE;
        }
        double seconds = Double.parseDouble(ascii());
        return seconds >= 0 && seconds <= LAST_DATE ? (long) (seconds * 1000) : NO_DATE;
    }

    private String ascii() {
        return new String(bytes, start, length, US_ASCII);
    }

    /** Unescapes in place a string that was found valid; what comes out is never longer. */
    private static int unescape(byte[] text, int from, int length) {
        int to = from;
        int at = from;
        while (at < from + length) {
            byte next = text[at++];
            if (next != '\\') {
                text[to++] = next;
                continue;
            }
            byte kind = text[at++];
            if (kind != 'u') {
                int index = "bfnrt".indexOf(kind);
                text[to++] = index < 0 ? kind : (byte) "\b\f\n\r\t".charAt(index);
                continue;
            }
            int code = hex(text, at);
            at += 4;
            if (Character.isHighSurrogate((char) code)) {
                code = Character.toCodePoint((char) code, (char) hex(text, at + 2));
                at += 6;
            }
            byte[] encoded = Character.toString(code).getBytes(UTF_8);
            System.arraycopy(encoded, 0, text, to, encoded.length);
            to += encoded.length;
        }
        return to - from;
    }

    /** Reads a whole text that is an object; null if it is anything else. The result is unmodifiable. */
    static @Nullable Map<String, Object> readObject(byte[] text) {
        JsonCursor cursor = new JsonCursor();
        cursor.reset(text, text.length);
        if (cursor.next() != BEGIN_OBJECT) {
            return null;
        }
        Map<String, Object> object = cursor.object();
        return object != null && cursor.next() == END ? object : null;
    }

    /** The members after the opening bracket, without those whose value is null; null after a violation. */
    private @Nullable Map<String, Object> object() {
        Map<String, Object> object = new LinkedHashMap<>();
        int token = next();
        while (token == NAME) {
            String name = string(token);
            int kind = next();
            Object value = read(kind);
            if (value != null) {
                object.put(name, value);
            } else if (kind != NULL) {
                return null;
            }
            token = next();
        }
        return token == END_OBJECT ? Collections.unmodifiableMap(object) : null;
    }

    private @Nullable List<Object> array() {
        List<Object> array = new ArrayList<>();
        int token = next();
        while (token != END_ARRAY) {
            Object value = read(token);
            if (value != null) {
                array.add(value);
            } else if (token != NULL) {
                return null;
            }
            token = next();
        }
        return Collections.unmodifiableList(array);
    }

    private @Nullable Object read(int token) {
        return switch (token) {
            case BEGIN_OBJECT -> object();
            case BEGIN_ARRAY -> array();
            case STRING -> string(token);
            case NUMBER -> number();
            case TRUE -> true;
            case FALSE -> false;
            default -> null;
        };
    }

    private Object number() {
        if (!integer) {
            return Double.valueOf(ascii());
        }
        return length <= 18 ? (Object) Long.valueOf(ascii()) : new BigInteger(ascii());
    }
}
