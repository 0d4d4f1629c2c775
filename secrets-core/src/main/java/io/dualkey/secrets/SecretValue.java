package io.dualkey.secrets;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The bytes of a secret. Bytes are copied in and out, {@link #equals} takes the same time wherever two values of one
 * length differ, and {@link #toString} never shows the content. To take the content out, call a method whose name
 * starts with {@code reveal}, so that a search through the code finds every such place.
 *
 * <p>Not {@link java.io.Serializable}, on purpose. Immutable and safe for use by several threads.
 */
public final class SecretValue {

    private final byte[] bytes;

    private SecretValue(byte[] bytes) {
        this.bytes = bytes;
    }

    /**
     * {@return a value made of a copy of these bytes}
     *
     * @param bytes the content; later changes to the array do not reach the value
     */
    public static SecretValue of(byte[] bytes) {
        return new SecretValue(bytes.clone());
    }

    /**
     * {@return a value made of a text's UTF-8 bytes}
     *
     * @param text the content
     */
    public static SecretValue ofText(String text) {
        return new SecretValue(text.getBytes(StandardCharsets.UTF_8));
    }

    /** {@return a fresh copy of the content} The caller owns the array and should clear it after use. */
    public byte[] revealBytes() {
        return bytes.clone();
    }

    /**
     * {@return the content as text}
     *
     * @throws UnusableSecretException if the content is not valid UTF-8
     */
    public String revealText() {
        String text = textOrNull();
        if (text == null) {
            throw new UnusableSecretException("the value is binary, but text (UTF-8) is needed here");
        }
        return text;
    }

    /** {@return the number of bytes} */
    public int length() {
        return bytes.length;
    }

    /**
     * Why this value cannot be a real secret, or null when it may be one: it is empty, blank, or one of the texts that
     * deployment templates leave where a secret has not been filled in yet.
     */
    @Nullable
    String placeholderProblem() {
        if (bytes.length == 0) {
            return "the value is empty";
        }
        if (bytes.length > 512) { // no placeholder is that long: spare large values the decoding
            return null;
        }
        String text = textOrNull();
        if (text == null) {
            return null;
        }
        String trimmed = text.strip();
        if (trimmed.isEmpty()) {
            return "the value is blank";
        }
        String lower = trimmed.toLowerCase(Locale.ROOT);
        boolean template = lower.equals("changeme")
                || lower.equals("__replaced_by_env_var__")
                || lower.equals("__dev_override__")
                || (lower.startsWith("<") && lower.endsWith(">") && lower.indexOf('\n') < 0);
        return template ? "the value is a placeholder that was never replaced by a secret" : null;
    }

    private @Nullable String textOrNull() {
        try {
            CharBuffer text = StandardCharsets.UTF_8
                    .newDecoder()
                    .onMalformedInput(CodingErrorAction.REPORT)
                    .onUnmappableCharacter(CodingErrorAction.REPORT)
                    .decode(ByteBuffer.wrap(bytes));
            return text.toString();
        } catch (CharacterCodingException binary) {
            return null;
        }
    }

    /** Whether the other object is a value of the same content, compared in constant time. */
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof SecretValue value && MessageDigest.isEqual(bytes, value.bytes);
    }

    /** The same number for every value: a hash of the content would tell something about it. Not for use as a map key. */
    @Override
    public int hashCode() {
        return SecretValue.class.hashCode();
    }

    /** A fixed text without the content. */
    @Override
    public String toString() {
        return "SecretValue[hidden]";
    }
}
