package io.dualkey.examples.rotation.demo;

import io.dualkey.examples.rotation.demo.Step.Kind;
import io.dualkey.secrets.Role;
import io.dualkey.secrets.jdbc.CredentialStatus;
import io.dualkey.secrets.jdbc.DataSourceStatus;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What the operator does while the load runs. Each step begins at its place in the time that the load lasts, or as soon
 * after it as the step before is over. To be run by one thread.
 */
final class Runbook {

    static final String KEY = "jwt-key";
    static final String PREVIOUS_KEY = "jwt-key-previous";
    static final String DATABASE_URL = "database-url";

    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final RunClock clock;
    private final Duration length;
    private final SecretsDirectory secrets;
    private final Database database;
    private final RunningService service;
    private final TokenIssuer issuer;
    private final LoadClient client;
    private final Bands bands;
    private final Terminal terminal;
    private final List<StepLog> steps = new ArrayList<>();
    private volatile String doing = "";

    /** A step as it goes on. */
    private static final class StepLog {

        private final int number;
        private final Kind kind;
        private final String label;
        private final String title;
        private final double written;
        private final long movedBefore;
        private OptionalDouble effective = OptionalDouble.empty();
        private OptionalDouble safeToDrop = OptionalDouble.empty();
        private OptionalDouble end = OptionalDouble.empty();
        private OptionalLong moved = OptionalLong.empty();

        private StepLog(int number, Kind kind, String label, String title, double written, long movedBefore) {
            this.number = number;
            this.kind = kind;
            this.label = label;
            this.title = title;
            this.written = written;
            this.movedBefore = movedBefore;
        }
    }

    /** An action of the operator's. */
    @FunctionalInterface
    private interface Action {
        void run() throws IOException, SQLException;
    }

    Runbook(
            RunClock clock,
            Duration length,
            SecretsDirectory secrets,
            Database database,
            RunningService service,
            TokenIssuer issuer,
            LoadClient client,
            Bands bands,
            Terminal terminal) {
        this.clock = clock;
        this.length = length;
        this.secrets = secrets;
        this.database = database;
        this.service = service;
        this.issuer = issuer;
        this.client = client;
        this.bands = bands;
        this.terminal = terminal;
    }

    /**
     * Plays it to the end of the load.
     *
     * @param user the database user to begin with
     * @throws IllegalStateException if a step does not take effect
     */
    void play(String user) throws IOException, SQLException {
        waitFor(0.10);
        rotateKey("JWT key", "JWT key rotated, old one as companion");
        waitFor(0.22);
        String second = "app_2";
        replaceUser(user, user, second);
        waitFor(0.36);
        changePassword("password", "Password of " + second + " changed", second, second + ", 2nd password");
        waitFor(0.48);
        StepLog bad = writeWrongPassword(second);
        waitFor(0.555);
        bad.end = now();
        bands.gone(clock.seconds(), "wrong password");
        changePassword("repair", "Repaired, a new password of " + second, second, second + ", 3rd password");
        waitFor(0.665);
        removePreviousKey();
        waitFor(0.76);
        rotateKey("JWT key", "JWT key rotated again");
        waitFor(0.87);
        replaceUser(second, second + ", 3rd password", "app_3");
        waitFor(1);
    }

    /** {@return what is being done, for the terminal} */
    String doing() {
        return doing;
    }

    private void waitFor(double share) {
        doing = "";
        double at = share * length.toMillis() / 1000.0;
        while (clock.seconds() < at) {
            if (Thread.currentThread().isInterrupted()) {
                throw new IllegalStateException("interrupted");
            }
            LockSupport.parkNanos(Duration.ofMillis(10).toNanos());
        }
    }

    private OptionalDouble now() {
        return OptionalDouble.of(clock.seconds());
    }

    private void rotateKey(String label, String title) throws IOException {
        int before = issuer.signIn("operator").generation();
        String versionBefore = currentKey();
        StepLog step = begin(
                Kind.KEY,
                label,
                title,
                () -> secrets.change(files -> {
                    String old = files.put(KEY, Generated.key());
                    if (old != null) {
                        files.put(PREVIOUS_KEY, old);
                    }
                }));
        eventually(step, "tokens of the new key are issued and accepted", () -> {
            int generation = issuer.signIn("operator").generation();
            String version = currentKey();
            return generation > before
                    && version != null
                    && !version.equals(versionBefore)
                    && client.served(generation) > 0;
        });
        effective(step, "tokens are signed with the new key; the old ones are still accepted");
        step.end = step.effective;
    }

    private @Nullable String currentKey() {
        return service.keys().entrySet().stream()
                .filter(version -> version.getValue() == Role.CURRENT)
                .map(Map.Entry::getKey)
                .findFirst()
                .orElse(null);
    }

