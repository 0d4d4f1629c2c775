package io.dualkey.secrets.aws;

import static org.assertj.core.api.Assertions.assertThat;

import io.dualkey.secrets.Outcome;
import io.dualkey.secrets.RefreshCause;
import io.dualkey.secrets.RotatingSecret;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.SecretState;
import io.dualkey.secrets.Version;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Rotations as the service and its rotation functions make them, seen by an application that goes on running. */
class RotationTest {

    private static final Duration GRACE = Duration.ofHours(24);

    enum Rights {
        WITH_DESCRIBE,
        GET_ALONE
    }

    private final SecretsManagerStub stub = new SecretsManagerStub();
    private final SecretsManagerStub.Secret db = stub.secret("db");
    private final List<SecretSource> sources = new ArrayList<>();
    private RotatingSecret running;

    @AfterEach
    void close() {
        sources.forEach(SecretSource::close);
        stub.close();
    }

    /** A process that begins now. */
    private RotatingSecret start() {
        SecretSource source = SecretSource.builder(AwsSecretsManagerStore.over(Clients.of(stub)))
                .refreshInterval(Duration.ofHours(1))
                .grace(GRACE)
                .clock(Clients.clock(stub))
                .build();
        sources.add(source);
        RotatingSecret secret = source.secret("db");
        source.start(Duration.ofSeconds(10));
        return secret;
    }

    private void begin(Rights rights) {
        if (rights == Rights.GET_ALONE) {
            stub.deny(SecretsManagerStub.Action.DescribeSecret);
        }
        running = start();
    }

    private static void check(RotatingSecret secret) {
        var unused = secret.refresh(RefreshCause.OPERATOR).join();
    }

    private static List<String> accepted(RotatingSecret secret) {
        return secret.versions().accepted().stream()
                .map(version -> version.value().revealText())
                .toList();
    }

    private static String upcoming(RotatingSecret secret) {
        return secret.versions()
                .upcoming()
                .map(Version::value)
                .map(value -> value.revealText())
                .orElse("none");
    }

    /** Checks with the process that runs, and with one that starts now. */
    private void assertAccepted(String... values) {
        check(running);
        assertThat(accepted(running)).containsExactly(values);
        assertThat(accepted(start())).as("after a restart").containsExactly(values);
        assertThat(running.status().state()).isEqualTo(SecretState.HEALTHY);
    }

    @ParameterizedTest
    @EnumSource
    void alternatingUsersRotateThroughAllSteps(Rights rights) {
        db.put("orders-a");
        stub.pass(Duration.ofDays(30));
        begin(rights);

        String next = db.announce(); // RotateSecret
        assertAccepted("orders-a");
        stub.pass(Duration.ofSeconds(5));
        db.fill(next, "orders-b"); // createSecret
        assertAccepted("orders-a");
        assertThat(upcoming(running)).isEqualTo(rights == Rights.WITH_DESCRIBE ? "orders-b" : "none");
        stub.pass(Duration.ofSeconds(30)); // setSecret, testSecret
        db.finish(next); // finishSecret
        assertAccepted("orders-b", "orders-a");
        assertThat(upcoming(running)).isEqualTo("none");
    }

    @ParameterizedTest
    @EnumSource
    void graceEndsByTheServicesTimeHoweverLateTheProcessLearns(Rights rights) {
        db.put("first");
        stub.pass(Duration.ofDays(30));
        begin(rights);
        db.put("second");
        stub.pass(GRACE.minusSeconds(1));
        assertAccepted("second", "first");
        stub.pass(Duration.ofSeconds(1));
        assertAccepted("second");
    }

    @Test
    void singleUserRotationAnnouncesThePasswordThatAlreadyWorks() {
        db.put("old password");
        stub.pass(Duration.ofDays(30));
        begin(Rights.WITH_DESCRIBE);
        String next = db.announce();
        db.fill(next, "new password");
        check(running);
        // Between setSecret and finishSecret the database takes the new password alone.
        assertThat(accepted(running)).containsExactly("old password");
        assertThat(upcoming(running)).isEqualTo("new password");
        stub.pass(Duration.ofMinutes(1));
        db.finish(next);
        assertAccepted("new password", "old password");
    }

