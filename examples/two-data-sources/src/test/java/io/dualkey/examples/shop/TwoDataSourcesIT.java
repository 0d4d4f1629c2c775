package io.dualkey.examples.shop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import com.jayway.jsonpath.JsonPath;
import com.zaxxer.hikari.HikariDataSource;
import io.dualkey.secrets.spring.DataSourceRotation;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Both databases of the service get new users while it serves. */
class TwoDataSourcesIT {

    private static Rehearsal rehearsal;

    @BeforeAll
    static void start() throws Exception {
        rehearsal = Rehearsal.start();
    }

    @AfterAll
    static void close() throws Exception {
        rehearsal.close();
    }

    @Test
    void noRequestFailsWhileTheUserOfEachDatabaseIsReplacedAndDropped() throws Exception {
        OrderRepository orders = rehearsal.service().getBean(OrderRepository.class);
        long before = orders.count();
        long servedBefore = rehearsal.served();
        String usersBefore = users();

        List<String> failures = rehearsal.underLoad(() -> {
            for (String database : List.of("orders", "reporting")) {
                rehearsal.awaitRequests(30);
                String dropped = rehearsal.replaceUser(database);
                assertThat(rehearsal
                                .rotation(database)
                                .status()
                                .current()
                                .orElseThrow()
                                .user())
                        .startsWith(database + "_v")
                        .isNotEqualTo(dropped);
                rehearsal.awaitRequests(30); // which go on without the one that was dropped
            }
            return null;
        });

        assertThat(failures).isEmpty();
        assertThat(users()).isNotEqualTo(usersBefore);
        long served = rehearsal.served() - servedBefore;
        assertThat(served).isGreaterThanOrEqualTo(120);
        assertThat(orders.count() - before).isEqualTo(served); // through JPA
        assertThat(Long.parseLong(rehearsal.get("/sales"))).isEqualTo(rehearsal.served()); // through JdbcClient
    }

    @Test
    void eachDataSourceLogsInWithASecretOfItsOwn() {
        Map<String, DataSourceRotation> all = rehearsal.service().getBeansOfType(DataSourceRotation.class);
        assertThat(all.values())
                .extracting(DataSourceRotation::dataSource, DataSourceRotation::secret)
                .containsExactlyInAnyOrder(
                        tuple("dataSource", "orders-database"), tuple("reporting", "reporting-database"));
    }

    @Test
    void flywayHasMadeTheTablesThatJpaUses() throws Exception {
        try (Connection connection =
                        rehearsal.service().getBean(DataSource.class).getConnection();
                Statement statement = connection.createStatement();
                var rows = statement.executeQuery("select count(*) from flyway_schema_history where success")) {
            rows.next();
            assertThat(rows.getInt(1)).isEqualTo(1);
        }
    }

    @Test
    void healthAndMetersAreBySecretAndBean() throws Exception {
        String health = rehearsal.get("/actuator/health");
        assertThat(JsonPath.<String>read(health, "$.status")).isEqualTo("UP");
        assertThat(JsonPath.<Map<String, Object>>read(health, "$.components.db.components"))
                .containsOnlyKeys("dataSource", "reporting");
        assertThat(dataSourcesOf(health, "orders-database")).containsOnly("dataSource");
        assertThat(dataSourcesOf(health, "reporting-database")).containsOnly("reporting");

        assertThat(tags("hikaricp.connections", "pool")).containsExactlyInAnyOrder("orders", "reporting");
        assertThat(tags("jdbc.connections.max", "name")).containsExactlyInAnyOrder("dataSource", "reporting");
    }

    /** The version that Spring Boot manages; the other modules are tested with the newest. */
    @Test
    void runsWithTheHikariCpOfSpringBoot() {
        HikariDataSource pool = rehearsal.service().getBean(HikariDataSource.class);
        assertThat(pool.getClass().getProtectionDomain().getCodeSource().getLocation())
                .asString()
                .contains("HikariCP-7.0.");
    }

    private static List<String> dataSourcesOf(String health, String secret) {
        return JsonPath.read(
                health, "$.components.dualkey.components['" + secret + "'].details.credentials[*].dataSource");
    }

    private static List<String> tags(String meter, String tag) throws Exception {
        List<List<String>> values = JsonPath.read(
                rehearsal.get("/actuator/metrics/" + meter), "$.availableTags[?(@.tag == '" + tag + "')].values");
        return values.get(0);
    }

    private static String users() throws SQLException {
        StringBuilder users = new StringBuilder();
        for (DataSource one :
                rehearsal.service().getBeansOfType(DataSource.class).values()) {
            try (Connection connection = one.getConnection();
                    Statement statement = connection.createStatement();
                    var rows = statement.executeQuery("select session_user")) {
                rows.next();
                users.append(rows.getString(1)).append(' ');
            }
        }
        return users.toString();
    }
}
