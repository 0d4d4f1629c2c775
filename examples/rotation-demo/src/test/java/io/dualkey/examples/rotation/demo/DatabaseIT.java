package io.dualkey.examples.rotation.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DatabaseIT {

    @TempDir
    Path temp;

    @Test
    void letsNobodyInWithoutTheRightPassword() throws Exception {
        try (Database database = Database.start(temp.resolve("postgres"), Generated.password())) {
            String password = Generated.password();
            database.createUser("app_1", password);

            assertThatThrownBy(() -> connect(database, "app_1", "wrong")).satisfies(DatabaseIT::isInvalidPassword);
            assertThatThrownBy(() -> connect(database, "postgres", "postgres"))
                    .satisfies(DatabaseIT::isInvalidPassword);
            await().untilAsserted(() -> assertThat(database.refusedLogins()).isEqualTo(1));

            try (Connection connection = connect(database, "app_1", password);
                    Statement statement = connection.createStatement()) {
                statement.execute("insert into entry (visitor) values ('somebody')");
                assertThat(database.sessions("app_1")).isEqualTo(1);
            }
            database.changePassword("app_1", Generated.password());
            assertThatThrownBy(() -> connect(database, "app_1", password)).satisfies(DatabaseIT::isInvalidPassword);
            database.dropUser("app_1");
        }
    }

    private static Connection connect(Database database, String user, String password) throws SQLException {
        return DriverManager.getConnection(
                "jdbc:postgresql://127.0.0.1:" + database.port() + "/guestbook", user, password);
    }

    private static void isInvalidPassword(Throwable failure) {
        assertThat(((SQLException) failure).getSQLState()).isEqualTo("28P01");
    }
}
