package io.dualkey.secrets.aws;

import static com.github.tomakehurst.wiremock.client.ResponseDefinitionBuilder.responseDefinition;
import static io.dualkey.secrets.aws.SecretsManagerStub.Action.BatchGetSecretValue;
import static io.dualkey.secrets.aws.SecretsManagerStub.Action.DescribeSecret;
import static io.dualkey.secrets.aws.SecretsManagerStub.Action.GetSecretValue;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.core.read.ListAppender;
import com.github.tomakehurst.wiremock.client.ResponseDefinitionBuilder;
import com.github.tomakehurst.wiremock.http.Fault;
import io.dualkey.secrets.Outcome;
import io.dualkey.secrets.RefreshCause;
import io.dualkey.secrets.RefreshResult;
import io.dualkey.secrets.RotatingSecret;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.SecretStartupException;
import io.dualkey.secrets.SecretState;
import io.dualkey.secrets.SecretStatus;
import io.dualkey.secrets.StoreQuery;
import io.dualkey.secrets.StoreResult;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.slf4j.LoggerFactory;

/** Everything that can go wrong, with every set of rights, through the real client: what is served, and what it costs. */
class FailureMatrixTest {

    private static final String CANARY = "canary-5up3r53cr3t";
    /** What errors quote. No service does; something in between might. */
    private static final String QUOTED = "canary-qu0t3d";

    /** Of a call, where one must run into it: long enough for calls that do not. */
    private static final Duration TIMEOUT = Duration.ofMillis(1500);

    enum Rights {
        ALL,
        NO_BATCH,
        GET_ONLY,
        NONE;

        SecretsManagerStub.Action[] denied() {
            return switch (this) {
                case ALL -> new SecretsManagerStub.Action[0];
                case NO_BATCH -> new SecretsManagerStub.Action[] {BatchGetSecretValue};
                case GET_ONLY -> new SecretsManagerStub.Action[] {DescribeSecret};
                case NONE -> SecretsManagerStub.Action.values();
            };
        }

        /** What a check asks that finds nothing new. */
        String steady() {
            return this == ALL || this == NO_BATCH ? "DescribeSecret" : "GetSecretValue AWSCURRENT";
        }
    }

    /** What goes wrong; the outcome; a word of the detail. */
    enum Trouble {
        HEALTHY(Outcome.OK, ""),
        BAD_SIGNATURE_401(Outcome.ACCESS_DENIED, "HTTP 401"),
        BAD_SIGNATURE_403(Outcome.ACCESS_DENIED, "secret access key is wrong"),
        EXPIRED_TOKEN(Outcome.ACCESS_DENIED, "have expired"),
        UNKNOWN_KEY(Outcome.ACCESS_DENIED, "does not know"),
        PLAIN_401(Outcome.ACCESS_DENIED, "HTTP 401"),
        PLAIN_403(Outcome.ACCESS_DENIED, "HTTP 403"),
        DELETION_SCHEDULED(Outcome.NOT_FOUND, "scheduled for deletion"),
        NOT_FOUND(Outcome.NOT_FOUND, "ResourceNotFoundException"),
        PLAIN_404(Outcome.UNREACHABLE, "no answer of Secrets Manager"),
        THROTTLED(Outcome.THROTTLED, "ThrottlingException"),
        TOO_MANY_429(Outcome.THROTTLED, "HTTP 429"),
        ERROR_500(Outcome.UNREACHABLE, "InternalServiceError"),
        ERROR_503(Outcome.UNREACHABLE, "HTTP 503"),
        HANG(Outcome.UNREACHABLE, "not answered in time"),
        RESET(Outcome.UNREACHABLE, "not answered properly"),
        NO_ANSWER(Outcome.UNREACHABLE, "not answered properly"),
        BROKEN_OFF(Outcome.UNREACHABLE, "not answered properly"),
        TRUNCATED(Outcome.UNREACHABLE, "not answered properly"),
        MANGLED(Outcome.UNREACHABLE, "not answered properly"),
        GARBAGE(Outcome.UNREACHABLE, "not answered properly"),
        GARBAGE_ERROR(Outcome.UNREACHABLE, "HTTP 400"),
        EMPTY_JSON(Outcome.UNREACHABLE, "no answer of Secrets Manager"),
        SKEW_AHEAD(Outcome.ACCESS_DENIED, "minutes behind"),
        SKEW_BEHIND(Outcome.ACCESS_DENIED, "minutes ahead"),
        HUGE(Outcome.MALFORMED, "more than 1048576 bytes"),
        KEY_REFUSED(Outcome.ACCESS_DENIED, "kms:Decrypt");

