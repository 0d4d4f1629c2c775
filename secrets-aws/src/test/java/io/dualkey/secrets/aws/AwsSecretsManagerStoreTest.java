package io.dualkey.secrets.aws;

import static io.dualkey.secrets.aws.SecretsManagerStub.Action.BatchGetSecretValue;
import static io.dualkey.secrets.aws.SecretsManagerStub.Action.DescribeSecret;
import static io.dualkey.secrets.aws.SecretsManagerStub.Action.GetSecretValue;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.dualkey.secrets.Outcome;
import io.dualkey.secrets.RotatingSecret;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.StoreQuery;
import io.dualkey.secrets.StoreResult;
import io.dualkey.secrets.StoredSecret;
import io.dualkey.secrets.StoredVersion;
import io.dualkey.secrets.StoredVersion.Stage;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProviderChain;
import software.amazon.awssdk.auth.credentials.SystemPropertyCredentialsProvider;
import software.amazon.awssdk.regions.Region;

/** What the store asks the service, and what it makes of the answers. */
class AwsSecretsManagerStoreTest {

    private static final Duration GRACE = Duration.ofHours(24);

    private final SecretsManagerStub stub = new SecretsManagerStub();
    private final AwsSecretsManagerStore store = AwsSecretsManagerStore.over(Clients.of(stub));
    private final SecretsManagerStub.Secret db = stub.secret("db");

    @AfterEach
    void close() {
        stub.close();
    }

    private StoreQuery query(String name) {
        return StoreQuery.of(name, GRACE, stub.now());
    }

    private StoreResult read(StoreQuery query) {
        return store.read(List.of(query)).get(0);
    }

    private StoredSecret readFirst(String name) {
        return found(read(query(name)));
    }

    private StoreResult readAgain(StoredSecret known) {
        return read(query("db").withKnown(known));
    }

    private static StoredSecret found(StoreResult result) {
        assertThat(result).isInstanceOf(StoreResult.Found.class);
        return ((StoreResult.Found) result).secret();
    }

    private static StoreResult.Failed failed(StoreResult result) {
        assertThat(result).isInstanceOf(StoreResult.Failed.class);
        return (StoreResult.Failed) result;
    }

    private static StoredVersion version(StoredSecret secret, Stage stage) {
        return secret.versions().stream()
                .filter(version -> version.stage() == stage)
                .findFirst()
                .orElseThrow();
    }

    private static List<Stage> stages(StoredSecret secret) {
        return secret.versions().stream().map(StoredVersion::stage).toList();
    }

    private static String text(StoredVersion version) {
        return version.value().orElseThrow().revealText();
    }

    private static Instant activation(StoredSecret secret) {
        return version(secret, Stage.CURRENT).activatedAt().orElseThrow();
    }

    /** P10. */
    @Test
    void countsItsCallsTheFailedOnesToo() {
        stub.asked();
        long before = store.calls().orElseThrow();
        var unused = read(query("missing"));
        assertThat(store.calls().orElseThrow() - before)
                .isEqualTo(stub.asked().size())
                .isPositive();
    }

    // What it is

    @Test
    void tellsTheRegion() {
        AwsSecretsManagerStore inRegion = AwsSecretsManagerStore.in("eu-west-3");
        assertThat(inRegion.description()).isEqualTo("AWS Secrets Manager eu-west-3");
        assertThat(inRegion.address()).contains("aws:eu-west-3");
        assertThat(inRegion).hasToString("AWS Secrets Manager eu-west-3");
        assertThat(inRegion.keepsHistory()).isTrue();
        assertThat(inRegion.startsTogether()).isTrue();
        assertThat(inRegion.readsTogether()).isFalse();
        assertThatNullPointerException()
                .isThrownBy(() -> AwsSecretsManagerStore.over(null))
                .withMessage("client");
    }

    @Test
    void givesACallUpAfterTenSecondsAndNeverRetries() {
        try (var client = DefaultClient.in(Region.EU_CENTRAL_1).build()) {
            var all = client.serviceClientConfiguration().overrideConfiguration();
            assertThat(all.apiCallTimeout()).contains(Duration.ofSeconds(10));
            assertThat(all.retryStrategy().orElseThrow().maxAttempts()).isEqualTo(1);
        }
    }

    // Calls

