package io.dualkey.examples.aws;

import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.SecretStartupException;
import io.dualkey.secrets.SecretStatus;
import io.dualkey.secrets.SecretStatus.VersionStatus;
import io.dualkey.secrets.SecretStore;
import io.dualkey.secrets.aws.AwsSecretsManagerStore;
import java.io.PrintStream;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** Prints the state and the versions in force of secrets in AWS Secrets Manager; never a value. */
public final class SecretsManagerReport {

    private SecretsManagerReport() {}

    /**
     * Runs the example.
     *
     * @param arguments the region, then the names of secrets
     */
    public static void main(String[] arguments) {
        if (arguments.length < 2) {
            System.err.println("usage: SecretsManagerReport <region> <secret>...");
            System.exit(2);
        }
        List<String> names = Arrays.asList(arguments).subList(1, arguments.length);
        System.exit(print(AwsSecretsManagerStore.in(arguments[0]), names, System.out) ? 0 : 1);
    }

    /** Prints the report; says whether all secrets can be served. */
    static boolean print(SecretStore store, List<String> names, PrintStream out) {
        try (SecretSource secrets = SecretSource.from(store)) {
            names.forEach(secrets::secret);
            try {
                secrets.start(Duration.ofSeconds(30));
            } catch (SecretStartupException problems) {
                out.println(problems.getMessage());
                return false;
            }
            for (SecretStatus status : secrets.statuses()) {
                out.println(status.name() + " in " + status.store() + ": "
                        + status.state().name().toLowerCase(Locale.ROOT));
                for (VersionStatus version : status.versions()) {
                    out.println("  " + line(version));
                }
                status.warnings().forEach(warning -> out.println("  " + warning));
            }
            return true;
        }
    }

    private static String line(VersionStatus version) {
        return version.role().name().toLowerCase(Locale.ROOT) + " " + version.id()
                + version.activatedAt().map(time -> ", since " + time).orElse("")
                + version.acceptedUntil().map(time -> ", until " + time).orElse("");
    }
}
