package io.dualkey.examples.rotation.service;

import java.time.OffsetDateTime;
import java.util.List;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Transactional;

/** The entries of visitors. Safe for use by several threads. */
@Service
class Guestbook {

    private static final int LATEST = 3;

    private final JdbcClient database;

    Guestbook(JdbcClient database) {
        this.database = database;
    }

    /**
     * One entry.
     *
     * @param id counts all entries
     * @param at when it was made
     */
    record Entry(long id, OffsetDateTime at) {}

    /**
     * What a visitor is shown.
     *
     * @param subject the visitor
     * @param databaseUser the user that the database knows this service by: here to be watched while it is rotated
     * @param latest the visitor's latest entries, the newest first
     */
    record Page(String subject, String databaseUser, List<Entry> latest) {}

    /** Makes an entry and shows the latest ones. */
    @Transactional
    public Page sign(String visitor) {
        database.sql("insert into entry (visitor) values (?)").param(visitor).update();
        List<Entry> latest = database.sql("select id, at from entry where visitor = ? order by id desc limit ?")
                .params(visitor, LATEST)
                .query(Entry.class)
                .list();
        String user = database.sql("select current_user").query(String.class).single();
        return new Page(visitor, user, latest);
    }
}
