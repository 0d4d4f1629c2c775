package io.dualkey.secrets.jdbc;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import io.dualkey.secrets.Parser;
import io.dualkey.secrets.SecretValue;
import io.dualkey.secrets.UnusableSecretException;
import java.io.IOException;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reads credentials in each form that {@link DatabaseCredentials} describes; the form shows by how a text begins. */
final class CredentialsParser implements Parser<SecretValue, DatabaseCredentials> {

    private static final JsonFactory JSON = JsonFactory.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
            .build();

    /** What RDS calls an engine, and what JDBC calls it. */
    private static final Map<String, String> ENGINES =
            Map.of("postgres", "postgresql", "postgresql", "postgresql", "aurora-postgresql", "postgresql");

    private final @Nullable DatabaseUrl configured;
    private final @Nullable String configuredUser;

    CredentialsParser(@Nullable DatabaseUrl configured, @Nullable String user) {
        this.configured = configured;
        this.configuredUser = user != null || configured == null ? user : configured.user();
    }

    @Override
    public DatabaseCredentials parse(SecretValue secret) {
        String text = secret.revealText();
        String stripped = text.strip();
        if (stripped.startsWith("{")) {
            return json(stripped);
        }
        if (DatabaseUrl.looksLike(stripped)) {
            DatabaseUrl url = DatabaseUrl.parse(stripped);
            return complete(url, url.user(), url.password());
        }
        if (configured == null) {
            throw new UnusableSecretException("the value is neither a database URL (postgresql://... or"
                    + " jdbc:postgresql://...) nor JSON; if it is a password alone, configure jdbcUrl and username");
        }
        return complete(configured, null, SecretValue.ofText(withoutLineBreak(text)));
    }

    private DatabaseCredentials complete(DatabaseUrl url, @Nullable String user, @Nullable SecretValue password) {
        String as = user == null || user.isEmpty() ? configuredUser : user;
        if (as == null || as.isEmpty()) {
            throw new UnusableSecretException("it names no user, and none is configured");
        }
        if (password == null || password.length() == 0) {
            throw new UnusableSecretException("it contains no password");
        }
        return new DatabaseCredentials(url.jdbcUrl(), as, password);
    }

    private static String withoutLineBreak(String text) {
        int end = text.length();
        if (text.endsWith("\n")) {
            end -= text.endsWith("\r\n") ? 2 : 1;
        }
        return text.substring(0, end);
    }

    private DatabaseCredentials json(String text) {
        Map<String, String> members = members(text);
        String password = members.get("password");
        return complete(url(members), members.get("username"), password == null ? null : SecretValue.ofText(password));
    }

    private DatabaseUrl url(Map<String, String> members) {
        String host = members.get("host");
        if (host == null || host.isEmpty()) {
            if (configured == null) {
                throw new UnusableSecretException("the JSON has no member \"host\", and no jdbcUrl is configured");
            }
            return configured;
        }
        String engine = members.get("engine");
        String vendor =
                engine == null && configured != null && configured.jdbcUrl().startsWith("jdbc:postgresql:")
                        ? "postgresql"
                        : ENGINES.get(engine == null ? "" : engine.toLowerCase(Locale.ROOT));
        if (vendor == null) {
            throw new UnusableSecretException(
                    "the member \"engine\" of the JSON must be one of \"postgres\" and \"aurora-postgresql\"");
        }
        for (int i = 0; i < host.length(); i++) {
            if ("@/?#".indexOf(host.charAt(i)) >= 0) {
                throw badHost();
            }
        }
        String port = members.getOrDefault("port", "");
        String database = members.getOrDefault("dbname", "");
        try {
            DatabaseUrl url = DatabaseUrl.parse(vendor + "://" + host + (port.isEmpty() ? "" : ":" + port) + "/"
                    + DatabaseUrl.encode(database).replace("+", "%20"));
            return configured == null
                    ? url
                    : new DatabaseUrl(url.jdbcUrl() + configured.options(), url.user(), url.password());
        } catch (UnusableSecretException bad) {
            throw badHost();
        }
    }

    private static UnusableSecretException badHost() {
        return new UnusableSecretException(
                "the members \"host\" and \"port\" of the JSON must be a host name and a number from 1 to 65535");
    }

    /** The texts and numbers among the members. No exception of the JSON library leaves: it may quote what it read. */
    private static Map<String, String> members(String text) {
        Map<String, String> members = new HashMap<>();
        try (JsonParser json = JSON.createParser(text)) {
            json.nextToken();
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                String name = json.currentName();
                JsonToken value = json.nextToken();
                if (value == JsonToken.VALUE_STRING || value == JsonToken.VALUE_NUMBER_INT) {
                    members.put(name, json.getText());
                } else {
                    json.skipChildren();
                }
            }
            if (json.currentToken() != JsonToken.END_OBJECT || json.nextToken() != null) {
                throw new UnusableSecretException("the JSON must be one object and nothing after it");
            }
            return members;
        } catch (JsonProcessingException malformed) {
            var at = malformed.getLocation();
            throw new UnusableSecretException("the JSON is malformed"
                    + (at == null ? "" : " at line " + at.getLineNr() + ", column " + at.getColumnNr()));
        } catch (IOException impossible) {
            throw new UnusableSecretException("the JSON cannot be read");
        }
    }
}
