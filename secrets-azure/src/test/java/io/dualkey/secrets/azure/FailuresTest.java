package io.dualkey.secrets.azure;

import static org.assertj.core.api.Assertions.assertThat;

import com.azure.core.credential.TokenCredential;
import com.azure.core.exception.ClientAuthenticationException;
import com.azure.core.http.policy.HttpPipelinePolicy;
import com.azure.identity.CredentialUnavailableException;
import com.azure.security.keyvault.secrets.SecretClientBuilder;
import io.dualkey.secrets.Outcome;
import io.dualkey.secrets.StoreQuery;
import io.dualkey.secrets.StoreResult.Failed;
import io.dualkey.secrets.StoreResult.Found;
import java.net.ConnectException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;

/** What failures beside those of the vault itself are taken for. */
class FailuresTest {

    private static final Instant NOW = Instant.parse("2026-11-20T10:00:00Z");
    private static final String CANARY = "canary";

    private static KeyVaultStub vault;

    @BeforeAll
    static void startVault() {
        vault = new KeyVaultStub();
        vault.put("key", CANARY, NOW);
    }

    @AfterAll
    static void stopVault() {
        vault.close();
    }

    @BeforeEach
    void begin() {
        vault.healthy();
        vault.requests();
    }

    private static Failed failure(AzureKeyVaultStore store) throws InterruptedException {
        var result = store.read(List.of(StoreQuery.of("key", Rig.GRACE, NOW))).get(0);
        assertThat(result).isInstanceOf(Failed.class);
        assertThat(((Failed) result).detail()).doesNotContain(CANARY);
        return (Failed) result;
    }

    private static SecretClientBuilder client(String url, TokenCredential credential) {
        return AzureKeyVaultStore.client(
                        url,
                        credential,
                        AzureKeyVaultStore.http(KeyVaultStub.trustingHttp(), Rig.PATIENCE),
                        Rig.PATIENCE)
                .disableChallengeResourceVerification();
    }

    private static Failed failureOf(RuntimeException ofTheCredential) throws InterruptedException {
        TokenCredential failing = context -> Mono.error(ofTheCredential);
        return failure(AzureKeyVaultStore.over(client(vault.url(), failing).buildClient()));
    }

    private static Duration retryAfter(int status, String header, String value) throws InterruptedException {
        vault.trouble =
                answer -> KeyVaultStub.error(status, "Throttled", CANARY, null).withHeader(header, value);
        return failure(Rig.store(vault, Rig.PATIENCE)).retryAfter();
    }

    @Test
    void noCredentialIsDeniedAccessWithWhatToDo() throws InterruptedException {
        Failed failed = failureOf(new CredentialUnavailableException(CANARY));
        assertThat(failed.outcome()).isEqualTo(Outcome.ACCESS_DENIED);
        assertThat(failed.detail()).contains("CredentialUnavailableException", "managed or workload identity");
        assertThat(failureOf(new ClientAuthenticationException(CANARY, null)).outcome())
                .isEqualTo(Outcome.ACCESS_DENIED);
    }

    /** A node's metadata service may be up later than the pod: the start waits for it as for the vault. */
    @Test
    void tokenEndpointThatDoesNotAnswerIsUnreachable() throws InterruptedException {
        Failed failed = failureOf(new CredentialUnavailableException(CANARY, new ConnectException(CANARY)));
        assertThat(failed.outcome()).isEqualTo(Outcome.UNREACHABLE);
        assertThat(failed.detail()).contains("gives out tokens");
    }

    @Test
    void retryAfterIsReadInAllItsForms() throws InterruptedException {
        assertThat(retryAfter(429, "Retry-After", "7")).isEqualTo(Duration.ofSeconds(7));
        assertThat(retryAfter(503, "Retry-After", "7")).isEqualTo(Duration.ofSeconds(7));
        assertThat(retryAfter(429, "retry-after-ms", "1500")).isEqualTo(Duration.ofMillis(1500));
        assertThat(retryAfter(429, "Retry-After", "soon")).isNull();
        assertThat(retryAfter(429, "Retry-After", "-1")).isNull();
    }

    @Test
    void retryAfterAsADateCountsByTheVaultsClock() throws InterruptedException {
        DateTimeFormatter format = DateTimeFormatter.RFC_1123_DATE_TIME.withZone(ZoneOffset.UTC);
        vault.trouble = answer -> KeyVaultStub.error(429, "Throttled", CANARY, null)
                .withHeader("Date", format.format(NOW))
                .withHeader("Retry-After", format.format(NOW.plusSeconds(20)));
        assertThat(failure(Rig.store(vault, Rig.PATIENCE)).retryAfter()).isEqualTo(Duration.ofSeconds(20));
    }

    @Test
    void hostThatDoesNotListenIsUnreachable() throws InterruptedException {
        TokenCredential credential = KeyVaultStub.credential();
        KeyVaultStub gone = new KeyVaultStub();
        String url = gone.url();
        gone.close();
        Failed refused = failure(AzureKeyVaultStore.over(client(url, credential).buildClient()));
        assertThat(refused.outcome()).isEqualTo(Outcome.UNREACHABLE);
        assertThat(refused.detail()).contains("java.net.ConnectException");
    }

    @Test
    void certificateThatIsNotTrustedIsUnreachableAndSaysSo() throws InterruptedException {
        var http = AzureKeyVaultStore.http(java.net.http.HttpClient.newBuilder(), Rig.PATIENCE);
        Failed failed = failure(AzureKeyVaultStore.over(
                AzureKeyVaultStore.client(vault.url(), KeyVaultStub.credential(), http, Rig.PATIENCE)
                        .buildClient()));
        assertThat(failed.outcome()).isEqualTo(Outcome.UNREACHABLE);
        assertThat(failed.detail()).contains("TLS");
    }

