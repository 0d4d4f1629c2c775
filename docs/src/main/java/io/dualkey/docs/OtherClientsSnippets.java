package io.dualkey.docs;

import io.dualkey.secrets.Registration;
import io.dualkey.secrets.Rotating;
import io.dualkey.secrets.RotatingSecret;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.SecretValue;
import io.dualkey.secrets.UnusableSecretException;
import io.dualkey.secrets.Version;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** The code of {@code docs/other-clients.md}; a test runs it and compares it with the page. */
final class OtherClientsSnippets {

    private OtherClientsSnippets() {}

    // snippet: login
    /** A user and a password that belong together: one value, so that nobody reads one of each version. */
    record Login(String user, SecretValue password) {

        static Login parse(SecretValue secret) {
            String[] parts = secret.revealText().split(":", 2);
            if (parts.length < 2) {
                throw new UnusableSecretException("it must be user:password");
            }
            return new Login(parts[0], SecretValue.ofText(parts[1]));
        }

        @Override
        public String toString() {
            return "Login[" + user + "]";
        }
    }
    // end

    static Supplier<Login> supplier(SecretSource secrets) {
        // snippet: supplier
        Rotating<Login> redis = secrets.secret("redis-login").map(Login::parse);
        Supplier<Login> credentials = redis::current; // asked for each new connection; it never waits
        // end
        return credentials;
    }

    static Map<String, Object> kafka(Rotating<Login> login) {
        // snippet: kafka
        // in AuthenticateCallbackHandler.handle, which Kafka calls for each connection:
        Login now = login.current();
        Map<String, Object> answer = Map.of(
                "username", now.user(), "password", now.password().revealText().toCharArray());
        // end
        return answer;
    }

    /** A client that can be told to log in anew on its open connections, as Lettuce can. */
    interface Client {
        void reauthenticate(String user, String password);
    }

    static Registration push(Rotating<Login> login, Client client) {
        // snippet: push
        Registration registration = login.onRotation(version -> client.reauthenticate(
                version.value().user(), version.value().password().revealText()));
        // end
        return registration;
    }

    /** Sends one mail, and says whether the server took the login. */
    interface Smtp {
        boolean send(String user, String password, String mail);
    }

    static boolean eachAcceptedOne(Rotating<Login> login, Smtp smtp, String mail) {
        // snippet: overlap
        long now = System.currentTimeMillis();
        for (Version<Login> version : login.versions().accepted()) { // the current one first
            Login as = version.value();
            if (smtp.send(as.user(), as.password().revealText(), mail)) {
                login.recordUse(version, now); // tells the operator whether the old one is still needed
                return true;
            }
        }
        return false;
        // end
    }

    static Rotating<Login> gated(RotatingSecret secret, Consumer<Login> tryLogin) {
        // snippet: gated
        Rotating<Login> proven = secret.map(Login::parse).gatedBy(version -> tryLogin.accept(version.value()));
        // end
        return proven;
    }
}
