package io.dualkey.secrets;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.util.JsonRecyclerPools;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Selects one value of a JSON document, as the part of a reference after its {@code #} says: a JSON Pointer (RFC 6901),
 * {@code /primary/password}, whose first slash may be left out, {@code password}. A number selects an element of an array.
 * In a name {@code ~1} stands for a slash and {@code ~0} for a tilde.
 *
 * <p>The document is read strictly, to its end: duplicate members, anything after the document and deep nesting are
 * refused. No message quotes any of it.
 */
final class JsonPointer {

    private static final int MAX_DEPTH = 64;

    /** Buffers are not pooled: they would keep values alive for the next reader. */
    private static final JsonFactory JSON = JsonFactory.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .disable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION)
            .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .recyclerPool(JsonRecyclerPools.nonRecyclingPool())
            .streamReadConstraints(
                    StreamReadConstraints.builder().maxNestingDepth(MAX_DEPTH).build())
            .build();

    private final List<String> names;

    private JsonPointer(List<String> names) {
        this.names = List.copyOf(names);
    }

    static JsonPointer ofMember(String name) {
        return new JsonPointer(List.of(name));
    }

    /** Reads the pointer that takes up the end of a reference. */
    static JsonPointer parse(String reference, int from) {
        int begin = reference.startsWith("/", from) ? from + 1 : from;
        List<String> names = new ArrayList<>();
        StringBuilder name = new StringBuilder();
        for (int i = begin; i <= reference.length(); i++) {
            char c = i == reference.length() ? '/' : reference.charAt(i);
            if (c == '/') {
                if (name.isEmpty()) {
                    throw SecretReference.malformed(reference, i, "the name of a field is missing");
                }
                names.add(name.toString());
                name.setLength(0);
            } else if (c != '~') {
                name.append(c);
            } else {
                char escaped = ++i < reference.length() ? reference.charAt(i) : ' ';
                if (escaped != '0' && escaped != '1') {
                    throw SecretReference.malformed(
                            reference, i - 1, "a tilde must be written ~0, and a slash in a name ~1");
                }
                name.append(escaped == '0' ? '~' : '/');
            }
        }
        return new JsonPointer(names);
    }

    /**
     * Takes the value out of a document.
     *
     * @throws UnusableSecretException if the value is not JSON or has no such text, number or boolean
     */
    SecretValue select(SecretValue document) {
        try (JsonParser json = JSON.createParser(document.revealText())) {
            if (json.nextToken() == null) {
                throw new UnusableSecretException("the value is empty, but JSON with " + this + " is needed");
            }
            String found = find(json, 0);
            if (json.nextToken() != null) {
                throw new UnusableSecretException("there is something after the end of the JSON document");
            }
            if (found == null) {
                throw new UnusableSecretException("the JSON has no " + this);
            }
            return SecretValue.ofText(found);
        } catch (JsonProcessingException malformed) { // not as a cause: its message quotes the document
            var location = malformed.getLocation();
            String place = location == null ? "" : ", see character " + (location.getCharOffset() + 1);
            throw new UnusableSecretException("the value is not valid JSON" + place);
        } catch (IOException impossible) {
            throw new UnusableSecretException("the value is not valid JSON");
        }
    }

    /** Reads the value at which the parser stands to its end; gives what the names from {@code depth} on select in it. */
    private @Nullable String find(JsonParser json, int depth) throws IOException {
        JsonToken token = json.currentToken();
        if (depth == names.size()) {
            return scalar(json, token);
        }
        String found = null;
        if (token == JsonToken.START_OBJECT) {
            while (json.nextToken() != JsonToken.END_OBJECT) {
                boolean wanted = names.get(depth).equals(json.currentName());
                json.nextToken();
                if (wanted) {
                    found = find(json, depth + 1);
                } else {
                    json.skipChildren();
                }
            }
        } else if (token == JsonToken.START_ARRAY) {
            for (int index = 0; json.nextToken() != JsonToken.END_ARRAY; index++) {
                if (names.get(depth).equals(Integer.toString(index))) {
                    found = find(json, depth + 1);
                } else {
                    json.skipChildren();
                }
            }
        }
        return found;
    }

    private String scalar(JsonParser json, JsonToken token) throws IOException {
        if (token == JsonToken.VALUE_NULL) {
            throw new UnusableSecretException("in the JSON, " + this + " is null");
        }
        if (token.isStructStart()) {
            throw new UnusableSecretException("in the JSON, " + this + " is not a single value but "
                    + (token == JsonToken.START_OBJECT ? "an object" : "an array") + ": name one of its fields");
        }
        return json.getText();
    }

    /** The pointer as it would be written; it is configuration, not part of a value. */
    String path() {
        StringBuilder path = new StringBuilder();
        names.forEach(name -> path.append('/').append(name.replace("~", "~0").replace("/", "~1")));
        return path.toString();
    }

    @Override
    public String toString() {
        return "field '" + path() + "'";
    }
}
