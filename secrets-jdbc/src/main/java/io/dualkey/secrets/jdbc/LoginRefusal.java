package io.dualkey.secrets.jdbc;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.sql.SQLException;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Tells what a server says about a user from every other failure, by the codes that databases document. */
final class LoginRefusal {

    /** By the beginning of the JDBC URL, for drivers whose SQLState does not tell. */
    private static final Map<String, Set<Integer>> VENDOR_CODES = Map.of(
            "jdbc:mysql:", Set.of(1045, 1698, 1820, 1862, 3118, 3955),
            "jdbc:mariadb:", Set.of(1045, 1698, 1820, 1862, 4150, 4151),
            "jdbc:sqlserver:", Set.of(18452, 18456, 18486, 18487, 18488),
            "jdbc:oracle:", Set.of(1017, 28000, 28001),
            "jdbc:db2:", Set.of(-4214, -1403));

    /** What MySQL and MariaDB say to a user without rights on a database, table, column or routine, or without a privilege. */
    private static final Set<Integer> MYSQL_DENIALS = Set.of(1044, 1142, 1143, 1227, 1370);

    private LoginRefusal() {}

    /** Whether a login failed because of the user, the password or their permission to log in. */
    static boolean isIn(Throwable failure, String url) {
        Set<Integer> codes = VENDOR_CODES.entrySet().stream()
                .filter(vendor -> url.startsWith(vendor.getKey()))
                .findFirst()
                .map(Map.Entry::getValue)
                .orElse(Set.of());
        // Elsewhere its states mean other things: MySQL has too many connections under 08004.
        boolean postgres = url.startsWith("jdbc:postgresql:") || url.startsWith("jdbc:redshift:");
        return anyOf(failure, 0, one -> {
            String state = one.getSQLState() == null ? "" : one.getSQLState();
            return state.startsWith("28")
                    || (state.equals("08004") && postgres) // the server wants a password and there is none
                    || (state.equals("08P01") && postgres) // by pgbouncer
                    || codes.contains(one.getErrorCode());
        });
    }

    /** Whether a statement may have failed because its session's user was dropped or has lost its rights. */
    static boolean mayBeOfDroppedUser(SQLException failure) {
        return anyOf(failure, 0, one -> {
            String state = one.getSQLState() == null ? "" : one.getSQLState();
            return state.equals("42501")
                    || state.equals("42704")
                    || state.startsWith("28")
                    || (state.equals("42000") && MYSQL_DENIALS.contains(one.getErrorCode()));
        });
    }

    /** The first SQLState of a failure and its code, or its class: what may be shown of it. */
    static String describe(Throwable failure) {
        if (failure instanceof SQLException sql && sql.getSQLState() != null) {
            return "SQLState " + sql.getSQLState() + (sql.getErrorCode() == 0 ? "" : ", code " + sql.getErrorCode());
        }
        return failure.getClass().getName();
    }

    /** Whether a failure's text, or that of what caused it, has the password or the URL's options in it. */
    static boolean quotes(DatabaseCredentials credentials, Throwable failure) {
        String password = credentials.password().revealText();
        String options = credentials.url().substring(credentials.target().length());
        StringWriter text = new StringWriter();
        failure.printStackTrace(new PrintWriter(text)); // with all causes, suppressed and next ones
        String all = text + messagesOfNext(failure);
        return (!password.isEmpty() && all.contains(password)) || (options.length() > 1 && all.contains(options));
    }

    private static String messagesOfNext(Throwable failure) {
        StringBuilder all = new StringBuilder();
        if (failure instanceof SQLException sql) {
            sql.forEach(all::append);
        }
        return all.toString();
    }

    /** The failure as far as it may be shown: its state and code, or its class. */
    static SQLException withoutWords(Throwable failure) {
        String message = "the login failed (" + describe(failure)
                + "); the driver's own words are not shown, because they" + " quote the credentials";
        return failure instanceof SQLException sql
                ? new SQLException(message, sql.getSQLState(), sql.getErrorCode())
                : new SQLException(message);
    }

    private static boolean anyOf(@Nullable Throwable failure, int depth, Predicate<SQLException> test) {
        if (failure == null || depth > 10) {
            return false;
        }
        if (failure instanceof SQLException sql && (test.test(sql) || anyOf(sql.getNextException(), depth + 1, test))) {
            return true;
        }
        return anyOf(failure.getCause(), depth + 1, test);
    }
}
