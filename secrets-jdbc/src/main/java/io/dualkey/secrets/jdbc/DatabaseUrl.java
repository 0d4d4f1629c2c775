package io.dualkey.secrets.jdbc;

import io.dualkey.secrets.SecretValue;
import io.dualkey.secrets.UnusableSecretException;
import java.net.URLEncoder;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A database's URL with user and password taken out of it. A driver gets them as properties instead, because pgjdbc
 * lets those in the URL win over the properties, and because URLs end up in logs.
 *
 * @param jdbcUrl the JDBC URL without user and password
 * @param user the user it named
 * @param password the password it contained
 */
record DatabaseUrl(
        String jdbcUrl, @Nullable String user, @Nullable SecretValue password) {

    private static final Pattern HOST = Pattern.compile("(?:[A-Za-z0-9._-]+|\\[[0-9A-Fa-f:.%]+])(?::(\\d{1,5}))?");

    /** The default ports by kind of JDBC URL, of each host in a list; an address in brackets ends with its bracket. */
    private static final Map<String, Pattern> DEFAULT_PORTS = Map.of(
            "jdbc:postgresql://", Pattern.compile(":0*5432(?=,|$)"),
            "jdbc:mysql://", Pattern.compile(":0*3306(?=,|$)"),
            "jdbc:mariadb://", Pattern.compile(":0*3306(?=,|$)"));

    /** A user or a password in a place that drivers understand and this does not: it must not stay in the URL. */
    private static final Pattern CREDENTIAL =
            Pattern.compile("[?&;:,(]\\s*(?:user|username|user name|uid|password|pwd)\\s*=", Pattern.CASE_INSENSITIVE);

    /** What URLs call a database, and what JDBC calls it. */
    private static final Map<String, String> SCHEMES =
            Map.of("postgresql", "postgresql", "postgres", "postgresql", "mysql", "mysql", "mariadb", "mariadb");

    private static final Pattern SQLSERVER_DATABASE =
            Pattern.compile(";\\s*(?:databaseName|database)\\s*=(?:\\{(?:[^}]|}})*}|[^;{]*)", Pattern.CASE_INSENSITIVE);

    private static final Pattern ORACLE = Pattern.compile("jdbc:oracle:[A-Za-z0-9]+:@.*", Pattern.DOTALL);

    /** Names of options by libpq, and by the tools of MySQL, that the JDBC drivers call by another. */
    private static final Map<String, String> POSTGRES_OPTIONS = Map.of(
            "application_name", "ApplicationName",
            "channel_binding", "channelBinding",
            "connect_timeout", "connectTimeout",
            "gssencmode", "gssEncMode");

    private static final Map<String, String> MYSQL_OPTIONS = Map.of("ssl-mode", "sslMode", "ssl_mode", "sslMode");

    /** Whether a text is meant as a URL. */
    static boolean looksLike(String text) {
        return text.startsWith("jdbc:") || schemeEnd(text) > 0;
    }

    /**
     * Parses a URL.
     *
     * @throws UnusableSecretException if it cannot be used; it names the position and the rule, never the content
     */
    static DatabaseUrl parse(String text) {
        if (text.startsWith("jdbc:")) {
            return new Reader(text).jdbc();
        }
        int end = schemeEnd(text);
        String scheme = end < 0 ? "" : text.substring(0, end);
        String vendor = SCHEMES.get(scheme);
        if (vendor != null) {
            return new Reader(text).uri(vendor, end + "://".length());
        }
        throw bad(0, "a database URL begins with postgresql://, postgres://, mysql://, mariadb:// or jdbc:");
    }

    /** The URL up to its options: what may be shown. */
    static String target(String jdbcUrl) {
        int end = jdbcUrl.length();
        for (char separator : new char[] {'?', ';'}) {
            int at = jdbcUrl.indexOf(separator);
            end = at >= 0 && at < end ? at : end;
        }
        return jdbcUrl.substring(0, end);
    }

    /** Host and port, unless it is the default: with a user, what a server counts failed logins by. */
    static String endpoint(String jdbcUrl) {
        String target = target(jdbcUrl);
        int from = target.indexOf("//");
        int to = from < 0 ? -1 : target.indexOf('/', from + 2);
        String endpoint = to < 0 ? target : target.substring(0, to);
        return DEFAULT_PORTS.entrySet().stream()
                .filter(kind -> endpoint.startsWith(kind.getKey()))
                .findFirst()
                .map(kind -> kind.getValue().matcher(endpoint).replaceAll(""))
                .orElse(endpoint);
    }

    /** The vendor's part of the JDBC URL, such as {@code postgresql}. */
    String vendor() {
        int end = jdbcUrl.indexOf(':', "jdbc:".length());
        return end < 0 ? "" : jdbcUrl.substring("jdbc:".length(), end);
    }

    /** The options with what separates them from the rest, but for SQL Server's name of the database. */
    String options() {
        if (vendor().equals("sqlserver")) {
            int at = jdbcUrl.indexOf(';');
            return at < 0
                    ? ""
                    : SQLSERVER_DATABASE.matcher(jdbcUrl.substring(at)).replaceAll("");
        }
        int at = jdbcUrl.indexOf('?');
        return at < 0 ? "" : jdbcUrl.substring(at);
    }

    /** Where the database is and who is asked for; never the password or the options. */
    @Override
    public String toString() {
        return "DatabaseUrl[" + target(jdbcUrl) + "]";
    }

    /** A database's name as its driver reads it in a URL. */
    static String path(String vendor, String database) {
        return vendor.equals("postgresql") ? encode(database) : encode(database).replace("+", "%20");
    }

    static String encode(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    private static int schemeEnd(String text) {
        int end = text.indexOf("://");
        for (int i = 0; i < end; i++) {
            if (!Character.isLetterOrDigit(text.charAt(i)) && "+-.".indexOf(text.charAt(i)) < 0) {
                return -1;
            }
        }
        return end > 0 ? end : -1;
    }

    private static UnusableSecretException bad(int index, String rule) {
        return new UnusableSecretException("at position " + (index + 1) + " of the database URL: " + rule);
    }

    /** One pass over one text. */
    private static final class Reader {

        private final String text;
        private @Nullable String user;
        private @Nullable SecretValue password;

        Reader(String text) {
            this.text = text;
        }

        /** {@code postgresql://user:password@host:port/database?option=value}, and the same of other databases. */
        DatabaseUrl uri(String vendor, int from) {
            Map<String, String> names = vendor.equals("postgresql") ? POSTGRES_OPTIONS : MYSQL_OPTIONS;
            int end = endOfAuthority(from);
            int host = userInfo(from, end);
            hosts(host, end);
            int query = queryFrom(end);
            StringBuilder url = new StringBuilder("jdbc:" + vendor + "://").append(text, host, end);
            url.append('/');
            if (end < query) {
                url.append(path(vendor, decode(end + 1, query, false)));
            }
            char separator = '?';
            for (int[] option : options(query, false)) {
                String name = decode(option[0], option[1], false);
                url.append(separator).append(encode(names.getOrDefault(name, name)));
                url.append('=').append(encode(decode(option[1] + 1, option[2], false)));
                separator = '&';
            }
            return new DatabaseUrl(withoutCredentials(url), user, password);
        }

        /** {@code jdbc:...}: what is not user or password stays as it is. */
        DatabaseUrl jdbc() {
            int slashes = text.indexOf("//");
            int query = queryFrom(0);
            forbidUserBeforeHost(slashes, query);
            StringBuilder url = new StringBuilder();
            if (slashes >= 0 && slashes < query) {
                int from = slashes + 2;
                int end = Math.min(endOfAuthority(from), query);
                int host = userInfo(from, end);
                if (host > from) {
                    hosts(host, end); // else what stands there may be of any form, of which the '@' is a part
                }
                url.append(text, 0, from).append(text, host, query);
            } else {
                url.append(text, 0, query);
            }
            char separator = '?';
            for (int[] option : options(query, true)) {
                url.append(separator).append(text, option[0], option[2]);
                separator = '&';
            }
            return new DatabaseUrl(withoutCredentials(url), user, password);
        }

        /**
         * Oracle's form, {@code jdbc:oracle:thin:user/password@//host/service}. An '@' stands in the authority, directly
         * behind the first slashes, or without any user behind a colon; any other may have a password before it.
         */
        private void forbidUserBeforeHost(int slashes, int query) {
            int at = text.indexOf('@');
            int slash = text.indexOf('/');
            boolean inAuthority = slashes >= 0 && slash == slashes && at > slashes;
            boolean alone = at > 0 && text.charAt(at - 1) == ':' && (slash < 0 || slash > at);
            boolean misplaced = at >= 0 && at < query && !inAuthority && !alone;
            if (misplaced
                    || (text.startsWith("jdbc:oracle:") && !ORACLE.matcher(text).matches())) {
                throw bad(
                        misplaced ? at : "jdbc:oracle:".length(),
                        "this kind of JDBC URL must not contain a user: give it separately");
            }
        }

        /** Forms that are not rewritten here, such as SQL Server's and Db2's, are refused with credentials in them. */
        private static String withoutCredentials(StringBuilder url) {
            var credential = CREDENTIAL.matcher(url);
            if (credential.find()) {
                throw bad(
                        credential.start(), "this kind of JDBC URL must not contain credentials: give them separately");
            }
            return url.toString();
        }

        private int endOfAuthority(int from) {
            int end = from;
            while (end < text.length() && "/?#".indexOf(text.charAt(end)) < 0) {
                end++;
            }
            int at = text.indexOf('@', end);
            if (at >= 0 && at < queryFrom(end) && text.lastIndexOf('@', end) < from) {
                throw bad(end, "'/' and '#' in a user or password must be percent-encoded, and so must '?'");
            }
            return end;
        }

        /** Takes the user and the password; returns where the host begins. */
        private int userInfo(int from, int end) {
            int at = text.lastIndexOf('@', end - 1);
            if (at < from) {
                return from;
            }
            int colon = text.indexOf(':', from);
            if (colon >= 0 && colon < at) {
                user = decode(from, colon, false);
                password = SecretValue.ofText(decode(colon + 1, at, false));
            } else {
                user = decode(from, at, false);
            }
            return at + 1;
        }

        private void hosts(int from, int end) {
            int start = from;
            while (start <= end) {
                int comma = text.indexOf(',', start);
                int stop = comma < 0 || comma > end ? end : comma;
                var host = HOST.matcher(text).region(start, stop);
                if (!host.matches()) {
                    throw bad(start, "a host name, or an address in brackets, and then a port is needed");
                }
                String port = host.group(1);
                if (port != null && (Integer.parseInt(port) < 1 || Integer.parseInt(port) > 65535)) {
                    throw bad(host.start(1), "a port is a number from 1 to 65535");
                }
                start = stop + 1;
            }
        }

        private int queryFrom(int from) {
            int query = text.indexOf('?', from);
            return query < 0 ? text.length() : query;
        }

        /** The options as {name begins, name ends, value ends}, with user and password taken out. */
        private List<int[]> options(int query, boolean form) {
            List<int[]> options = new ArrayList<>();
            for (int start = query + 1; start < text.length(); ) {
                int and = text.indexOf('&', start);
                int end = and < 0 ? text.length() : and;
                int equals = text.indexOf('=', start);
                if (end > start) {
                    if (equals < 0 || equals > end) {
                        if (!form) {
                            throw bad(start, "an option has the form name=value");
                        }
                        options.add(new int[] {start, end, end});
                    } else if (!takeCredential(start, equals, end, form)) {
                        options.add(new int[] {start, equals, end});
                    }
                }
                start = end + 1;
            }
            return options;
        }

        private boolean takeCredential(int start, int equals, int end, boolean form) {
            String name = decode(start, equals, form).toLowerCase(Locale.ROOT);
            if (name.equals("user")) {
                user = decode(equals + 1, end, form);
            } else if (name.equals("password")) {
                password = SecretValue.ofText(decode(equals + 1, end, form));
            } else {
                return false;
            }
            return true;
        }

        /** Percent-decodes a part; in a form's encoding, '+' is a space. */
        private String decode(int from, int to, boolean form) {
            byte[] bytes = new byte[(to - from) * 3];
            int length = 0;
            for (int i = from; i < to; i++) {
                char c = text.charAt(i);
                if (c == '%') {
                    boolean two = i + 2 < to;
                    int high = two ? Character.digit(text.charAt(i + 1), 16) : -1;
                    int low = two ? Character.digit(text.charAt(i + 2), 16) : -1;
                    if (high < 0 || low < 0) {
                        throw bad(i, "two hexadecimal digits must follow '%', and '%' itself is written %25");
                    }
                    bytes[length++] = (byte) (high << 4 | low);
                    i += 2;
                } else if (c == '+' && form) {
                    bytes[length++] = ' ';
                } else {
                    int end = Character.isHighSurrogate(c) && i + 1 < to ? i + 2 : i + 1;
                    for (byte one : text.substring(i, end).getBytes(StandardCharsets.UTF_8)) {
                        bytes[length++] = one;
                    }
                    i = end - 1;
                }
            }
            try {
                return StandardCharsets.UTF_8
                        .newDecoder()
                        .decode(ByteBuffer.wrap(bytes, 0, length))
                        .toString();
            } catch (CharacterCodingException malformed) {
                throw bad(from, "what is percent-encoded must be UTF-8");
            }
        }
    }
}
