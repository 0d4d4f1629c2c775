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
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Reads credentials in each form that {@link DatabaseCredentials} describes; the form shows by how a text begins. */
final class CredentialsParser implements Parser<SecretValue, DatabaseCredentials> {

    private static final JsonFactory JSON = JsonFactory.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
            .build();

    /** What RDS calls an engine, the edition left out, and what JDBC calls it. */
    private static final Map<String, String> ENGINES = Map.ofEntries(
            Map.entry("postgres", "postgresql"),
            Map.entry("postgresql", "postgresql"),
            Map.entry("aurora-postgresql", "postgresql"),
            Map.entry("redshift", "redshift"),
            Map.entry("mysql", "mysql"),
            Map.entry("aurora", "mysql"),
            Map.entry("aurora-mysql", "mysql"),
            Map.entry("mariadb", "mariadb"),
            Map.entry("oracle", "oracle"),
            Map.entry("custom-oracle", "oracle"),
            Map.entry("sqlserver", "sqlserver"),
            Map.entry("custom-sqlserver", "sqlserver"),
            Map.entry("db2", "db2"));

    /** The editions that RDS names after a hyphen. */
    private static final Pattern EDITION = Pattern.compile("(?<=^(?:custom-)?(?:oracle|sqlserver|db2))-.*");

    private static final Pattern HOST = Pattern.compile("[A-Za-z0-9._-]+|\\[?[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*]?");
    private static final Pattern PLAIN = Pattern.compile("[A-Za-z0-9._$ -]*");

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
            throw new UnusableSecretException("the value is neither a database URL (postgresql://..., mysql://..."
                    + " or jdbc:...) nor JSON; if it is a password alone, configure jdbcUrl and username");
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
        String vendor = vendor(members.get("engine"));
        String port = members.getOrDefault("port", "");
        if (!HOST.matcher(host).matches() || !isPort(port)) {
            throw new UnusableSecretException(
                    "the members \"host\" and \"port\" of the JSON must be a host name and a number from 1 to 65535");
        }
        boolean bare = host.indexOf(':') >= 0 && !host.startsWith("[");
        String endpoint = (bare ? "[" + host + "]" : host) + (port.isEmpty() ? "" : ":" + port);
        String url = url(vendor, endpoint, members.getOrDefault("dbname", ""));
        // Another kind of database's options would mean nothing to this one.
        String options = configured == null || !configured.vendor().equals(vendor) ? "" : configured.options();
        return new DatabaseUrl(url + options, null, null);
    }

    private String vendor(@Nullable String engine) {
        String vendor = engine == null
                ? (configured == null ? null : configured.vendor())
                : ENGINES.get(EDITION.matcher(engine.toLowerCase(Locale.ROOT)).replaceAll(""));
        if (vendor == null || !ENGINES.containsValue(vendor)) {
            throw new UnusableSecretException(
                    "the member \"engine\" of the JSON must be what RDS calls PostgreSQL, MySQL, MariaDB, Oracle, SQL"
                            + " Server or Db2, such as \"postgres\" or \"aurora-mysql\"");
        }
        return vendor;
    }

    private static String url(String vendor, String endpoint, String database) {
        return switch (vendor) {
            case "oracle" -> "jdbc:oracle:thin:@//" + endpoint + (database.isEmpty() ? "" : "/" + plain(database));
            case "sqlserver" ->
                "jdbc:sqlserver://" + endpoint + (database.isEmpty() ? "" : ";databaseName=" + quoted(database));
            case "db2" -> "jdbc:db2://" + endpoint + "/" + plain(database);
            default -> "jdbc:" + vendor + "://" + endpoint + "/" + DatabaseUrl.path(vendor, database);
        };
    }

    /** Where no way to quote a name is known, it must need none. */
    private static String plain(String database) {
        if (!PLAIN.matcher(database).matches()) {
            throw new UnusableSecretException(
                    "the member \"dbname\" of the JSON must consist of letters, digits, '.', '_', '$', '-' and spaces");
        }
        return database;
    }

    private static String quoted(String database) {
        return PLAIN.matcher(database).matches() ? database : "{" + database.replace("}", "}}") + "}";
    }

    private static boolean isPort(String port) {
        if (port.isEmpty()) {
            return true;
        }
        boolean digits = port.length() <= 5 && port.chars().allMatch(c -> c >= '0' && c <= '9');
        return digits && Integer.parseInt(port) >= 1 && Integer.parseInt(port) <= 65535;
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
