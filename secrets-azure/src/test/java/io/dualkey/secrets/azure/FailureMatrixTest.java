package io.dualkey.secrets.azure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.tomakehurst.wiremock.client.ResponseDefinitionBuilder;
import com.github.tomakehurst.wiremock.http.Fault;
import io.dualkey.secrets.Outcome;
import io.dualkey.secrets.RefreshCause;
import io.dualkey.secrets.RotatingSecret;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.SecretStartupException;
import io.dualkey.secrets.SecretState;
import io.dualkey.secrets.SecretStatus;
import io.dualkey.secrets.SecretStore;
import io.dualkey.secrets.SecretUnavailableException;
import io.dualkey.secrets.StoreQuery;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * All that can go wrong between a started source and its vault, under all rights: how it is classified, how many calls it
 * costs, that the old value is served on, and that no value is shown anywhere.
 */
class FailureMatrixTest {

    private static final String CANARY = "canary";
    private static final Duration DAY = Duration.ofDays(1);

    /** What the identity may do. */
    private enum Rights {
        FULL,
        GET_ONLY,
        /** Any more: it had them when the process started. */
        NONE
    }

    /** What goes wrong, and what it is taken for. */
    private enum Trouble {
        NOTHING(Outcome.OK),
        CHALLENGE_401(Outcome.OK),
        TOKEN_REFUSED_401(Outcome.ACCESS_DENIED),
        FORBIDDEN_403(Outcome.ACCESS_DENIED),
        FORBIDDEN_403_WITH_AN_ODD_CODE(Outcome.ACCESS_DENIED),
        DISABLED(Outcome.OK),
        DELETED_404(Outcome.NOT_FOUND),
        THROTTLED_429(Outcome.THROTTLED),
        ERROR_500(Outcome.UNREACHABLE),
        UNAVAILABLE_503(Outcome.UNREACHABLE),
        HANG(Outcome.UNREACHABLE),
        SLOW_BODY(Outcome.UNREACHABLE),
        RESET(Outcome.UNREACHABLE),
        CUT_IN_THE_BODY(Outcome.UNREACHABLE),
        TRUNCATED_BODY(Outcome.UNREACHABLE),
        GARBAGE(Outcome.UNREACHABLE),
        WRONG_TYPES(Outcome.UNREACHABLE),
        EMPTY_BODY(Outcome.UNREACHABLE),
        HUGE_VALUE(Outcome.MALFORMED),
        HUGE_BODY(Outcome.MALFORMED),
        VAULT_AHEAD(Outcome.OK),
        VAULT_BEHIND(Outcome.OK);

        final Outcome outcome;

        Trouble(Outcome outcome) {
            this.outcome = outcome;
        }

        /** What is sent instead of the answer. */
        ResponseDefinitionBuilder insteadOf(ResponseDefinitionBuilder answer) {
            return switch (this) {
                case CHALLENGE_401, TOKEN_REFUSED_401 -> KeyVaultStub.challenge();
                case FORBIDDEN_403 -> KeyVaultStub.error(403, "Forbidden", CANARY, "ForbiddenByPolicy");
                case FORBIDDEN_403_WITH_AN_ODD_CODE -> KeyVaultStub.error(403, CANARY, CANARY, CANARY + "-1 no code");
                case THROTTLED_429 ->
                    KeyVaultStub.error(429, "Throttled", CANARY, null).withHeader("Retry-After", "7");
                case ERROR_500 -> KeyVaultStub.error(500, "InternalServerError", CANARY, null);
                case UNAVAILABLE_503 -> KeyVaultStub.json(503, "<html>" + CANARY + "</html>");
                case HANG -> answer.withFixedDelay(3_000);
                case SLOW_BODY -> answer.withChunkedDribbleDelay(30, 3_000);
                case RESET -> KeyVaultStub.fault(Fault.CONNECTION_RESET_BY_PEER);
                case CUT_IN_THE_BODY -> KeyVaultStub.fault(Fault.MALFORMED_RESPONSE_CHUNK);
                case TRUNCATED_BODY -> half(answer);
                case GARBAGE -> KeyVaultStub.json(200, CANARY + " {]");
                case WRONG_TYPES -> KeyVaultStub.json(200, secretOf(30).replace("1700000000", "\"" + CANARY + "\""));
                case EMPTY_BODY -> KeyVaultStub.json(200, "");
                case HUGE_VALUE -> KeyVaultStub.json(200, secretOf(40_000));
                case HUGE_BODY -> KeyVaultStub.json(200, secretOf(2_000_000));
                case NOTHING, DISABLED, DELETED_404, VAULT_AHEAD, VAULT_BEHIND -> answer;
            };
        }

        private static ResponseDefinitionBuilder half(ResponseDefinitionBuilder answer) {
            var whole = answer.build();
            String body = whole.getBody();
            return KeyVaultStub.json(whole.getStatus(), body.substring(0, body.length() / 2));
        }

        private static String secretOf(int length) {
            return "{\"value\":\"" + CANARY.repeat(length / CANARY.length())
                    + "\",\"id\":\"https://x/secrets/a/b\",\"attributes\":{\"enabled\":true,\"created\":1700000000}}";
        }

