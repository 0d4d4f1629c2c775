package io.dualkey.secrets.jwt;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What the sender of a message put into its header, read strictly. */
final class SignatureHeader {

    private static final int MAX_LENGTH = 1024;
    private static final int MAX_DIGITS = 12;
    private static final byte[] NOTHING = {};

    /** What is signed before the body. */
    final byte[] beginning;

    private final long timestampMillis;
    private final List<byte[]> signatures;

    private SignatureHeader(byte[] beginning, long timestampMillis, List<byte[]> signatures) {
        this.beginning = beginning;
        this.timestampMillis = timestampMillis;
        this.signatures = signatures;
    }

    /** Reads a signature after a fixed text; null if the header is anything else. */
    static @Nullable SignatureHeader plain(String header, String prefix, SignatureEncoding encoding) {
        if (!header.startsWith(prefix)) {
            return null;
        }
        byte[] signature = encoding.decode(header, prefix.length(), header.length());
        return signature == null ? null : new SignatureHeader(NOTHING, 0, List.of(signature));
    }

    /**
     * Reads {@code t=1700000000,v1=...,v1=...}: one time in seconds since 1970, one signature or more, and in between
     * elements of other names, which mean nothing. Null if the header is anything else.
     */
    static @Nullable SignatureHeader timestamped(String header, SignatureEncoding encoding) {
        if (header.length() > MAX_LENGTH) {
            return null;
        }
        String time = null;
        List<byte[]> signatures = new ArrayList<>(2);
        int from = 0;
        while (from <= header.length()) {
            int comma = header.indexOf(',', from);
            int to = comma < 0 ? header.length() : comma;
            if (header.startsWith("t=", from)) {
                if (time != null || !isTime(header, from + 2, to)) {
                    return null;
                }
                time = header.substring(from + 2, to);
            } else if (header.startsWith("v1=", from)) {
                byte[] signature = encoding.decode(header, from + 3, to);
                if (signature == null) {
                    return null;
                }
                signatures.add(signature);
            } else if (!isOther(header, from, to)) {
                return null;
            }
            from = to + 1;
        }
        if (time == null || signatures.isEmpty()) {
            return null;
        }
        return new SignatureHeader((time + ".").getBytes(ISO_8859_1), Long.parseLong(time) * 1000, signatures);
    }

    /** Digits of ASCII, without leading zeros, and not so many that seconds would overflow as milliseconds. */
    private static boolean isTime(String header, int from, int to) {
        int length = to - from;
        if (length < 1 || length > MAX_DIGITS || header.charAt(from) == '0') {
            return false;
        }
        for (int i = from; i < to; i++) {
            if (header.charAt(i) < '0' || header.charAt(i) > '9') {
                return false;
            }
        }
        return true;
    }

    /** A name of lower-case letters and digits, an equals sign, and visible characters of ASCII. */
    private static boolean isOther(String header, int from, int to) {
        int equals = header.indexOf('=', from);
        if (equals <= from || equals >= to) {
            return false;
        }
        for (int i = from; i < to; i++) {
            char character = header.charAt(i);
            boolean nameable = (character >= 'a' && character <= 'z') || (character >= '0' && character <= '9');
            if (i < equals ? !nameable : character <= ' ' || character > '~') {
                return false;
            }
        }
        return true;
    }

    /** Whether one of the signatures is this one. It takes the same time whichever it is. */
    boolean contains(byte[] signature) {
        boolean found = false;
        for (byte[] given : signatures) {
            found |= MessageDigest.isEqual(given, signature);
        }
        return found;
    }

    /** How far the time of signing is from another, before or after. */
    long millisFrom(long epochMillis) {
        return Math.abs(epochMillis - timestampMillis);
    }
}
