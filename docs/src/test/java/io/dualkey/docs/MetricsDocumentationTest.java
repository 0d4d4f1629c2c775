package io.dualkey.docs;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariConfig;
import io.dualkey.secrets.InMemoryStore;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.jdbc.RotatingDataSource;
import io.dualkey.secrets.jdbc.micrometer.DataSourceMeters;
import io.dualkey.secrets.micrometer.SecretMeters;
import io.micrometer.core.instrument.Meter;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** P10: docs/metrics.md, the alert rules and the dashboard name the meters that exist, and all of them. */
class MetricsDocumentationTest {

    private static Set<String> meters;
    private static Set<String> series;

    @BeforeAll
    static void scrape() {
        InMemoryStore store = new InMemoryStore();
        store.put("key", "value");
        store.put("db", "postgresql://app:pw@localhost:1/shop"); // where nobody listens
        PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        try (SecretSource source = SecretSource.from(store);
                RotatingDataSource database = RotatingDataSource.over(new HikariConfig(), source.secret("db"))) {
            new SecretMeters(source).bindTo(registry);
            new DataSourceMeters(database).bindTo(registry);
            source.secret("key");
            source.start(Duration.ofSeconds(10));
            meters = registry.getMeters().stream()
                    .map(Meter::getId)
                    .map(Meter.Id::getName)
                    .collect(Collectors.toCollection(TreeSet::new));
            series = names("dualkey_[a-z_]+", registry.scrape());
        }
    }

    @Test
    void pageNamesEveryMeterAndNoOther() throws IOException {
        assertThat(names("dualkey\\.[a-z.]+", read("metrics.md"))).isEqualTo(meters);
    }

    @Test
    void pageNamesTheSeriesThatPrometheusSees() throws IOException {
        Set<String> named = names("dualkey_[a-z_]+", read("metrics.md"));
        named.remove("dualkey_secret_refresh_seconds"); // a timer: Prometheus appends _count, _sum and _max
        assertThat(series).containsAll(named);
    }

    @Test
    void alertsAndDashboardUseSeriesThatExist() throws IOException {
        for (String file : Set.of("monitoring/alerts.yml", "monitoring/dashboard.json")) {
            Set<String> used = names("dualkey_[a-z_]+", read(file));
            assertThat(used).as(file).isNotEmpty();
            assertThat(series).as(file).containsAll(used);
        }
    }

    @Test
    void dashboardShowsEveryMeter() throws IOException {
        String dashboard = read("monitoring/dashboard.json");
        assertThat(meters).allSatisfy(meter -> assertThat(dashboard).contains(meter.replace('.', '_')));
    }

    private static String read(String file) throws IOException {
        return Files.readString(Path.of(file));
    }

    private static Set<String> names(String pattern, String text) {
        Matcher matcher = Pattern.compile(pattern).matcher(text);
        Set<String> names = new TreeSet<>();
        while (matcher.find()) {
            names.add(matcher.group());
        }
        return names;
    }
}
