package io.dualkey.secrets;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A text with places for secrets: {@code postgresql://{db-user}:{db-password}@db:5432/app}; see
 * {@link SecretSource#composed}. Immutable.
 */
final class Template {

    /** How a value is written where it stands. */
    private enum Form {
        /** As it is. */
        RAW,
        /** Percent-encoded but for the unreserved characters of RFC 3986. */
        ENCODED,
        /** As it is, but refused if it has what would end the host and port of a URL. */
        HOST
    }

    /** A piece of text, or the place of a secret. */
    private record Piece(String text, int slot, Form form) {}

    private static final String HEX = "0123456789ABCDEF";

    private final List<Piece> pieces;
    private final List<String> references;

    private Template(List<Piece> pieces, List<String> references) {
        this.pieces = List.copyOf(pieces);
        this.references = List.copyOf(references);
    }

    /** The references in the template, each once, in the order of their first appearance. */
    List<String> references() {
        return references;
    }

    /**
     * Reads a template.
     *
     * @throws IllegalArgumentException if it is malformed; the message has the position, but not the text, which may have
     *     a password in it that should have been a reference
     */
    static Template parse(String template) {
        List<Piece> pieces = new ArrayList<>();
        List<String> references = new ArrayList<>();
        StringBuilder text = new StringBuilder();
        StringBuilder shape =
                new StringBuilder(); // the template with a space for each secret, to find the parts of a URL
        for (int i = 0; i < template.length(); i++) {
            char c = template.charAt(i);
            if (c != '{' && c != '}') {
                text.append(c);
                shape.append(c);
            } else if (i + 1 < template.length() && template.charAt(i + 1) == c) {
                text.append(c);
                shape.append(c);
                i++;
            } else if (c == '}') {
                throw malformed(i, "a '}' without a '{'; write '}}' for the character itself");
            } else {
                int end = template.indexOf('}', i);
                if (end < 0) {
                    throw malformed(i, "a '{' without a '}'; write '{{' for the character itself");
                }
                pieces.add(new Piece(text.toString(), -1, Form.RAW));
                text.setLength(0);
                pieces.add(slot(template, i + 1, end, references, shape.length()));
                shape.append(' ');
                i = end;
            }
        }
        pieces.add(new Piece(text.toString(), -1, Form.RAW));
        if (references.isEmpty()) {
            throw malformed(0, "it names no secret; write {name} where one belongs");
        }
        return new Template(placed(pieces, shape.toString()), references);
    }

    /** What is wrong with a reference, without the reference: a brace in a literal password makes one of what follows. */
    private static String problemAlone(IllegalArgumentException malformed, String reference) {
        String message = String.valueOf(malformed.getMessage());
        String quote = "malformed reference " + SecretReference.quoted(reference);
        return message.startsWith(quote) ? message.substring(quote.length()) : "";
    }

    /** One place. Where no form is told, its {@code text} is its position in the shape, until {@link #placed} sees to it. */
    private static Piece slot(String template, int from, int end, List<String> references, int position) {
        int open = template.indexOf('{', from);
        if (open >= 0 && open < end) {
            throw malformed(open, "a '{' within the name of a secret");
        }
        int bar = template.indexOf('|', from);
        int nameEnd = bar >= 0 && bar < end ? bar : end;
        if (nameEnd == from) {
            throw malformed(from, "the name of a secret is missing");
        }
        String reference = template.substring(from, nameEnd);
        try {
            SecretReference.parse(reference);
        } catch (IllegalArgumentException malformed) {
            throw malformed(from, "a malformed reference" + problemAlone(malformed, reference));
        }
        if (!references.contains(reference)) {
            references.add(reference);
        }
        int slot = references.indexOf(reference);
        if (nameEnd == end) {
            return new Piece(Integer.toString(position), slot, Form.RAW);
        }
        return switch (template.substring(nameEnd + 1, end)) {
            case "raw" -> new Piece("", slot, Form.RAW);
            case "url" -> new Piece("", slot, Form.ENCODED);
            default -> throw malformed(nameEnd + 1, "after the '|' there must be raw or url");
        };
    }

    /** Gives each place that has no form of its own the one that its part of the URL needs. */
    private static List<Piece> placed(List<Piece> pieces, String shape) {
        int authority = shape.indexOf("://");
        int begin = authority < 0 ? Integer.MAX_VALUE : authority + 3;
        int host = begin;
        int path = shape.length();
        for (int i = begin; i < path; i++) {
            if (shape.charAt(i) == '@') {
                host = i + 1;
            } else if ("/?#".indexOf(shape.charAt(i)) >= 0) {
                path = i;
            }
        }
        List<Piece> placed = new ArrayList<>();
        for (Piece piece : pieces) {
            if (piece.slot < 0 || piece.text.isEmpty()) {
                placed.add(piece);
                continue;
            }
            int position = Integer.parseInt(piece.text);
            Form form = position < begin ? Form.RAW : position >= host && position < path ? Form.HOST : Form.ENCODED;
            placed.add(new Piece("", piece.slot, form));
        }
        return placed;
    }

    private static IllegalArgumentException malformed(int index, String problem) {
        return new IllegalArgumentException("malformed template, character " + (index + 1) + ": " + problem);
    }

    /**
     * Checks that a value can stand in all places of a reference.
     *
     * @throws UnusableSecretException if it cannot
     */
    SecretValue check(int reference, SecretValue value) {
        String text = value.revealText();
        for (Piece piece : pieces) {
            if (piece.slot == reference && piece.form == Form.HOST) {
                for (int i = 0; i < text.length(); i++) {
                    if (!unreserved(text.charAt(i)) && ":[],%".indexOf(text.charAt(i)) < 0) {
                        throw new UnusableSecretException(
                                "the value has a character that cannot stand in a URL's host");
                    }
                }
            }
        }
        return value;
    }

    /** Puts values, which have been checked, in their places. */
    SecretValue render(List<SecretValue> values) {
        Buffer out = new Buffer();
        for (Piece piece : pieces) {
            byte[] bytes = piece.slot < 0
                    ? piece.text.getBytes(StandardCharsets.UTF_8)
                    : values.get(piece.slot).revealBytes();
            if (piece.form == Form.ENCODED) {
                for (byte b : bytes) {
                    encode(b, out);
                }
            } else {
                out.writeBytes(bytes);
            }
            Arrays.fill(bytes, (byte) 0);
        }
        return out.value();
    }

    private static void encode(byte b, ByteArrayOutputStream out) {
        if (unreserved((char) (b & 0xff))) {
            out.write(b);
        } else {
            out.write('%');
            out.write(HEX.charAt((b >> 4) & 0xf));
            out.write(HEX.charAt(b & 0xf));
        }
    }

    private static boolean unreserved(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || "-._~".indexOf(c) >= 0;
    }

    /** Clears what it holds once it is taken out. */
    private static final class Buffer extends ByteArrayOutputStream {

        SecretValue value() {
            byte[] bytes = toByteArray();
            SecretValue value = SecretValue.of(bytes);
            Arrays.fill(bytes, (byte) 0);
            Arrays.fill(buf, (byte) 0);
            return value;
        }
    }

    /** How many secrets it has; never the text. */
    @Override
    public String toString() {
        return "Template" + references;
    }
}
