package io.dualkey.examples.rotation.service;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;

/** The service: visitors, known by their tokens, sign a guestbook. */
@SpringBootApplication
public class GuestbookApplication {

    /**
     * Starts the service.
     *
     * @param args Spring Boot's command line arguments
     */
    public static void main(String[] args) {
        SpringApplication.run(GuestbookApplication.class, args);
    }
}
