package io.dualkey.secrets.spring;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.springframework.beans.factory.annotation.Qualifier;

/**
 * Says which secret is injected: one of those listed under {@code dualkey.secrets}, by its name there. What is injected is the
 * handle and not a value, so that a bean which lives as long as the application always has the value of the moment:
 *
 * <pre>{@code
 * @Component
 * class Mailer {
 *     private final Rotating<String> apiKey;
 *
 *     Mailer(@Secret("sendgrid-api-key") Rotating<String> apiKey) {
 *         this.apiKey = apiKey;
 *     }
 *
 *     void send(Mail mail) {
 *         client.post(mail, "Bearer " + apiKey.current());
 *     }
 * }
 * }</pre>
 *
 * <p>It can be injected as {@code RotatingSecret}, {@code Rotating<SecretValue>} and, for text, {@code Rotating<String>}.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.FIELD, ElementType.METHOD, ElementType.PARAMETER, ElementType.TYPE, ElementType.ANNOTATION_TYPE})
@Qualifier
public @interface Secret {

    /** {@return the name under {@code dualkey.secrets}} */
    String value();
}
