package io.dualkey.secrets.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.SQLException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LoginRefusalTest {

    @ParameterizedTest
    @CsvSource({
        "jdbc:postgresql://db/x, 28P01, 0, true",
        "jdbc:postgresql://db/x, 28000, 0, true",
        "jdbc:postgresql://db/x, 08004, 0, true",
        "jdbc:postgresql://db/x, 08P01, 0, true",
        "jdbc:postgresql://db/x, 3D000, 0, false",
        "jdbc:postgresql://db/x, 53300, 0, false",
        "jdbc:postgresql://db/x, 57P03, 0, false",
        "jdbc:postgresql://db/x, 08001, 0, false",
        "jdbc:postgresql://db/x, , 1045, false",
        "jdbc:mysql://db/x, 28000, 1045, true",
        "jdbc:mysql://db/x, 28000, 1698, true",
        "jdbc:mysql://db/x, HY000, 1820, true",
        "jdbc:mysql://db/x, HY000, 1862, true",
        "jdbc:mysql://db/x, HY000, 3118, true",
        "jdbc:mysql://db/x, HY000, 3955, true",
        "jdbc:mysql://db/x, 08004, 1040, false",
        "jdbc:mysql://db/x, 42000, 1049, false",
        "jdbc:mariadb://db/x, 28000, 1045, true",
        "jdbc:mariadb://db/x, HY000, 4150, true",
        "jdbc:mariadb://db/x, HY000, 4151, true",
        "jdbc:sqlserver://db, S0001, 18456, true",
        "jdbc:sqlserver://db, S0001, 18452, true",
        "jdbc:sqlserver://db, S0001, 18486, true",
        "jdbc:sqlserver://db, S0001, 18487, true",
        "jdbc:sqlserver://db, S0001, 18488, true",
        "jdbc:sqlserver://db, S0001, 4060, false",
        "jdbc:oracle:thin:@db, 72000, 1017, true",
        "jdbc:oracle:thin:@db, 99999, 28000, true",
        "jdbc:oracle:thin:@db, 99999, 28001, true",
        "jdbc:oracle:thin:@db, 66000, 12514, false",
        "jdbc:db2://db/x, 08001, -4214, true",
        "jdbc:db2://db/x, 08001, -1403, true",
        "jdbc:db2://db/x, 08001, -4499, false",
        "jdbc:redshift://db/x, 28000, 0, true",
    })
    void tellsByDocumentedCodes(String url, String state, int code, boolean refused) {
        assertThat(LoginRefusal.isIn(new SQLException("text", state, code), url))
                .isEqualTo(refused);
    }

    @ParameterizedTest
    @CsvSource({
        "42501, 0, true",
        "42704, 0, true",
        "28000, 1045, true",
        "42000, 1044, true",
        "42000, 1142, true",
        "42000, 1064, false",
        "42P01, 0, false",
        ", 1142, false",
    })
    void tellsWhatADroppedUserIsTold(String state, int code, boolean dropped) {
        assertThat(LoginRefusal.mayBeOfDroppedUser(new SQLException("text", state, code)))
                .isEqualTo(dropped);
    }

    @Test
    void looksAtCausesAndNextExceptions() {
        SQLException next = new SQLException("outer", "08001");
        next.setNextException(new SQLException("inner", "28P01"));
        RuntimeException wrapped = new RuntimeException(new SQLException("inner", "28P01"));

        assertThat(LoginRefusal.isIn(next, "jdbc:postgresql://db/x")).isTrue();
        assertThat(LoginRefusal.isIn(wrapped, "jdbc:postgresql://db/x")).isTrue();
    }
}
