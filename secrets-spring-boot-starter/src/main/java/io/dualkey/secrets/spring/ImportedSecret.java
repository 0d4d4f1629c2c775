package io.dualkey.secrets.spring;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.util.JsonRecyclerPools;
import io.dualkey.secrets.UnusableSecretException;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.origin.Origin;
import org.springframework.boot.origin.OriginLookup;
import org.springframework.core.env.EnumerablePropertySource;

/**
 * Properties that are a secret, as they were at startup. Unlike other property sources it never prints what it has, not even when
 * debugging is on. Immutable and safe for use by several threads.
 */
final class ImportedSecret extends EnumerablePropertySource<ImportedSecret.Values> implements OriginLookup<String> {

    /** As for fields of references: strict, and without buffers that outlive the reading. */
    private static final JsonFactory JSON = JsonFactory.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .disable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION)
            .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .recyclerPool(JsonRecyclerPools.nonRecyclingPool())
            .streamReadConstraints(
                    StreamReadConstraints.builder().maxNestingDepth(64).build())
            .build();

    private final Origin origin;

    /**
     * Makes one.
     *
     * @param location of the import
     * @param origin which secret it is, and where
     */
    ImportedSecret(String location, String origin, Map<String, String> properties) {
        super(location, new Values(properties));
        this.origin = new SecretOrigin(origin);
    }

    /**
     * The properties that the text of a secret makes.
     *
     * @param property the one whose value it is; null if it is JSON whose fields are properties
     * @throws UnusableSecretException if it is no JSON object; the message quotes nothing
     */
    static Map<String, String> properties(@Nullable String property, String text) {
        Map<String, String> properties = new LinkedHashMap<>();
        if (property != null) {
            put(properties, property, text);
            return properties;
        }
        try (JsonParser json = JSON.createParser(text)) {
            if (json.nextToken() != JsonToken.START_OBJECT) {
                throw notAnObject();
            }
            flatten(json, "", properties);
            if (json.nextToken() != null) {
                throw notAnObject();
            }
            return properties;
        } catch (JsonProcessingException malformed) { // not as a cause: its message quotes the document
            throw notAnObject();
        } catch (IOException impossible) {
            throw notAnObject();
        }
    }

    private static UnusableSecretException notAnObject() {
        return new UnusableSecretException("the secret is not one JSON object whose fields could be properties");
    }

    /** Reads the object or array at which the parser stands; names are put together as in YAML. */
    private static void flatten(JsonParser json, String path, Map<String, String> properties) throws IOException {
        boolean array = json.currentToken() == JsonToken.START_ARRAY;
        for (int index = 0; !json.nextToken().isStructEnd(); index++) {
            String name;
            if (array) {
                name = path + "[" + index + "]";
            } else {
                name = path.isEmpty() ? json.currentName() : path + "." + json.currentName();
                json.nextToken();
            }
            JsonToken token = json.currentToken();
            if (token.isStructStart()) {
                flatten(json, name, properties);
            } else if (token != JsonToken.VALUE_NULL) {
                put(properties, name, json.getText());
            }
        }
    }

    /** What looks like a placeholder is none: it is part of a password. */
    private static void put(Map<String, String> properties, String name, String value) {
        if (properties.put(name, value.replace("${", "\\${")) != null) {
            throw new UnusableSecretException("two fields of the JSON object are the same property");
        }
    }

    @Override
    public String[] getPropertyNames() {
        return getSource().properties.keySet().toArray(String[]::new);
    }

    @Override
    public @Nullable Object getProperty(String name) {
        return getSource().properties.get(name);
    }

    @Override
    public @Nullable Origin getOrigin(String name) {
        return getSource().properties.containsKey(name) ? origin : null;
    }

    /** The location; no value. */
    @Override
    public String toString() {
        return "ImportedSecret[" + getName() + "]";
    }

    /** The values. They have a type of their own because a property source shows its source when it is printed or described. */
    static final class Values {

        private final Map<String, String> properties;

        private Values(Map<String, String> properties) {
            this.properties = Map.copyOf(properties);
        }

        @Override
        public String toString() {
            return "hidden";
        }
    }

    /**
     * Where such a property comes from.
     *
     * @param description the secret and its store
     */
    private record SecretOrigin(String description) implements Origin {

        @Override
        public String toString() {
            return description;
        }
    }
}
