package io.dualkey.docs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import io.dualkey.docs.OtherClientsSnippets.Login;
import io.dualkey.secrets.InMemoryStore;
import io.dualkey.secrets.RefreshCause;
import io.dualkey.secrets.Rotating;
import io.dualkey.secrets.RotatingSecret;
import io.dualkey.secrets.SecretSource;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

class OtherClientsSnippetsTest {

    private static final Duration SOON = Duration.ofSeconds(10);

    private final InMemoryStore store = new InMemoryStore();

    @Test
    void suppliesTheLoginOfTheMomentAndPushesTheNext() throws Exception {
        store.put("redis-login", "app:first");
        try (SecretSource secrets = SecretSource.from(store)) {
            Supplier<Login> supplier = OtherClientsSnippets.supplier(secrets);
            RotatingSecret secret = secrets.secret("redis-login");
            Rotating<Login> login = secret.map(Login::parse);
            BlockingQueue<String> pushed = new LinkedBlockingQueue<>();
            secrets.start(SOON);
            try (var registration = OtherClientsSnippets.push(login, (user, password) -> pushed.add(user + password))) {
                assertThat(pushed.poll(10, TimeUnit.SECONDS)).isEqualTo("appfirst");
                store.put("redis-login", "app:second");
                secret.refresh(RefreshCause.OPERATOR).join();

                assertThat(pushed.poll(10, TimeUnit.SECONDS)).isEqualTo("appsecond");
                assertThat(supplier.get().password().revealText()).isEqualTo("second");
                assertThat(supplier.get()).hasToString("Login[app]");
                assertThat(OtherClientsSnippets.kafka(login)).containsKeys("username", "password");
                assertThat(registration).isNotNull();
            }
        }
    }

    @Test
    void triesTheOneBeforeDuringTheOverlapAndHoldsOffWhatCannotLogIn() {
        store.put("smtp", "app:old");
        try (SecretSource secrets = SecretSource.from(store)) {
            RotatingSecret secret = secrets.secret("smtp");
            Rotating<Login> login = secret.map(Login::parse);
            Rotating<Login> proven = OtherClientsSnippets.gated(secret, tried -> {
                if (!tried.password().revealText().equals("old")) {
                    throw new IllegalStateException();
                }
            });
            secrets.start(SOON);
            store.put("smtp", "app:new"); // the server does not know it yet
            secret.refresh(RefreshCause.OPERATOR).join();

            assertThat(OtherClientsSnippets.eachAcceptedOne(
                            login, (user, password, mail) -> password.equals("old"), "mail"))
                    .isTrue();
            assertThat(OtherClientsSnippets.eachAcceptedOne(login, (user, password, mail) -> false, "mail"))
                    .isFalse();
            assertThat(login.current().password().revealText()).isEqualTo("new");
            assertTimeoutPreemptively(SOON, () -> {
                while (proven.versions().current().isEmpty()) {
                    Thread.onSpinWait();
                }
            });
            assertThat(proven.current().password().revealText()).isEqualTo("old");
        }
    }
}