    private void replaceUser(String old, String oldLabel, String user) throws IOException, SQLException {
        String password = Generated.password();
        database.createUser(user, password);
        StepLog step =
                begin(Kind.CREDENTIALS, "new user", "New database user " + user + ", " + old + " dropped", () -> {
                    bands.written(clock.seconds(), user, user, false);
                    secrets.change(files -> files.put(DATABASE_URL, database.url(user, password)));
                });
        awaitMove(step, status -> status.user().equals(user));
        eventually(step, "it is safe to drop " + old, () -> service.database().isSafeToDrop(old));
        step.safeToDrop = now();
        bands.safeToDrop(clock.seconds(), oldLabel);
        int sessions = database.sessions(old);
        if (sessions > 0) {
            throw new IllegalStateException("the library says that " + old + " can be dropped, but the server has "
                    + sessions + " sessions of it");
        }
        database.dropUser(old);
        bands.gone(clock.seconds(), oldLabel);
        step.end = now();
        said("safe to drop " + old + " after " + Format.seconds(step.safeToDrop.getAsDouble() - step.written)
                + "; dropped");
    }

    private void changePassword(String label, String title, String user, String generation)
            throws IOException, SQLException {
        String versionBefore =
                service.database().current().map(CredentialStatus::version).orElse("");
        StepLog step = begin(Kind.CREDENTIALS, label, title, () -> {
            String password = Generated.password();
            bands.written(clock.seconds(), user, generation, false);
            database.changePassword(user, password);
            secrets.change(files -> files.put(DATABASE_URL, database.url(user, password)));
        });
        awaitMove(step, status -> !status.version().equals(versionBefore));
        step.end = step.effective;
    }

    private void awaitMove(StepLog step, Predicate<CredentialStatus> isNew) {
        eventually(step, "all connections are logged in with the new credentials", () -> {
            DataSourceStatus status = service.database();
            CredentialStatus current = status.current().orElse(null);
            return current != null
                    && isNew.test(current)
                    && current.connections() > 0
                    && status.credentials().stream()
                            .allMatch(one -> one.version().equals(current.version()) || one.connections() == 0);
        });
        step.moved = OptionalLong.of(service.database().connectionsMoved() - step.movedBefore);
        effective(step, step.moved.getAsLong() + " connections moved to the new credentials");
    }

    private StepLog writeWrongPassword(String user) throws IOException {
        StepLog step = begin(Kind.BAD_SECRET, "bad secret", "Wrong password written", () -> {
            bands.written(clock.seconds(), user, "wrong password", true);
            secrets.change(files -> files.put(DATABASE_URL, database.url(user, Generated.password())));
        });
        eventually(
                step,
                "the service reports the secret as degraded",
                () -> service.health(DATABASE_URL).equals("degraded"));
        effective(step, "held off: health says degraded, the old connections serve on");
        return step;
    }

    private void removePreviousKey() throws IOException {
        int previous = issuer.signIn("operator").generation() - 1;
        StepLog step = begin(Kind.REVOCATION, "key removed", "Previous JWT key removed (kill switch)", () -> {
            client.revoking(previous);
            secrets.change(files -> files.remove(PREVIOUS_KEY));
        });
        eventually(
                step,
                "tokens of the removed key are refused",
                () -> client.refused() > 0 && !service.keys().containsValue(Role.PREVIOUS));
        effective(step, "tokens of the removed key are refused with 401; their holders sign in anew");
        step.end = step.effective;
    }

    private StepLog begin(Kind kind, String label, String title, Action action) throws IOException {
        long moved = service.database().connectionsMoved();
        double start = clock.seconds();
        try {
            action.run();
        } catch (SQLException failure) {
            throw new IllegalStateException("the operator's statement failed: " + failure.getMessage(), failure);
        }
        StepLog step;
        synchronized (steps) {
            step = new StepLog(steps.size() + 1, kind, label, title, start, moved);
            steps.add(step);
        }
        doing = "step " + step.number + ": " + label;
        terminal.say(String.format(Locale.ROOT, "%6.1f s  %d. %s", start, step.number, title));
        return step;
    }

    private void eventually(StepLog step, String what, BooleanSupplier condition) {
        try {
            Eventually.until(PATIENCE, what, condition);
        } catch (IllegalStateException failure) {
            throw new IllegalStateException("step " + step.number + ", " + failure.getMessage(), failure);
        }
    }

    private void effective(StepLog step, String what) {
        step.effective = now();
        said(what + " after " + Format.seconds(step.effective.getAsDouble() - step.written));
    }

    private void said(String what) {
        terminal.say(String.format(Locale.ROOT, "%6.1f s     %s", clock.seconds(), what));
    }

    /**
     * {@return the steps so far}
     *
     * @param settling how long a step is counted as going on at least
     */
    List<Step> steps(Measurements measurements, double settling) {
        List<StepLog> all;
        synchronized (steps) {
            all = List.copyOf(steps);
        }
        return all.stream()
                .map(step -> {
                    double end = Math.max(step.end.orElseGet(clock::seconds), step.written + settling);
                    return new Step(
                            step.number,
                            step.kind,
                            step.label,
                            step.title,
                            step.written,
                            step.effective,
                            step.safeToDrop,
                            end,
                            step.moved,
                            measurements.latency(at -> at >= step.written * 1e9 && at < end * 1e9));
                })
                .toList();
    }
}