        final Outcome outcome;
        final String detail;

        Trouble(Outcome outcome, String detail) {
            this.outcome = outcome;
            this.detail = detail;
        }

        /** What is answered in place of the service's own answer; null where the service itself says it. */
        private ResponseDefinitionBuilder answer(SecretsManagerStub stub) {
            return switch (this) {
                case BAD_SIGNATURE_401 -> stub.error(401, "InvalidSignatureException");
                case BAD_SIGNATURE_403 -> stub.error(403, "SignatureDoesNotMatch");
                case EXPIRED_TOKEN -> stub.error(400, "ExpiredTokenException");
                case UNKNOWN_KEY -> stub.error(400, "UnrecognizedClientException");
                case PLAIN_401 -> responseDefinition().withStatus(401);
                case PLAIN_403 -> responseDefinition().withStatus(403);
                case PLAIN_404 -> responseDefinition().withStatus(404);
                case THROTTLED -> stub.error(400, "ThrottlingException");
                case TOO_MANY_429 -> responseDefinition().withStatus(429).withHeader("Retry-After", "30");
                case ERROR_500 -> stub.error(500, "InternalServiceError");
                case ERROR_503 -> responseDefinition().withStatus(503);
                case HANG -> responseDefinition().withStatus(200).withFixedDelay(2 * (int) TIMEOUT.toMillis());
                case RESET -> responseDefinition().withFault(Fault.CONNECTION_RESET_BY_PEER);
                case NO_ANSWER -> responseDefinition().withFault(Fault.EMPTY_RESPONSE);
                case BROKEN_OFF -> responseDefinition().withStatus(200).withFault(Fault.MALFORMED_RESPONSE_CHUNK);
                case TRUNCATED ->
                    responseDefinition().withStatus(200).withBody("{\"ARN\":\"arn:aws\",\"SecretString\":\"" + CANARY);
                case MANGLED ->
                    responseDefinition()
                            .withStatus(200)
                            .withBody("{\"ARN\":\"arn:aws\",\"SecretString\":\"" + CANARY + "\" oops}");
                case GARBAGE -> responseDefinition().withStatus(200).withBody("<html>" + QUOTED + "</html>");
                case GARBAGE_ERROR -> responseDefinition().withStatus(400).withBody("<html>" + QUOTED + "</html>");
                case EMPTY_JSON -> responseDefinition().withStatus(200).withBody("{}");
                default -> null;
            };
        }

        /** Whether it shows only where a value is read. */
        boolean ofValue() {
            return this == HUGE || this == KEY_REFUSED;
        }

        void begin(SecretsManagerStub stub) {
            SecretsManagerStub.Secret secret = stub.secret("db");
            switch (this) {
                case DELETION_SCHEDULED -> secret.scheduleDeletion();
                case NOT_FOUND -> secret.vanish();
                case SKEW_AHEAD -> stub.clockAhead(Duration.ofMinutes(12));
                case SKEW_BEHIND -> stub.clockAhead(Duration.ofMinutes(-12));
                case HUGE -> secret.put(CANARY.repeat(60_000));
                case KEY_REFUSED -> {
                    secret.put(CANARY + "-next");
                    stub.refuseKey(true);
                }
                default -> stub.trouble(action -> answer(stub));
            }
        }

        void end(SecretsManagerStub stub) {
            stub.noTrouble();
            stub.refuseKey(false);
            if (this == NOT_FOUND) {
                stub.secret("db").put(CANARY + "-again");
            } else {
                stub.secret("db").restore();
            }
            if (this == HUGE) {
                stub.secret("db").put(CANARY + "-smaller");
            }
        }
    }

    static Stream<Arguments> cells() {
        return Stream.of(Rights.values())
                .flatMap(rights -> Stream.of(Trouble.values()).map(trouble -> Arguments.of(rights, trouble)));
    }

    private final SecretsManagerStub stub = new SecretsManagerStub();
    private AwsSecretsManagerStore store;
    private SecretSource source;

    private final ListAppender<ILoggingEvent> logged = new ListAppender<>();
    private final Logger root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    private final Level level = root.getLevel();
    private final List<String> shown = new ArrayList<>();

    @BeforeEach
    void listen() {
        stub.quote(QUOTED);
        root.setLevel(Level.TRACE);
        logged.start();
        root.addAppender(logged);
    }