    @Test
    void startOfTwentyFiveSecretsCostsTwoBatches() {
        List<StoreQuery> queries = new ArrayList<>();
        for (int i = 0; i < 25; i++) {
            stub.secret("s" + i).put("value " + i);
            queries.add(query("s" + i));
        }
        stub.pass(Duration.ofDays(30));
        stub.secret("s3").put("new value 3");

        List<StoreResult> results = store.read(queries);

        for (int i = 0; i < 25; i++) {
            StoredSecret secret = found(results.get(i));
            assertThat(text(version(secret, Stage.CURRENT))).isEqualTo((i == 3 ? "new value " : "value ") + i);
            assertThat(stages(secret).contains(Stage.PREVIOUS)).isEqualTo(i == 3);
        }
        List<String> asked = stub.asked();
        assertThat(asked).hasSize(28);
        assertThat(Collections.frequency(asked, "BatchGetSecretValue")).isEqualTo(2);
        assertThat(Collections.frequency(asked, "DescribeSecret")).isEqualTo(25);
        assertThat(asked)
                .as("the one value that is in its grace")
                .filteredOn(one -> one.startsWith("GetSecretValue "))
                .hasSize(1);
    }

    @Test
    void sourceStartsManySecretsThroughBatches() {
        for (int i = 0; i < 25; i++) {
            stub.secret("s" + i).put("value " + i);
        }
        try (var source =
                SecretSource.builder(store).refreshInterval(Duration.ofHours(1)).build()) {
            List<RotatingSecret> secrets = new ArrayList<>();
            for (int i = 0; i < 25; i++) {
                secrets.add(source.secret("s" + i));
            }
            source.start(Duration.ofSeconds(30));
            assertThat(secrets.get(24).current().revealText()).isEqualTo("value 24");
            assertThat(stub.asked()).hasSize(27);
        }
    }

    @Test
    void secretThatABatchDoesNotAnswerIsAskedForAlone() {
        db.put("value");
        stub.secret("denied").put("other");
        stub.denySecret("denied");

        List<StoreResult> results = store.read(List.of(query("db"), query("missing"), query("denied")));

        assertThat(text(version(found(results.get(0)), Stage.CURRENT))).isEqualTo("value");
        assertThat(failed(results.get(1)).outcome()).isEqualTo(Outcome.NOT_FOUND);
        assertThat(failed(results.get(2)).outcome()).isEqualTo(Outcome.ACCESS_DENIED);
        assertThat(stub.asked())
                .containsExactly(
                        "BatchGetSecretValue",
                        "DescribeSecret",
                        "DescribeSecret",
                        "DescribeSecret",
                        "GetSecretValue AWSCURRENT");
    }

    @Test
    void batchIsNotAskedForAgainOnceItIsDenied() {
        stub.deny(BatchGetSecretValue);
        db.put("value");
        stub.secret("api").put("other");
        List<StoreQuery> both = List.of(query("db"), query("api"));
        store.read(both);
        assertThat(stub.asked()).startsWith("BatchGetSecretValue").hasSize(5);

        store.read(both);
        assertThat(stub.asked()).doesNotContain("BatchGetSecretValue").hasSize(4);
    }

    @Test
    void batchFindsSecretsByArnAndLeavesBeginningsOfArnsToSingleReads() {
        db.put("value");
        SecretsManagerStub.Secret api = stub.secret("api");
        api.put("other");
        String beginning = api.arn().substring(0, api.arn().length() - 7);

        List<StoreResult> results = store.read(List.of(query(db.arn()), query(beginning)));

        assertThat(text(version(found(results.get(0)), Stage.CURRENT))).isEqualTo("value");
        assertThat(text(version(found(results.get(1)), Stage.CURRENT))).isEqualTo("other");
        assertThat(stub.asked())
                .containsExactly(
                        "BatchGetSecretValue", "DescribeSecret", "DescribeSecret", "GetSecretValue AWSCURRENT");
    }

    @Test
    void steadyCheckIsOneCallHoweverManyVersionsThereAre() {
        for (int i = 0; i < 100; i++) {
            db.put("value " + i);
        }
        StoredSecret known = readFirst("db");
        assertThat(known.versions()).hasSize(2);
        stub.asked();

        assertThat(readAgain(known)).isEqualTo(StoreResult.unchanged());
        assertThat(stub.asked()).containsExactly("DescribeSecret");
    }

    @Test
    void valuesAreReadOnChangeOnly() {
        db.put("first");
        StoredSecret known = readFirst("db");
        stub.asked();
        stub.pass(Duration.ofHours(1));
        db.tagged();
        assertThat(readAgain(known)).as("a tag was edited").isEqualTo(StoreResult.unchanged());
        assertThat(stub.asked()).containsExactly("DescribeSecret");

        db.put("second");
        known = found(readAgain(known));
        assertThat(stub.asked())
                .containsExactly("DescribeSecret", "GetSecretValue AWSCURRENT", "GetSecretValue AWSPREVIOUS");
        assertThat(readAgain(known)).isEqualTo(StoreResult.unchanged());
    }

