package io.dualkey.secrets.jdbc;

import java.sql.SQLException;

/** A {@link FakeDriver} for tests of other packages. */
public final class FakeDatabase {

    private FakeDatabase() {}

    /** Lets everybody log in but one user. */
    public static AutoCloseable refusing(String refused) throws SQLException {
        return new FakeDriver("metered", user -> {
            if (user.equals(refused)) {
                throw new SQLException("refused", "28P01");
            }
        });
    }

    public static String url(String user) {
        return "jdbc:metered://db/x?user=" + user + "&password=pw";
    }
}
