package io.dualkey.examples.shop;

import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/** What has been sold, for the report. */
@Component
class Sales {

    private final JdbcClient reporting;

    Sales(@Qualifier("reporting") JdbcClient reporting) {
        this.reporting = reporting;
    }

    void add(int amount) {
        reporting.sql("insert into sale (amount) values (?)").param(amount).update();
    }

    long count() {
        return reporting.sql("select count(*) from sale").query(Long.class).single();
    }
}