    @Test
    void previousValueIsNotReadOnceNobodyCanAcceptIt() {
        db.put("first");
        db.put("second");
        stub.pass(GRACE);

        assertThat(stages(readFirst("db"))).containsExactly(Stage.CURRENT);
        assertThat(stub.asked()).containsExactly("DescribeSecret", "GetSecretValue AWSCURRENT");
    }

    @Test
    void withGetAloneACheckIsOneCallAndTwoWhileThePreviousVersionIsInItsGrace() {
        stub.deny(DescribeSecret);
        db.put("first");
        stub.pass(Duration.ofDays(2));
        StoredSecret known = readFirst("db");
        assertThat(stub.asked())
                .containsExactly("DescribeSecret", "GetSecretValue AWSCURRENT", "GetSecretValue AWSPREVIOUS");
        assertThat(readAgain(known)).isEqualTo(StoreResult.unchanged());
        assertThat(stub.asked()).containsExactly("GetSecretValue AWSCURRENT");

        db.put("second");
        known = found(readAgain(known));
        assertThat(stages(known)).containsExactly(Stage.PREVIOUS, Stage.CURRENT);
        assertThat(stub.asked()).containsExactly("GetSecretValue AWSCURRENT", "GetSecretValue AWSPREVIOUS");
        assertThat(readAgain(known)).isEqualTo(StoreResult.unchanged());
        assertThat(stub.asked()).containsExactly("GetSecretValue AWSCURRENT", "GetSecretValue AWSPREVIOUS");

        stub.pass(GRACE);
        assertThat(readAgain(known)).isEqualTo(StoreResult.unchanged());
        assertThat(stub.asked()).containsExactly("GetSecretValue AWSCURRENT");
    }

    // Permissions

    @Test
    void describeIsDeniedForEachSecretOfItsOwnAndSaidOnce() {
        Logger logger = (Logger) LoggerFactory.getLogger(AwsSecretsManagerStore.class);
        var logged = new ListAppender<ILoggingEvent>();
        logged.start();
        logger.addAppender(logged);
        stub.deny(DescribeSecret);
        db.put("value");
        stub.secret("api").put("other");
        readFirst("db");
        readFirst("api");
        stub.allow(DescribeSecret);
        stub.secret("free").put("another");
        stub.asked();

        readFirst("free");
        assertThat(stub.asked())
                .as("what db may not says nothing about this one")
                .contains("DescribeSecret");
        readFirst("db");
        assertThat(stub.asked()).as("not asked again").doesNotContain("DescribeSecret");
        logger.detachAppender(logged);
        assertThat(logged.list)
                .singleElement()
                .satisfies(event -> assertThat(event.getFormattedMessage())
                        .contains("does not allow DescribeSecret", "allow secretsmanager:DescribeSecret"));
    }

    @Test
    void describeIsAskedForOnceMoreWhenEverythingWasDeniedAndIsNotAnyMore() {
        db.put("value");
        stub.deny(DescribeSecret, GetSecretValue);
        assertThat(failed(read(query("db"))).outcome()).isEqualTo(Outcome.ACCESS_DENIED);
        stub.asked();
        read(query("db"));
        assertThat(stub.asked())
                .as("a check that fails costs no more than one that does not")
                .containsExactly("GetSecretValue AWSCURRENT");

        stub.allow(DescribeSecret, GetSecretValue);
        StoredSecret known = readFirst("db");
        assertThat(stub.asked()).startsWith("GetSecretValue AWSCURRENT", "DescribeSecret");
        readAgain(known);
        assertThat(stub.asked()).containsExactly("DescribeSecret");
    }

    @Test
    void currentValueDoesNotWaitForAPreviousOneThatMayNotBeRead() {
        db.put("first");
        db.put("second");
        stub.allowOnlyCurrent();
        for (boolean describing : new boolean[] {true, false}) {
            if (!describing) {
                stub.deny(DescribeSecret);
            }
            StoredSecret known = found(AwsSecretsManagerStore.over(Clients.of(stub))
                    .read(List.of(query("db")))
                    .get(0));
            assertThat(stages(known)).containsExactly(Stage.CURRENT);
            assertThat(text(version(known, Stage.CURRENT))).isEqualTo("second");
            assertThat(readAgain(known)).isEqualTo(StoreResult.unchanged());
        }
    }

