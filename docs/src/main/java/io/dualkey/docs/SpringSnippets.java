package io.dualkey.docs;

import com.zaxxer.hikari.HikariDataSource;
import io.dualkey.secrets.Rotating;
import io.dualkey.secrets.spring.Secret;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** The code of {@code spring-boot.md}; a test compares it with the page. */
final class SpringSnippets {

    private SpringSnippets() {}

    // snippet: inject
    static class Mailer {

        private final Rotating<String> apiKey;

        Mailer(@Secret("sendgrid-api-key") Rotating<String> apiKey) {
            this.apiKey = apiKey; // the handle, not the value
        }

        String authorization() {
            return "Bearer " + apiKey.current();
        }
    }
    // end

    @Configuration
    static class Reporting {

        // snippet: second-data-source
        @Bean(defaultCandidate = false)
        @Qualifier("reporting")
        @ConfigurationProperties("app.reporting") // maximum-pool-size and the like
        HikariDataSource reporting() {
            return new HikariDataSource();
        }
        // end
    }
}