    @Test
    void challengeOfAnotherDomainIsNotAnswered() throws InterruptedException {
        try (KeyVaultStub stranger = new KeyVaultStub()) {
            var http = AzureKeyVaultStore.http(KeyVaultStub.trustingHttp(), Rig.PATIENCE);
            Failed failed = failure(AzureKeyVaultStore.over(
                    AzureKeyVaultStore.client(stranger.url(), KeyVaultStub.credential(), http, Rig.PATIENCE)
                            .buildClient()));
            assertThat(failed.outcome()).isEqualTo(Outcome.UNREACHABLE);
            assertThat(stranger.requests()).containsExactly("401 GET key"); // and no token was sent
        }
    }

    @Test
    void errorsOfTheSdkAreFailuresOfTheCheck() throws InterruptedException {
        HttpPipelinePolicy broken = (context, next) -> {
            throw new NoClassDefFoundError(CANARY);
        };
        Failed failed = failure(AzureKeyVaultStore.over(
                client(vault.url(), KeyVaultStub.credential()).addPolicy(broken).buildClient()));
        assertThat(failed.outcome()).isEqualTo(Outcome.UNREACHABLE);
        assertThat(failed.detail()).contains("NoClassDefFoundError");
    }

    /** A client of one's own without the guard: its logs are its owner's, but what the store says is not. */
    @Test
    void clientOfOnesOwnFailsWithTheSameOutcomes() throws InterruptedException {
        AzureKeyVaultStore own = AzureKeyVaultStore.over(new SecretClientBuilder()
                .vaultUrl(vault.url())
                .credential(KeyVaultStub.credential())
                .httpClient(AzureKeyVaultStore.http(KeyVaultStub.trustingHttp(), Rig.PATIENCE))
                .retryOptions(AzureKeyVaultStore.noRetries())
                .disableChallengeResourceVerification()
                .buildClient());
        vault.mayGet = false;
        try (Logged quiet = new Logged()) {
            Failed denied = failure(own);
            assertThat(denied.outcome()).isEqualTo(Outcome.ACCESS_DENIED);
            assertThat(denied.detail()).contains("ForbiddenByRbac");
            vault.mayGet = true;
            for (String body :
                    List.of("", CANARY, "{}", "{\"value\":\"" + CANARY, "[]", "{\"value\":\"" + CANARY + "\"}")) {
                vault.trouble = answer -> KeyVaultStub.json(200, body);
                assertThat(failure(own).outcome()).as(body).isEqualTo(Outcome.UNREACHABLE);
            }
            assertThat(quiet.lines()).isNotEmpty();
        }
        vault.healthy();
        assertThat(own.read(List.of(StoreQuery.of("key", Rig.GRACE, NOW))).get(0))
                .isInstanceOf(Found.class);
    }

    /** The SDK logs the answers that it cannot parse; so it must never see one. */
    @Test
    void noPartOfAnAnswerIsLoggedWhereverItIsCutAndWhateverIsWrongInIt() throws InterruptedException {
        AzureKeyVaultStore store = Rig.store(vault, Rig.PATIENCE);
        String whole = "{\"value\":\"" + CANARY + "\",\"contentType\":\"text\",\"id\":\"" + vault.url()
                + "/secrets/key/11\",\"managed\":true,\"attributes\":{\"enabled\":true,\"nbf\":1,\"exp\":4102444800,"
                + "\"created\":1700000000,\"updated\":1700000000,\"recoveryLevel\":\"Purgeable\",\"recoverableDays\":90},"
                + "\"tags\":{\"a\":\"b\"},\"kid\":\"k\",\"previousVersion\":\"00\"}";
        List<String> bodies = new ArrayList<>();
        for (int length = 0; length < whole.length(); length++) {
            bodies.add(whole.substring(0, length));
        }
        Matcher member = Pattern.compile("(?<=\"[a-zA-Z]{1,20}\":)(\"[^\"]*\"|[0-9]+|true)")
                .matcher(whole);
        while (member.find()) {
            for (String odd : List.of("{}", "[]", "[1]", "\"x\"", "-1", "1e99", "null", "99999999999999999999")) {
                bodies.add(whole.substring(0, member.start()) + odd + whole.substring(member.end()));
            }
        }
        try (Logged logged = new Logged()) {
            for (String body : bodies) {
                vault.trouble = answer -> KeyVaultStub.json(200, body);
                var result = store.read(
                                List.of(StoreQuery.of("key", Rig.GRACE, NOW).pinnedTo("11")))
                        .get(0);
                assertThat(result.toString()).doesNotContain(CANARY);
            }
            assertThat(bodies).hasSizeGreaterThan(400);
            assertThat(logged.lines()).isNotEmpty().noneMatch(line -> line.contains(CANARY));
        }
    }

    /** The asynchronous pipeline is guarded as well, for those who use one client for both. */
    @Test
    void guardServesAsynchronousClientsToo() {
        var async = client(vault.url(), KeyVaultStub.credential()).buildAsyncClient();
        assertThat(async.getSecret("key").map(secret -> secret.getValue()).block())
                .isEqualTo(CANARY);
        vault.trouble = answer -> KeyVaultStub.json(200, "{\"value\":\"" + CANARY);
        try (Logged logged = new Logged()) {
            assertThat(async.getSecret("key")
                            .map(secret -> "")
                            .onErrorReturn("failed")
                            .block())
                    .isEqualTo("failed");
            assertThat(logged.lines()).noneMatch(line -> line.contains(CANARY));
        }
    }
}
