package io.dualkey.secrets.jdbc;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * Asks a server how many sessions a user has there, the sessions of other processes included. The answer is empty where
 * it cannot be trusted: never is a user taken for unused because the server does not show what it has.
 */
final class UserSessions {

    private static final int SECONDS = 5;

    private UserSessions() {}

    /**
     * What to ask about later: PostgreSQL's id of the user, because a dropped one has no name any more; 0 where the name
     * will do; empty where nothing can be asked.
     */
    static OptionalLong idOf(Login login, Connection connection) {
        String url = login.credentials().url();
        if (isNamedByItsServer(url)) {
            return OptionalLong.of(0);
        }
        if (!url.startsWith("jdbc:postgresql:")) {
            return OptionalLong.empty();
        }
        try (PreparedStatement statement =
                connection.prepareStatement("select oid::bigint from pg_roles where rolname = session_user")) {
            statement.setQueryTimeout(SECONDS);
            try (ResultSet rows = statement.executeQuery()) {
                return rows.next() ? OptionalLong.of(rows.getLong(1)) : OptionalLong.empty();
            }
        } catch (SQLException unknown) {
            return OptionalLong.empty(); // not quite PostgreSQL, such as a pooler in between
        }
    }

    /** How many sessions a user has; empty if this connection's user is not shown those of others. */
    static OptionalInt count(Generations.Released user, Connection connection) throws SQLException {
        if (!isNamedByItsServer(user.login().credentials().url())) {
            try (PreparedStatement count = connection.prepareStatement(
                    "select count(*) from pg_stat_activity where usesysid = ?::bigint::oid")) {
                count.setLong(1, user.roleId());
                return OptionalInt.of(number(count));
            }
        }
        // Without this privilege the list of sessions has only one's own, and says nothing about that.
        try (PreparedStatement privilege = connection.prepareStatement("select count(*) from"
                + " information_schema.user_privileges where privilege_type = 'PROCESS' and grantee ="
                + " concat('''', replace(current_user(), '@', '''@'''), '''')")) {
            if (number(privilege) == 0) {
                return OptionalInt.empty();
            }
        }
        try (PreparedStatement count =
                connection.prepareStatement("select count(*) from information_schema.processlist where user = ?")) {
            count.setString(1, user.login().credentials().user());
            return OptionalInt.of(number(count));
        }
    }

    private static boolean isNamedByItsServer(String url) {
        return url.startsWith("jdbc:mariadb:") || url.startsWith("jdbc:mysql:");
    }

    private static int number(PreparedStatement query) throws SQLException {
        query.setQueryTimeout(SECONDS);
        try (ResultSet rows = query.executeQuery()) {
            rows.next();
            return rows.getInt(1);
        }
    }
}