    private void open(Trouble trouble) {
        store = AwsSecretsManagerStore.over(
                trouble == Trouble.HANG ? Clients.impatient(stub, TIMEOUT) : Clients.of(stub));
        source = SecretSource.builder(store)
                .refreshInterval(Duration.ofHours(1))
                .clock(Clients.clock(stub))
                .build();
    }

    @AfterEach
    void close() {
        root.detachAppender(logged);
        root.setLevel(level);
        source.close();
        stub.close();
    }

    @ParameterizedTest(name = "{0} {1}")
    @MethodSource("cells")
    void servesOnAndAsksOnce(Rights rights, Trouble trouble) {
        open(trouble);
        stub.secret("db").put(CANARY);
        stub.pass(Duration.ofDays(30));
        if (rights != Rights.NONE) {
            stub.deny(rights.denied());
        }
        RotatingSecret secret = source.secret("db");
        source.start(Duration.ofSeconds(10));
        if (rights == Rights.NONE) { // somebody takes them away from a process that runs
            stub.deny(rights.denied());
            stub.asked();
            secret.refresh(RefreshCause.OPERATOR).join();
            assertThat(stub.asked()).containsExactly("DescribeSecret", "GetSecretValue AWSCURRENT");
        }
        stub.asked();
        trouble.begin(stub);

        secret.refresh(RefreshCause.OPERATOR).join();

        SecretStatus status = secret.status();
        boolean deniedFirst = rights == Rights.NONE && maskedByDenial(trouble);
        assertThat(status.outcome()).contains(deniedFirst ? Outcome.ACCESS_DENIED : trouble.outcome);
        assertThat(status.detail()).contains(deniedFirst ? "AccessDeniedException" : trouble.detail);
        assertThat(status.state())
                .isEqualTo(trouble == Trouble.HEALTHY && !deniedFirst ? SecretState.HEALTHY : SecretState.DEGRADED);
        assertThat(secret.current().revealText()).isEqualTo(CANARY);
        List<String> asked = stub.asked();
        if (trouble.ofValue() && rights.steady().equals("DescribeSecret")) {
            assertThat(asked)
                    .as("the labels, and the new value")
                    .containsExactly("DescribeSecret", "GetSecretValue AWSCURRENT");
            secret.refresh(RefreshCause.OPERATOR).join();
            assertThat(stub.asked()).as("the next check").containsExactly("GetSecretValue AWSCURRENT");
        } else {
            assertThat(asked).containsExactly(rights.steady());
        }
        show(secret);

        trouble.end(stub);
        stub.allow(GetSecretValue);
        RefreshResult after = secret.refresh(RefreshCause.OPERATOR).join();
        if (trouble == Trouble.TOO_MANY_429) {
            assertThat(after).as("before Retry-After has passed").isEqualTo(RefreshResult.LIMITED);
            assertThat(stub.asked()).isEmpty();
        } else {
            assertThat(secret.status().outcome()).contains(Outcome.OK);
            assertThat(secret.status().state()).isEqualTo(SecretState.HEALTHY);
            assertThat(secret.current().revealText()).isEqualTo(expectedAfter(trouble));
        }
        show(secret);
        assertNothingShown();
    }

    /** Whether the service says "denied" before it gets to what is wrong. */
    private static boolean maskedByDenial(Trouble trouble) {
        return switch (trouble) {
            case HEALTHY, DELETION_SCHEDULED, NOT_FOUND, HUGE, KEY_REFUSED -> true;
            default -> false;
        };
    }

    private static String expectedAfter(Trouble trouble) {
        return switch (trouble) {
            case NOT_FOUND -> CANARY + "-again";
            case HUGE -> CANARY + "-smaller";
            case KEY_REFUSED -> CANARY + "-next";
            default -> CANARY;
        };
    }

    @ParameterizedTest(name = "{0} {1}")
    @MethodSource("cells")
    void firstReadOfTwoSecretsStopsWhereNothingCanBeRead(Rights rights, Trouble trouble) {
        open(trouble);
        stub.secret("db").put(CANARY);
        stub.secret("api").put(CANARY + "-api");
        stub.pass(Duration.ofDays(30));
        stub.deny(rights.denied());
        trouble.begin(stub);

        List<StoreResult> results = store.read(List.of(query("db"), query("api")));

        boolean deniedFirst = rights == Rights.NONE && maskedByDenial(trouble);
        Outcome expected = deniedFirst ? Outcome.ACCESS_DENIED : trouble.outcome;
        assertThat(outcome(results.get(0))).isEqualTo(expected);
        boolean ofDbAlone =
                trouble == Trouble.DELETION_SCHEDULED || trouble == Trouble.NOT_FOUND || trouble == Trouble.HUGE;
        assertThat(outcome(results.get(1))).isEqualTo(ofDbAlone && !deniedFirst ? Outcome.OK : expected);
        assertThat(stub.asked()).isEqualTo(firstRead(rights, trouble));
        shown.add(results.toString());
        assertNothingShown();
    }