        /** Whether the vault itself answers, as it does by the rights. */
        boolean answeredByRights() {
            return switch (this) {
                case NOTHING, CHALLENGE_401, DISABLED, DELETED_404, TRUNCATED_BODY, VAULT_AHEAD, VAULT_BEHIND -> true;
                default -> false;
            };
        }
    }

    static Stream<Arguments> cells() {
        return Stream.of(Rights.values())
                .flatMap(rights -> Stream.of(Trouble.values()).map(trouble -> Arguments.of(rights, trouble)));
    }

    private static KeyVaultStub vault;
    private static int count;

    private String name;
    private Instant now;

    @BeforeAll
    static void startVault() {
        vault = new KeyVaultStub();
    }

    @AfterAll
    static void stopVault() {
        vault.close();
    }

    @BeforeEach
    void begin() {
        vault.healthy();
        vault.mayGet = true;
        vault.mayList = true;
        name = "secret-" + ++count;
        now = Instant.now();
    }

    private static SecretSource sourceOver(SecretStore store) {
        return SecretSource.builder(store)
                .refreshInterval(Duration.ofHours(1)) // so that only the test checks
                .build();
    }

    @ParameterizedTest
    @MethodSource("cells")
    void isClassifiedAndServedOnWithFewCallsAndNothingShown(Rights rights, Trouble trouble) {
        String old = CANARY + "-old";
        vault.put(name, CANARY + "-older", now.minus(DAY.multipliedBy(9)));
        String current = vault.put(name, old, now.minus(DAY.multipliedBy(3)));
        vault.mayList = rights != Rights.GET_ONLY;
        boolean slow = trouble == Trouble.HANG || trouble == Trouble.SLOW_BODY;
        SecretStore store = Rig.store(vault, slow ? Duration.ofSeconds(1) : Rig.PATIENCE);
        try (Logged logged = new Logged();
                SecretSource source = sourceOver(store)) {
            RotatingSecret secret = source.secret(name);
            source.start(Rig.PATIENCE);
            assertThat(secret.current().revealText()).isEqualTo(old);
            vault.mayGet = rights != Rights.NONE;
            vault.mayList = rights == Rights.FULL;
            make(trouble, current);
            vault.requests();

            secret.refresh(RefreshCause.OPERATOR).join();

            SecretStatus status = secret.status();
            assertThat(status.outcome()).contains(outcome(rights, trouble));
            int calls = calls(rights, trouble);
            assertThat(vault.requests()).hasSizeBetween(trouble == Trouble.RESET ? 1 : calls, calls);
            assertThat(served(secret)).isEqualTo(expected(rights, trouble));
            boolean well = outcome(rights, trouble) == Outcome.OK;
            assertThat(status.detail().isEmpty()).isEqualTo(well);

            vault.healthy();
            if (outcome(rights, trouble) == Outcome.THROTTLED) {
                secret.refresh(RefreshCause.OPERATOR).join();
                assertThat(vault.requests())
                        .as("calls before the vault's Retry-After")
                        .isEmpty();
            }
            assertThat(logged.lines()).isNotEmpty();
            assertThat(shown(source, logged)).noneMatch(text -> text.contains(CANARY));
        }
    }

    private void make(Trouble trouble, String current) {
        switch (trouble) {
            case DISABLED -> vault.disable(name, current);
            case DELETED_404 -> vault.delete(name);
            case VAULT_AHEAD -> vault.put(name, CANARY + "-new", now.plus(Duration.ofMinutes(10)));
            case VAULT_BEHIND -> vault.put(name, CANARY + "-new", now.minus(Duration.ofMinutes(10)));
            case CHALLENGE_401 -> {
                AtomicBoolean first = new AtomicBoolean(true);
                vault.trouble = answer -> first.getAndSet(false) ? KeyVaultStub.challenge() : answer;
            }
            default -> vault.trouble = trouble::insteadOf;
        }
    }

    private static Outcome outcome(Rights rights, Trouble trouble) {
        if (rights == Rights.NONE && trouble.answeredByRights()) {
            return Outcome.ACCESS_DENIED;
        }
        return rights == Rights.GET_ONLY && trouble == Trouble.DISABLED ? Outcome.DISABLED : trouble.outcome;
    }

    private static int calls(Rights rights, Trouble trouble) {
        return switch (trouble) {
            case CHALLENGE_401, TOKEN_REFUSED_401 -> 2; // without a token that is good any more, and with a new one
            case RESET -> 2; // the JDK repeats a request to which a connection that was kept alive brought no byte
            case DISABLED ->
                rights == Rights.FULL ? 3 : rights == Rights.GET_ONLY ? 2 : 1; // which one is, and its stead
            case VAULT_AHEAD, VAULT_BEHIND ->
                rights == Rights.NONE ? 1 : 2; // a change: the version before is looked at
            default -> 1;
        };
    }

    private static List<String> expected(Rights rights, Trouble trouble) {
        String old = CANARY + "-old";
        if (rights == Rights.NONE) {
            return List.of(old);
        }
        return switch (trouble) {
            case DISABLED -> rights == Rights.FULL ? List.of(CANARY + "-older") : List.of();
            case VAULT_AHEAD, VAULT_BEHIND -> List.of(CANARY + "-new", old);
            default -> List.of(old);
        };
    }

