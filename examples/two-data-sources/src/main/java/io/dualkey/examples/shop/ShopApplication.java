package io.dualkey.examples.shop;

import com.zaxxer.hikari.HikariDataSource;
import javax.sql.DataSource;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.jdbc.DataSourceBuilder;
import org.springframework.context.annotation.Bean;
import org.springframework.jdbc.core.simple.JdbcClient;

/**
 * The service. Spring Boot makes the first data source, the one of JPA and Flyway; the second is made here, as Spring Boot's
 * documentation shows it. What either logs in with is in {@code application.yaml}.
 */
@SpringBootApplication
public class ShopApplication {

    /**
     * Starts the service.
     *
     * @param args Spring Boot's command line arguments
     */
    public static void main(String[] args) {
        SpringApplication.run(ShopApplication.class, args);
    }

    @Bean(defaultCandidate = false)
    @Qualifier("reporting")
    @ConfigurationProperties("app.reporting")
    HikariDataSource reporting() {
        return DataSourceBuilder.create().type(HikariDataSource.class).build();
    }

    @Bean(defaultCandidate = false)
    @Qualifier("reporting")
    JdbcClient reportingClient(@Qualifier("reporting") DataSource reporting) {
        return JdbcClient.create(reporting);
    }
}
