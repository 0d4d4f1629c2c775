package io.dualkey.docs;

import static org.assertj.core.api.Assertions.assertThat;

import io.dualkey.secrets.DirectoryStore;
import io.dualkey.secrets.InMemoryStore;
import io.dualkey.secrets.RefreshResult;
import io.dualkey.secrets.Rotating;
import io.dualkey.secrets.RotatingSecret;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.SecretValue;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs the code of docs/secret-source.md. */
class SecretSourceSnippetsTest {

    private static final Duration DEADLINE = Duration.ofSeconds(10);

    @TempDir
    private Path directory;

    private final InMemoryStore store = new InMemoryStore();

    @Test
    void basics() throws Exception {
        Files.writeString(directory.resolve("sendgrid-api-key"), "k1\n");
        assertThat(SecretSourceSnippets.basics(directory)).isEqualTo("Bearer k1");
    }

    @Test
    void parsedValuesKeepTheLastGoodOne() {
        store.put("smtp-login", "user:pass:word");
        try (SecretSource secrets = SecretSource.from(store)) {
            Rotating<SecretSourceSnippets.SmtpLogin> login = SecretSourceSnippets.parsed(secrets);
            secrets.start(DEADLINE);
            store.put("smtp-login", "nonsense");
            assertThat(SecretSourceSnippets.operator(secrets.secret("smtp-login")))
                    .isEqualTo(RefreshResult.CHANGED);
            assertThat(login.current().password()).isEqualTo("pass:word");
            assertThat(SecretSourceSnippets.status(secrets))
                    .singleElement()
                    .asString()
                    .contains("user:password");
        }
    }

    @Test
    void currentAndPreviousAreAccepted() {
        store.put("webhook", "one");
        store.put("webhook", "two");
        try (SecretSource secrets = SecretSource.from(store)) {
            Rotating<String> key = secrets.secret("webhook").map(SecretValue::revealText);
            secrets.start(DEADLINE);
            assertThat(SecretSourceSnippets.accept(key, "two")).isTrue();
            assertThat(SecretSourceSnippets.accept(key, "one")).isTrue();
            assertThat(SecretSourceSnippets.accept(key, "three")).isFalse();
        }
    }

    @Test
    void gateDecides() {
        store.put("key", "one");
        try (SecretSource secrets = SecretSource.from(store)) {
            RotatingSecret secret = secrets.secret("key");
            Rotating<SecretValue> refused = SecretSourceSnippets.gated(secret, () -> {
                throw new IllegalStateException();
            });
            secrets.start(DEADLINE);
            assertThat(refused.versions().accepted()).isEmpty();
        }
    }

    @Test
    void optionsAreTaken() {
        try (SecretSource secrets = SecretSourceSnippets.options(DirectoryStore.at(directory))) {
            assertThat(secrets.secret("payment-key").policy().grace()).isEqualTo(Duration.ofHours(12));
        }
    }

    @Test
    void severalStoresServeReferencesFieldsAndCompositions() throws Exception {
        Files.writeString(directory.resolve("jwt-key"), "developer's");
        store.put("jwt-key", "vault's");
        store.put("db-user", "app");
        store.put("db-password", "a/b");
        InMemoryStore aws = new InMemoryStore();
        aws.put("db-creds", "{\"password\": \"from aws\"}");
        try (SecretSource secrets = SecretSourceSnippets.several(directory, store, aws)) {
            secrets.start(DEADLINE);
            assertThat(text(secrets, "jwt-key")).isEqualTo("developer's");
            assertThat(text(secrets, "aws:db-creds#password")).isEqualTo("from aws");
            assertThat(text(secrets, "database-url")).isEqualTo("postgresql://app:a%2Fb@db:5432/app");
        }
    }

    private static String text(SecretSource secrets, String reference) {
        return secrets.secret(reference).current().revealText();
    }

    @Test
    void storeForTestsRotatesAndFails() {
        assertThat(SecretSourceSnippets.test()).containsExactly("second", "second");
    }
}
