package io.dualkey.secrets.jwt;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** What a verifier asks of headers. Immutable. */
final class HeaderRules {

    private static final String PREFIX = "application/";

    final List<JwsAlgorithm> algorithms;
    final byte[][] types;
    final boolean typeRequired;
    private final byte[][] names;

    /**
     * Makes rules.
     *
     * @param type the only {@code typ} that is accepted, and it must be there; null for JWT, at+jwt or none
     */
    HeaderRules(List<JwsAlgorithm> algorithms, @Nullable String type) {
        this.algorithms = algorithms;
        this.names = algorithms.stream()
                .map(algorithm -> algorithm.headerName().getBytes(US_ASCII))
                .toArray(byte[][]::new);
        this.typeRequired = type != null;
        this.types = type == null ? types("jwt", "at+jwt") : types(type.toLowerCase(Locale.ROOT));
    }

    /** {@code typ} is compared without case and may leave out "application/" (RFC 7515 section 4.1.9, RFC 9068). */
    private static byte[][] types(String... names) {
        byte[][] types = new byte[2 * names.length][];
        for (int i = 0; i < names.length; i++) {
            String bare = names[i].startsWith(PREFIX) ? names[i].substring(PREFIX.length()) : names[i];
            types[2 * i] = bare.getBytes(US_ASCII);
            types[2 * i + 1] = (PREFIX + bare).getBytes(US_ASCII);
        }
        return types;
    }

    /** The algorithm whose exact name was just read; null if it is none of those that were told. */
    @Nullable
    JwsAlgorithm algorithm(JsonCursor json) {
        for (int i = 0; i < names.length; i++) {
            if (json.is(names[i])) {
                return algorithms.get(i);
            }
        }
        return null;
    }

    /** Whether the text just read is an accepted type. */
    boolean isAcceptedType(JsonCursor json) {
        for (byte[] type : types) {
            if (json.isIgnoringCase(type)) {
                return true;
            }
        }
        return false;
    }
}
