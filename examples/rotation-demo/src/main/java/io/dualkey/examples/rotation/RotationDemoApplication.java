package io.dualkey.examples.rotation;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;

/** Starts the demo. */
@SpringBootApplication
public class RotationDemoApplication {

    /**
     * Starts the application.
     *
     * @param args Spring Boot's command line arguments
     */
    public static void main(String[] args) {
        SpringApplication.run(RotationDemoApplication.class, args);
    }
}