    private static List<String> served(RotatingSecret secret) {
        return secret.versions().accepted().stream()
                .map(version -> version.value().revealText())
                .toList();
    }

    private List<String> shown(SecretSource source, Logged logged) {
        List<String> shown = new ArrayList<>(logged.lines());
        shown.add(source.statuses().toString());
        shown.add(source.toString());
        shown.add(source.secret(name).versions().toString());
        return shown;
    }

    @Test
    void startWithoutRightsSaysWhatToGrant() {
        vault.put(name, CANARY, now);
        vault.mayGet = false;
        vault.mayList = false;
        try (SecretSource source = sourceOver(Rig.store(vault, Rig.PATIENCE))) {
            RotatingSecret secret = source.secret(name);
            assertThatThrownBy(() -> source.start(Rig.PATIENCE))
                    .isInstanceOf(SecretStartupException.class)
                    .hasMessageContainingAll(
                            name, "403 ForbiddenByRbac", "Key Vault Secrets User", "Azure Key Vault 127");
            assertThatThrownBy(secret::current).isInstanceOf(SecretUnavailableException.class);
        }
    }

    @Test
    void firstCallOfAProcessMeetsTheChallengeOnce() {
        try (KeyVaultStub other = new KeyVaultStub()) {
            other.put(name, CANARY, now);
            try (SecretSource source = sourceOver(Rig.store(other, Rig.PATIENCE))) {
                source.secret(name);
                source.start(Rig.PATIENCE);
                assertThat(other.requests()).containsExactly("401 GET " + name, "GET " + name, "LIST " + name);
            }
        }
    }

    @Test
    void denialOfListingIsLoggedOnceWithWhatItMeans() {
        vault.mayList = false;
        vault.put(name, CANARY, now);
        vault.put(name + "-b", CANARY, now);
        SecretStore store = Rig.store(vault, Rig.PATIENCE);
        try (Logged logged = new Logged();
                SecretSource source = sourceOver(store)) {
            RotatingSecret secret = source.secret(name);
            source.secret(name + "-b");
            source.start(Rig.PATIENCE);
            secret.refresh(RefreshCause.OPERATOR).join();
            assertThat(logged.lines())
                    .filteredOn(line -> line.startsWith("WARN " + AzureKeyVaultStore.class.getName()))
                    .singleElement()
                    .asString()
                    .contains("listing versions is not permitted", "after a restart", "Key Vault Secrets User");
        }
    }

    @Test
    void olderVersionServingForADisabledLatestIsAWarning() {
        String older = vault.put(name, "older", now.minus(DAY.multipliedBy(9)));
        String latest = vault.put(name, "latest", now.minus(DAY.multipliedBy(3)));
        try (SecretSource source = sourceOver(Rig.store(vault, Rig.PATIENCE))) {
            RotatingSecret secret = source.secret(name);
            source.start(Rig.PATIENCE);
            vault.disable(name, latest);
            secret.refresh(RefreshCause.OPERATOR).join();

            SecretStatus status = secret.status();
            assertThat(status.state()).isEqualTo(SecretState.HEALTHY);
            assertThat(status.warnings()).singleElement().asString().contains(latest, "is disabled", older);
        }
    }

    @Test
    void failedPageOfAListFailsTheCheckAndNothingIsTakenOfIt() {
        vault.putMany(name, 60, now.minus(DAY.multipliedBy(3)));
        try (SecretSource source = sourceOver(Rig.store(vault, Rig.PATIENCE))) {
            RotatingSecret secret = source.secret(name);
            source.start(Rig.PATIENCE);
            vault.put(name, "new", now);
            vault.troubled = request -> request.startsWith("LIST");
            vault.trouble = answer -> KeyVaultStub.error(500, "InternalServerError", CANARY, null);
            secret.refresh(RefreshCause.OPERATOR).join();
            assertThat(secret.status().outcome()).contains(Outcome.UNREACHABLE);
            assertThat(served(secret)).containsExactly("old-59");

            vault.healthy();
            secret.refresh(RefreshCause.OPERATOR).join();
            assertThat(served(secret)).containsExactly("new", "old-59");
        }
    }

    @Test
    void interruptedReadEndsEarly() throws InterruptedException {
        vault.put(name, CANARY, now);
        vault.trouble = answer -> answer.withFixedDelay(5_000);
        SecretStore store = Rig.store(vault, Rig.PATIENCE);
        List<Throwable> thrown = new ArrayList<>();
        Thread reader = new Thread(() -> {
            try {
                var unused = store.read(List.of(StoreQuery.of(name, DAY, now)));
            } catch (Exception failure) {
                thrown.add(failure);
            }
        });
        vault.requests();
        reader.start();
        Awaitility.await().until(() -> !vault.requests().isEmpty());
        reader.interrupt();
        reader.join(4_000);
        assertThat(reader.isAlive()).isFalse();
        assertThat(thrown).singleElement().isInstanceOf(InterruptedException.class);
    }
}
