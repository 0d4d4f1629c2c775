package io.dualkey.examples.rotation.demo;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.Locale;
import java.util.Map;

/** Says how to rotate a secret by hand, and how to watch the service meanwhile. */
final class ByHand {

    private static final String NEXT_USER = "app_by_hand";

    private ByHand() {}

    /** {@return the explanation, with commands to be pasted into a shell} It has a token, and no other secret. */
    static String explanation(RunningService service, SecretsDirectory secrets, Database database, TokenIssuer issuer)
            throws IOException, SQLException {
        String password = Generated.password();
        database.createUser(NEXT_USER, password);
        Path next = SecretsDirectory.create(
                        secrets.path().resolveSibling("next"),
                        Map.of(Runbook.DATABASE_URL, database.url(NEXT_USER, password)))
                .path()
                .resolve(Runbook.DATABASE_URL);
        return """
                The service stays up until Ctrl-C. To try it from another terminal, paste these.

                A token that is good for an hour, and a request with it:

                  export TOKEN=%s
                  curl -sS -X POST -H "Authorization: Bearer $TOKEN" %s

                What the service says of its secrets, and how often tokens were accepted by which key:

                  curl -sS %s/actuator/health
                  curl -sS "%s/actuator/metrics/dualkey.secret.uses?tag=secret:jwt-key&tag=role:previous"

                Rotate the JWT key, with the one before as its companion: the token is still accepted.

                %s
                Remove the companion, the kill switch: a second later the token is refused.

                %s
                Give the service another database user, which exists already: see databaseUser change in the answer.

                %s
                Write a wrong password: requests go on, and health says why the secret is degraded.

                %s""".formatted(
                        issuer.signIn("you").value(),
                        service.entries(),
                        service.address(),
                        service.address(),
                        published(
                                secrets,
                                "cp $new/jwt-key $new/jwt-key-previous && head -c 32 /dev/urandom | base64 > $new/jwt-key"),
                        published(secrets, "rm -f $new/jwt-key-previous"),
                        published(secrets, "cp " + next + " $new/database-url"),
                        published(secrets, "sed 's/:[^:@]*@/:wrong@/' ..data/database-url > $new/database-url"));
    }

    /** A change to the files, between a copy of all of them and the swap of the link, as the kubelet does it. */
    private static String published(SecretsDirectory secrets, String change) {
        boolean mac = System.getProperty("os.name", "").toLowerCase(Locale.ROOT).startsWith("mac");
        return """
                  cd %s && new=$(mktemp -d ..XXXXXX) && cp ..data/* $new
                  %s
                  ln -s $new ..tmp && mv %s ..tmp ..data
                """.formatted(secrets.path(), change, mac ? "-fh" : "-fT");
    }
}