    @Test
    void saysThatThereAreNoCredentials() {
        var client = DefaultClient.in(Region.EU_CENTRAL_1)
                .endpointOverride(stub.endpoint())
                .credentialsProvider(AwsCredentialsProviderChain.of(SystemPropertyCredentialsProvider.create()))
                .build();

        StoreResult.Failed failed = failed(
                AwsSecretsManagerStore.over(client).read(List.of(query("db"))).get(0));

        assertThat(failed.outcome()).isEqualTo(Outcome.ACCESS_DENIED);
        assertThat(failed.detail()).contains("no credentials were found");
        assertThat(stub.asked()).isEmpty();
    }

    @Test
    void saysThatNobodyListens() {
        var closed = new SecretsManagerStub();
        var unreachable = AwsSecretsManagerStore.over(Clients.of(closed));
        closed.close();

        StoreResult.Failed failed =
                failed(unreachable.read(List.of(query("db"))).get(0));

        assertThat(failed.outcome()).isEqualTo(Outcome.UNREACHABLE);
        assertThat(failed.detail()).contains("SdkClientException, ConnectException");
    }

    @Test
    void interruptedReadEndsEarlyAndLeavesTheFlag() {
        db.put("value");
        Thread.currentThread().interrupt();

        List<StoreResult> results = store.read(List.of(query("db"), query("api")));

        assertThat(Thread.interrupted()).isTrue();
        assertThat(results)
                .hasSize(2)
                .allSatisfy(result -> assertThat(failed(result).outcome()).isEqualTo(Outcome.UNREACHABLE));
        assertThat(stub.asked()).isEmpty();
    }

    @Test
    void versionsOfBeforeAndAfterARotationAreNeverPutTogether() {
        db.put("first");
        StoredSecret known = readFirst("db");
        db.put("second");
        stub.asked();
        stub.before("GetSecretValue AWSCURRENT", () -> db.put("third"));

        assertThat(failed(readAgain(known)).detail()).contains("moved its labels while it was read");

        known = found(readAgain(known));
        assertThat(text(version(known, Stage.CURRENT))).isEqualTo("third");
        assertThat(text(version(known, Stage.PREVIOUS))).isEqualTo("second");
    }

    // Names and values

    @Test
    void readsByNameArnAndPartialArn() {
        db.put("value");
        for (String name :
                List.of("db", db.arn(), db.arn().substring(0, db.arn().length() - 7))) {
            assertThat(text(version(readFirst(name), Stage.CURRENT))).isEqualTo("value");
        }
    }

    @Test
    void readsBinaryValues() {
        byte[] bytes = {0, -1, 13, 10, -128};
        db.putBinary(bytes);
        stub.secret("api").putBinary(bytes);

        assertThat(version(readFirst("db"), Stage.CURRENT).value().orElseThrow().revealBytes())
                .isEqualTo(bytes);
        StoreResult ofBatch = store.read(List.of(query("db"), query("api"))).get(1);
        assertThat(version(found(ofBatch), Stage.CURRENT).value().orElseThrow().revealBytes())
                .isEqualTo(bytes);
    }

    @Test
    void pinnedVersionIsReadAlone() {
        String first = db.put("first");
        db.put("second");
        StoreQuery pinned = query("db").pinnedTo(first);

        StoredSecret secret = found(read(pinned));
        assertThat(secret.versions()).singleElement().satisfies(only -> {
            assertThat(only.id()).isEqualTo(first);
            assertThat(text(only)).isEqualTo("first");
        });
        assertThat(read(pinned.withKnown(secret))).isEqualTo(StoreResult.unchanged());
        assertThat(failed(read(query("db").pinnedTo("gone"))).outcome()).isEqualTo(Outcome.NOT_FOUND);
        assertThat(stub.asked())
                .containsExactly("GetSecretValue " + first, "GetSecretValue " + first, "GetSecretValue gone");
    }

    @Test
    void pinnedReferenceWorksThroughASource() {
        String first = db.put("first");
        db.put("second");
        try (var source = SecretSource.from(store)) {
            var pinned = source.secret(db.arn() + ":::" + first);
            var current = source.secret(db.arn());
            source.start(Duration.ofSeconds(10));
            assertThat(pinned.current().revealText()).isEqualTo("first");
            assertThat(current.current().revealText()).isEqualTo("second");
        }
    }

    // Labels

    @Test
    void missingCurrentLabelIsTransient() {
        String id = db.put("value");
        StoredSecret known = readFirst("db");
        db.removeLabel("AWSCURRENT");
        for (boolean describing : new boolean[] {true, false}) {
            if (!describing) {
                stub.deny(DescribeSecret);
            }
            for (StoreQuery query : List.of(query("db"), query("db").withKnown(known))) {
                StoreResult.Failed failed = failed(read(query));
                assertThat(failed.outcome()).isEqualTo(Outcome.UNREACHABLE);
                assertThat(failed.detail()).contains("a rotation is moving it just now");
            }
        }
        stub.allow(DescribeSecret);
        db.label("AWSCURRENT", id);
        assertThat(text(version(readFirst("db"), Stage.CURRENT))).isEqualTo("value");
    }