    @ParameterizedTest
    @EnumSource
    void previousVersionIsRefusedAtTheNextCheckOnceItsLabelIsRemoved(Rights rights) {
        db.put("first");
        stub.pass(Duration.ofDays(30));
        begin(rights);
        db.put("second");
        assertAccepted("second", "first");
        db.removeLabel("AWSPREVIOUS");
        assertAccepted("second");
    }

    @ParameterizedTest
    @EnumSource
    void previousVersionIsRefusedAtTheNextCheckOnceItsLabelIsMoved(Rights rights) {
        String oldest = db.put("oldest");
        stub.pass(Duration.ofDays(1));
        db.put("first");
        stub.pass(Duration.ofDays(30));
        begin(rights);
        db.put("second");
        assertAccepted("second", "first");
        db.label("AWSPREVIOUS", oldest);
        assertAccepted("second", "oldest");
    }

    @ParameterizedTest
    @EnumSource
    void rollbackOfTheLabelMakesTheOldVersionCurrentAgain(Rights rights) {
        String first = db.put("first");
        stub.pass(Duration.ofDays(30));
        begin(rights);
        db.put("second");
        assertAccepted("second", "first");
        stub.pass(Duration.ofHours(2));
        db.moveCurrentTo(first);
        assertAccepted("first", "second");

        stub.pass(Duration.ofHours(23)); // 25 after "second" was created, 23 after it was taken back
        if (rights == Rights.WITH_DESCRIBE) {
            assertAccepted("first", "second");
            stub.pass(Duration.ofHours(1));
        }
        assertAccepted("first");
    }

    /** P2: an edit of a tag moves the time that a rollback is dated by, for each process alike, whenever it started. */
    @Test
    void processesThatStartedLongAfterARollbackAgreeWithTheOthers() {
        String first = db.put("first");
        stub.pass(Duration.ofDays(30));
        begin(Rights.WITH_DESCRIBE);
        db.put("second");
        check(running);
        db.moveCurrentTo(first);
        check(running);
        stub.pass(Duration.ofDays(2));
        RotatingSecret late = start();
        stub.pass(Duration.ofHours(2));
        db.tagged();
        check(late);
        check(running);
        assertThat(accepted(late)).isEqualTo(accepted(running)).isEqualTo(accepted(start()));
    }

    @ParameterizedTest
    @EnumSource
    void valueIsServedWhileTheLabelIsBetweenTwoVersions(Rights rights) {
        String first = db.put("first");
        String second = db.put("second");
        db.moveCurrentTo(first);
        begin(rights);
        List<String> before = accepted(running);

        db.removeLabel("AWSCURRENT");
        check(running);
        assertThat(accepted(running)).isEqualTo(before);
        assertThat(running.status().outcome()).contains(Outcome.UNREACHABLE);

        db.label("AWSCURRENT", second);
        db.label("AWSPREVIOUS", first);
        assertAccepted("second", "first");
    }

    @ParameterizedTest
    @EnumSource
    void versionBeforeThePreviousOneIsNotAccepted(Rights rights) {
        db.put("first");
        stub.pass(Duration.ofDays(30));
        begin(rights);
        db.put("second");
        stub.pass(Duration.ofHours(1));
        db.put("third");
        assertAccepted("third", "second"); // the service keeps one label for what was before
    }

    @ParameterizedTest
    @EnumSource
    void secretThatIsDeletedAndCreatedAgainServesOn(Rights rights) {
        db.put("value");
        stub.pass(Duration.ofDays(30));
        begin(rights);
        db.scheduleDeletion();
        check(running);
        assertThat(accepted(running)).containsExactly("value");
        assertThat(running.status().state()).isEqualTo(SecretState.DEGRADED);
        assertThat(running.status().detail()).contains("scheduled for deletion");

        db.vanish();
        stub.secret("db").put("another");
        assertAccepted("another");
    }
}
