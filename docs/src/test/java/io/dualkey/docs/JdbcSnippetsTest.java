package io.dualkey.docs;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.dualkey.secrets.InMemoryStore;
import io.dualkey.secrets.Rotating;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.jdbc.DatabaseCredentials;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class JdbcSnippetsTest {

    private final InMemoryStore store = new InMemoryStore();

    @Test
    void composesCredentialsOfTwoSecretsAndOfMembersWithOtherNames() {
        store.put("db-user", "app");
        store.put("db-password", "p/w");
        store.put("creds", "{\"login\":\"report\",\"secret\":\"p:w\"}");
        try (SecretSource secrets = SecretSource.from(store)) {
            Rotating<DatabaseCredentials> two = JdbcSnippets.composed(secrets);
            secrets.start(Duration.ofSeconds(10));

            assertThat(two.current().user()).isEqualTo("app");
            assertThat(two.current().password().revealText()).isEqualTo("p/w");
            assertThat(secrets.statuses()).allMatch(status -> status.detail().isEmpty());
        }
    }

    @Test
    void wrapsAConfigurationAndAPool() {
        List<String> told = new ArrayList<>();
        try (SecretSource secrets = SecretSource.from(store);
                HikariDataSource pool = new HikariDataSource();
                var over = JdbcSnippets.over(secrets);
                var under = JdbcSnippets.under(secrets, pool);
                var limited = JdbcSnippets.limited(
                        secrets.secret("database-url").map(DatabaseCredentials.parser()), new HikariConfig());
                var registration = JdbcSnippets.safeToDrop(over, told::add)) {
            assertThat(over.pool().getMaximumPoolSize()).isEqualTo(20);
            assertThat(under.pool()).isSameAs(pool);
            assertThat(limited.status().current()).isEmpty();
            assertThat(registration).isNotNull();
            assertThat(told).isEmpty();
        }
    }
}