    @Test
    void secretWithoutAnyVersionMayGetOneSoon() {
        StoreResult.Failed failed = failed(read(query("db")));
        assertThat(failed.outcome()).as("so that a start waits for it").isEqualTo(Outcome.UNREACHABLE);
        assertThat(failed.detail()).contains("the secret has no value yet");
    }

    @Test
    void pendingVersionIsTakenOnceItHasAValue() {
        db.put("value");
        StoredSecret known = readFirst("db");
        String pending = db.announce();
        known = found(readAgain(known));
        assertThat(stages(known)).containsExactly(Stage.CURRENT);
        assertThat(readAgain(known)).as("still none").isEqualTo(StoreResult.unchanged());

        stub.pass(Duration.ofSeconds(1));
        db.fill(pending, "next");
        known = found(readAgain(known));
        assertThat(text(version(known, Stage.PENDING))).isEqualTo("next");
        assertThat(version(known, Stage.PENDING).activatedAt()).isEmpty();
        stub.asked();
        assertThat(readAgain(known)).isEqualTo(StoreResult.unchanged());
        assertThat(stub.asked()).containsExactly("DescribeSecret");
    }

    @Test
    void pendingLabelLeftOnTheCurrentVersionMeansNothing() {
        db.put("value");
        String next = db.announce();
        db.fill(next, "next");
        db.finish(next);
        assertThat(stages(readFirst("db"))).containsExactly(Stage.PREVIOUS, Stage.CURRENT);

        db.label("AWSCURRENT", db.put("by hand"));
        db.label("AWSPENDING", next); // which is the previous one by now
        assertThat(stages(readFirst("db"))).containsExactly(Stage.PREVIOUS, Stage.CURRENT);
    }

    // When the current version came into force

    @Test
    void activationIsTheCreationOfAVersionPutByHand() {
        String first = db.put("first");
        db.finish(first); // a rotation, some time ago
        stub.pass(Duration.ofHours(5));
        db.put("second");
        Instant put = stub.now();
        stub.pass(Duration.ofHours(1));
        db.tagged();
        assertThat(activation(readFirst("db"))).isEqualTo(put);
    }

    @Test
    void activationIsTheEndOfTheRotationThatPromotedIt() {
        db.put("first");
        String next = db.announce();
        db.fill(next, "second");
        stub.pass(Duration.ofMinutes(7));
        db.moveCurrentTo(next);
        StoredSecret known = readFirst("db");
        stub.pass(Duration.ofSeconds(2));
        db.rotationEnded();
        Instant ended = stub.now();

        assertThat(activation(found(readAgain(known))))
                .as("noted after the labels were moved")
                .isEqualTo(ended);
        assertThat(activation(readFirst("db"))).isEqualTo(ended);
    }

    @Test
    void activationOfAVersionPromotedByHandIsItsCreation() {
        db.put("first");
        Instant created = stub.now();
        String next = db.announce();
        db.fill(next, "second");
        stub.pass(Duration.ofHours(3));
        db.moveCurrentTo(next);
        assertThat(activation(readFirst("db")))
                .as("a limit that the guide tells of")
                .isEqualTo(created);
    }

    @Test
    void activationAfterALabelRollbackIsTheLastChange() {
        String first = db.put("first");
        stub.pass(Duration.ofDays(3));
        db.put("second");
        stub.pass(Duration.ofDays(3));
        db.moveCurrentTo(first);
        Instant rolledBack = stub.now();
        stub.pass(Duration.ofHours(1));

        StoredSecret known = readFirst("db");
        assertThat(activation(known)).isEqualTo(rolledBack);
        assertThat(text(version(known, Stage.PREVIOUS))).isEqualTo("second");
        assertThat(readAgain(known)).isEqualTo(StoreResult.unchanged());

        db.tagged();
        assertThat(activation(found(readAgain(known)))).as("as after a restart").isEqualTo(activation(readFirst("db")));
    }

    @Test
    void graceThatNeverEndsIsNoReasonToFail() {
        db.put("first");
        stub.pass(Duration.ofDays(1000));
        db.put("second");
        StoreQuery forEver = StoreQuery.of("db", Duration.ofSeconds(Long.MAX_VALUE), stub.now());
        assertThat(stages(found(read(forEver)))).containsExactly(Stage.PREVIOUS, Stage.CURRENT);
    }
}