    /** What the first read asks, in its order. */
    private static List<String> firstRead(Rights rights, Trouble trouble) {
        List<String> asked = new ArrayList<>(List.of("BatchGetSecretValue"));
        if (!maskedByDenial(trouble)) { // each secret would run into it, one timeout after the other
            if (trouble.outcome == Outcome.THROTTLED) {
                asked.add("DescribeSecret"); // which has a quota of its own
            }
            return asked;
        }
        boolean read = rights == Rights.ALL || rights == Rights.GET_ONLY; // by the batch
        if (rights == Rights.NONE) {
            return List.of(
                    "BatchGetSecretValue",
                    "DescribeSecret",
                    "GetSecretValue AWSCURRENT",
                    "DescribeSecret",
                    "GetSecretValue AWSCURRENT");
        }
        asked.add("DescribeSecret");
        boolean gone = trouble == Trouble.DELETION_SCHEDULED || trouble == Trouble.NOT_FOUND;
        boolean unread = trouble.ofValue();
        if (rights == Rights.GET_ONLY) {
            asked.add(gone || unread ? "GetSecretValue AWSCURRENT" : "GetSecretValue AWSPREVIOUS");
            asked.add("DescribeSecret");
            asked.add(trouble == Trouble.KEY_REFUSED ? "GetSecretValue AWSCURRENT" : "GetSecretValue AWSPREVIOUS");
            return asked;
        }
        if (!gone && (!read || unread)) {
            asked.add("GetSecretValue AWSCURRENT");
        }
        asked.add("DescribeSecret");
        if (!read || trouble == Trouble.KEY_REFUSED) {
            asked.add("GetSecretValue AWSCURRENT");
        }
        return asked;
    }

    private StoreQuery query(String name) {
        return StoreQuery.of(name, Duration.ofHours(24), stub.now());
    }

    private static Outcome outcome(StoreResult result) {
        return result instanceof StoreResult.Failed failed ? failed.outcome() : Outcome.OK;
    }

    @Test
    void startFailsWithOneExceptionThatSaysWhatIsWrong() {
        open(Trouble.HEALTHY);
        stub.secret("db").put(CANARY);
        stub.deny(SecretsManagerStub.Action.values());
        var unused = source.secret("db");

        assertThatExceptionOfType(SecretStartupException.class)
                .isThrownBy(() -> source.start(Duration.ofSeconds(10)))
                .withMessageContaining("'db': GetSecretValue was answered with HTTP 400 AccessDeniedException")
                .withMessageContaining("AWS Secrets Manager eu-central-1")
                .withMessageContaining("grant this service's identity permission");
    }

    private void show(RotatingSecret secret) {
        shown.add(secret.status().toString());
        shown.add(source + " " + secret + " " + store + " " + secret.versions());
    }

    /** The SDK's own loggers show what errors quote, at DEBUG, and no value at any level. Ours show neither. */
    private void assertNothingShown() {
        assertThat(shown).allSatisfy(text -> assertThat(text).doesNotContain(CANARY, QUOTED));
        List<ILoggingEvent> events = List.copyOf(logged.list);
        assertThat(events).as("what was logged at all").isNotEmpty();
        for (ILoggingEvent event : events) {
            if (event.getLoggerName().startsWith("io.dualkey")) {
                assertThat(text(event)).doesNotContain(CANARY, QUOTED);
            } else if (event.getLoggerName().startsWith("software.amazon.awssdk")) {
                assertThat(text(event)).doesNotContain(CANARY);
            }
        }
    }

    private static String text(ILoggingEvent event) {
        StringBuilder text = new StringBuilder(event.getFormattedMessage());
        for (IThrowableProxy thrown = event.getThrowableProxy(); thrown != null; thrown = thrown.getCause()) {
            text.append(' ').append(thrown.getMessage());
        }
        return text.toString();
    }
}
