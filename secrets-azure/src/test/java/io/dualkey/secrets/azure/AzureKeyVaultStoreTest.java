package io.dualkey.secrets.azure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.dualkey.secrets.Outcome;
import io.dualkey.secrets.Role;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.StoreQuery;
import io.dualkey.secrets.StoreResult;
import io.dualkey.secrets.StoreResult.Failed;
import io.dualkey.secrets.StoreResult.Found;
import io.dualkey.secrets.StoreResult.Unchanged;
import io.dualkey.secrets.StoredVersion;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is read, and with how many calls, against a key vault on the wire. */
class AzureKeyVaultStoreTest {

    private static final Duration HOUR = Duration.ofHours(1);
    private static final Duration DAY = Duration.ofDays(1);

    private static KeyVaultStub vault;
    private static int count;

    private Rig rig;
    /** A secret of this test's own. */
    private String name;

    @BeforeAll
    static void startVault() {
        vault = new KeyVaultStub();
    }

    @AfterAll
    static void stopVault() {
        vault.close();
    }

    @BeforeEach
    void begin() throws InterruptedException {
        vault.healthy();
        vault.mayGet = true;
        vault.mayList = true;
        rig = new Rig(vault);
        name = "secret-" + ++count;
        vault.put("warm-up", "any", rig.now);
        rig.restarted().check("warm-up"); // the challenge is met once for each vault and process
        vault.requests();
    }

    private Instant ago(Duration time) {
        return rig.now.minus(time);
    }

    private void unchangedWith(String... requests) throws InterruptedException {
        assertThat(rig.check(name)).isEqualTo(Unchanged.INSTANCE);
        assertThat(vault.requests()).containsExactly(requests);
    }

    private void changedWith(String... requests) throws InterruptedException {
        assertThat(rig.check(name)).isInstanceOf(Found.class);
        assertThat(vault.requests()).containsExactly(requests);
    }

    /** A process that starts now accepts what the running one does. */
    private void restartAcceptsTheSame() throws InterruptedException {
        Rig fresh = rig.restarted();
        assertThat(fresh.check(name)).isInstanceOf(Found.class);
        assertThat(fresh.accepted(name)).isEqualTo(rig.accepted(name));
        vault.requests();
    }

    @Test
    void steadyCheckIsOneCallHoweverManyVersionsThereAre() throws InterruptedException {
        vault.putMany(name, 20_000, ago(DAY.multipliedBy(2)));

        rig.check(name);
        List<String> start = vault.requests();
        assertThat(start).hasSize(1 + Vault.MAX_PAGES).startsWith("GET " + name, "LIST " + name);
        assertThat(rig.accepted(name)).containsExactly("old-19999");
        assertThat(rig.store.calls()).as("P10: what the vault counts").hasValue(start.size());

        for (int i = 0; i < 3; i++) {
            unchangedWith("GET " + name);
        }
    }

    @Test
    void previousVersionCostsOneMoreCallWhileInItsGrace() throws InterruptedException {
        String first = vault.put(name, "first", ago(DAY.multipliedBy(3)));
        changedWith("GET " + name, "LIST " + name);
        unchangedWith("GET " + name);

        vault.put(name, "second", rig.now);
        changedWith("GET " + name, "LIST " + name);
        assertThat(rig.accepted(name)).containsExactly("second", "first");

        unchangedWith("GET " + name, "GET " + name + "/" + first);
        rig.pass(DAY.minusSeconds(1));
        unchangedWith("GET " + name, "GET " + name + "/" + first);
        rig.pass(Duration.ofSeconds(1));
        unchangedWith("GET " + name);
        assertThat(rig.accepted(name)).containsExactly("second");
    }

    @Test
    void startInMidGraceReadsThePreviousVersionAndNoOlderOne() throws InterruptedException {
        vault.put(name, "oldest", ago(DAY.multipliedBy(9)));
        vault.put(name, "older", ago(DAY.multipliedBy(5)));
        String previous = vault.put(name, "previous", ago(DAY.multipliedBy(3)));
        vault.put(name, "current", ago(HOUR));

        changedWith("GET " + name, "LIST " + name, "GET " + name + "/" + previous);
        assertThat(rig.accepted(name)).containsExactly("current", "previous");
    }

    @Test
    void restartInMidGraceAcceptsWhatTheRunningProcessDoes() throws InterruptedException {
        vault.put(name, "first", ago(DAY));
        rig.check(name);
        for (String value : List.of("second", "third", "fourth")) {
            rig.pass(HOUR);
            vault.put(name, value, rig.now);
            rig.check(name);
        }
        rig.pass(DAY.minus(HOUR.multipliedBy(2)).plusMinutes(1));

        rig.check(name);
        assertThat(rig.accepted(name)).containsExactly("fourth", "third", "second");
        restartAcceptsTheSame();
    }

    @Test
    void disabledPreviousVersionIsNoticedAtTheNextCheck() throws InterruptedException {
        String first = vault.put(name, "first", ago(DAY.multipliedBy(3)));
        rig.check(name);
        vault.put(name, "second", ago(HOUR));
        rig.check(name);
        assertThat(rig.accepted(name)).containsExactly("second", "first");
        vault.requests();

        vault.disable(name, first);
        changedWith("GET " + name, "GET " + name + "/" + first, "LIST " + name);
        assertThat(rig.accepted(name)).containsExactly("second");
        restartAcceptsTheSame();

        vault.change(name, first, held -> held.enabled(true)); // a mistake, mended
        changedWith("GET " + name, "GET " + name + "/" + first, "LIST " + name);
        assertThat(rig.accepted(name)).containsExactly("second", "first");
    }

    @Test
    void removedPreviousVersionIsNoticedAtTheNextCheck() throws InterruptedException {
        String first = vault.put(name, "first", ago(DAY.multipliedBy(3)));
        vault.put(name, "second", ago(HOUR));
        rig.check(name);
        assertThat(rig.accepted(name)).containsExactly("second", "first");

        vault.remove(name, first);
        rig.check(name);
        assertThat(rig.accepted(name)).containsExactly("second");
    }

    @Test
    void expiryOfAPreviousVersionIsNoticedAtTheNextCheck() throws InterruptedException {
        String first = vault.put(name, "first", ago(DAY.multipliedBy(3)));
        vault.put(name, "second", ago(HOUR));
        rig.check(name);

        vault.change(name, first, held -> held.exp(rig.now.plus(HOUR)));
        rig.check(name);
        assertThat(rig.accepted(name)).containsExactly("second", "first");
        rig.pass(HOUR);
        assertThat(rig.accepted(name)).containsExactly("second");
        restartAcceptsTheSame();
    }

    @Test
    void newestEnabledVersionIsCurrentWhileTheLatestIsDisabled() throws InterruptedException {
        String first = vault.put(name, "first", ago(DAY.multipliedBy(9)));
        String second = vault.put(name, "second", ago(DAY.multipliedBy(5)));
        rig.check(name);
        assertThat(rig.accepted(name)).containsExactly("second");
        vault.requests();

        vault.disable(name, second);
        changedWith("GET " + name, "LIST " + name, "GET " + name + "/" + first);
        assertThat(rig.accepted(name)).containsExactly("first");
        restartAcceptsTheSame();
        unchangedWith("GET " + name, "LIST " + name);

        vault.change(name, second, held -> held.enabled(true));
        rig.check(name);
        assertThat(rig.accepted(name).get(0)).isEqualTo("second");
    }

    @Test
    void latestOfManyVersionsBeingDisabledCostsTwoCallsACheck() throws InterruptedException {
        vault.putMany(name, 100, ago(DAY.multipliedBy(2)));
        String latest = vault.put(name, "latest", ago(HOUR));
        rig.check(name);
        vault.disable(name, latest);
        rig.check(name);
        assertThat(rig.accepted(name)).containsExactly("old-99");
        String current = rig.versions().get(0).id();
        vault.requests();

        unchangedWith("GET " + name, "GET " + name + "/" + current);
        vault.disable(name, current);
        rig.check(name);
        assertThat(rig.accepted(name)).containsExactly("old-98");
    }

    @Test
    void secretWithoutAnEnabledVersionIsDisabled() throws InterruptedException {
        String only = vault.put(name, "only", ago(HOUR));
        vault.disable(name, only);

        assertThat(rig.check(name))
                .isInstanceOfSatisfying(
                        Failed.class, failed -> assertThat(failed.outcome()).isEqualTo(Outcome.DISABLED));
        assertThat(vault.requests()).containsExactly("GET " + name, "LIST " + name);
    }

    @Test
    void manyDisabledVersionsAreNotListedAtEachCheck() throws InterruptedException {
        for (int i = 0; i < 75; i++) {
            vault.disable(name, vault.put(name, "v" + i, ago(HOUR)));
        }
        int calls = 0;
        for (int i = 0; i < 6; i++) {
            assertThat(rig.check(name)).isInstanceOf(Failed.class);
            calls += vault.requests().size();
        }
        assertThat(calls)
                .as("calls of six checks, in which 3 pages were listed twice")
                .isEqualTo(6 + 2 * 3);
    }

    @Test
    void versionWithItsTimeToComeIsReadAheadAndLeavesTheCurrentOne() throws InterruptedException {
        String first = vault.put(name, "first", ago(DAY.multipliedBy(3)));
        rig.check(name);
        String second = vault.put(name, "second", rig.now);
        vault.change(name, second, held -> held.nbf(rig.now.plus(HOUR)));
        vault.requests();

        changedWith("GET " + name, "LIST " + name);
        assertThat(rig.accepted(name)).containsExactly("first");
        assertThat(rig.statusOf(name).version(Role.UPCOMING).orElseThrow().id()).isEqualTo(second);
        unchangedWith("GET " + name, "GET " + name + "/" + first); // current, but not the latest
        restartAcceptsTheSame();

        rig.pass(HOUR);
        assertThat(rig.accepted(name)).containsExactly("second", "first");
        restartAcceptsTheSame();
    }

    @Test
    void versionBeforeIsCurrentAgainWhenTheLatestExpires() throws InterruptedException {
        vault.put(name, "first", ago(DAY.multipliedBy(3)));
        String second = vault.put(name, "second", ago(HOUR));
        vault.change(name, second, held -> held.exp(rig.now.plus(HOUR)));
        rig.check(name);
        assertThat(rig.accepted(name)).containsExactly("second", "first");

        rig.pass(HOUR);
        assertThat(rig.accepted(name)).containsExactly("first");
        restartAcceptsTheSame();
    }

    /** P2: what takes the place of a version that expires is read before that, by whoever starts whenever. */
    @Test
    void versionThatTakesThePlaceOfOneThatExpiresIsReadBefore() throws InterruptedException {
        vault.put(name, "first", ago(DAY.multipliedBy(10)));
        String second = vault.put(name, "second", ago(DAY.multipliedBy(3)));
        vault.change(name, second, held -> held.exp(rig.now.plus(HOUR)));
        rig.check(name); // long after the grace of the first
        assertThat(rig.accepted(name)).containsExactly("second");
        vault.requests();
        unchangedWith("GET " + name);

        rig.pass(HOUR.multipliedBy(2));
        assertThat(rig.accepted(name)).containsExactly("first");
        rig.check(name);
        restartAcceptsTheSame();
    }

    /** P2: roles can be given for single secrets, and the order of reads must not matter. */
    @Test
    void denialOfListingOneSecretDoesNotHideTheHistoryOfAnother() throws InterruptedException {
        String other = name + "-other";
        vault.unlistable.add(other);
        vault.put(other, "any", ago(HOUR));
        vault.put(name, "first", ago(DAY.multipliedBy(3)));
        vault.put(name, "second", ago(HOUR));
        Rig denied = rig.restarted();
        denied.store = rig.store;
        denied.check(other);
        rig.check(name);
        assertThat(rig.accepted(name)).containsExactly("second", "first");
    }

    @Test
    void refusalBySomethingOnTheWayIsNoWordAboutPermissions() throws InterruptedException {
        vault.put(name, "first", ago(DAY.multipliedBy(3)));
        vault.proxied.add(name);
        assertThat(rig.check(name)).isInstanceOf(Failed.class);
        vault.proxied.remove(name);
        vault.put(name, "second", ago(HOUR));
        rig.check(name);
        assertThat(rig.accepted(name)).containsExactly("second", "first");
    }

    @Test
    void versionThatExpiredStillTellsWhenTheOneBeforeCeased() throws InterruptedException {
        vault.put(name, "first", ago(DAY.multipliedBy(3)));
        rig.check(name);
        String second = vault.put(name, "second", rig.now);
        vault.change(name, second, held -> held.exp(rig.now.plus(HOUR.multipliedBy(4))));
        rig.check(name);
        rig.pass(HOUR.multipliedBy(3));
        vault.put(name, "third", rig.now);
        rig.check(name);
        rig.pass(HOUR.multipliedBy(20));
        assertThat(rig.accepted(name)).containsExactly("third", "first");
        restartAcceptsTheSame();
        rig.pass(HOUR);
        assertThat(rig.accepted(name)).containsExactly("third");
        restartAcceptsTheSame();
    }

    @Test
    void versionsOfOneSecondAreOrderedByWhatTheVaultCallsTheLatest() throws InterruptedException {
        for (int i = 0; i < 8; i++) {
            vault.put(name, "v" + i, rig.now);
            rig.check(name);
            assertThat(rig.accepted(name).get(0)).isEqualTo("v" + i);
            Rig fresh = rig.restarted();
            fresh.check(name);
            assertThat(fresh.accepted(name).get(0)).isEqualTo("v" + i);
        }
    }

    @Test
    void oldMaterialUnderANewIdIsOneVersion() throws InterruptedException {
        vault.put(name, "a", ago(DAY));
        rig.check(name);
        vault.put(name, "b", ago(HOUR.multipliedBy(2)));
        rig.check(name);
        vault.put(name, "a", ago(HOUR));
        rig.check(name);

        assertThat(rig.accepted(name)).containsExactly("a", "b");
        restartAcceptsTheSame();
    }

    @Test
    void moreVersionsInOneGraceThanCanBeAcceptedAreNotRead() throws InterruptedException {
        for (int i = 0; i < 20; i++) {
            vault.put(name, "v" + i, ago(HOUR).plusSeconds(60L * i));
        }
        rig.check(name);
        assertThat(vault.requests()).hasSize(2 + History.MAX_ACCEPTED - 1);
        assertThat(rig.accepted(name)).hasSize(History.MAX_ACCEPTED).startsWith("v19", "v18");
    }

    @Test
    void getAloneIsEnoughToRotate() throws InterruptedException {
        vault.mayList = false;
        String first = vault.put(name, "first", ago(DAY.multipliedBy(3)));
        changedWith("GET " + name, "LIST " + name);
        unchangedWith("GET " + name);

        String second = vault.put(name, "second", rig.now);
        changedWith("GET " + name, "GET " + name + "/" + first);
        assertThat(rig.accepted(name)).containsExactly("second", "first");
        unchangedWith("GET " + name, "GET " + name + "/" + first);

        vault.disable(name, first);
        changedWith("GET " + name, "GET " + name + "/" + first);
        assertThat(rig.accepted(name)).containsExactly("second");
        vault.change(name, first, held -> held.enabled(true));
        changedWith("GET " + name, "GET " + name + "/" + first);
        assertThat(rig.accepted(name)).containsExactly("second", "first");

        vault.disable(name, second);
        rig.check(name);
        assertThat(rig.accepted(name)).containsExactly("first");
        assertThat(vault.requests()).doesNotContain("LIST " + name);

        StoreQuery other = StoreQuery.of("warm-up", Rig.GRACE, rig.now);
        assertThat(rig.store.read(List.of(other)).get(0)).isInstanceOf(Found.class);
        assertThat(vault.requests())
                .as("another secret of the vault is asked for itself")
                .containsExactly("GET warm-up", "LIST warm-up");
    }

    @Test
    void withGetAloneADisabledSecretOfWhichNothingElseIsKnownIsDisabled() throws InterruptedException {
        vault.mayList = false;
        String only = vault.put(name, "only", ago(HOUR));
        rig.check(name);
        vault.disable(name, only);

        assertThat(rig.check(name)).isInstanceOfSatisfying(Failed.class, failed -> {
            assertThat(failed.outcome()).isEqualTo(Outcome.DISABLED);
            assertThat(failed.detail()).contains("may not be listed");
        });
        assertThat(rig.restarted().check(name))
                .isInstanceOfSatisfying(
                        Failed.class, failed -> assertThat(failed.outcome()).isEqualTo(Outcome.DISABLED));
    }

    @Test
    void checkByListReadsNoValueUntilSomethingChanges() throws InterruptedException {
        rig.store = rig.store.checkedByList();
        String first = vault.put(name, "first", ago(DAY.multipliedBy(3)));
        changedWith("GET " + name, "LIST " + name);
        unchangedWith("LIST " + name);

        String second = vault.put(name, "second", rig.now);
        changedWith("LIST " + name, "GET " + name + "/" + second);
        assertThat(rig.accepted(name)).containsExactly("second", "first");
        unchangedWith("LIST " + name);
        restartAcceptsTheSame();

        vault.disable(name, first);
        changedWith("LIST " + name);
        assertThat(rig.accepted(name)).containsExactly("second");

        vault.put(name, "third", rig.now); // in the same second
        changedWith("LIST " + name, "GET " + name);
        assertThat(rig.accepted(name)).containsExactly("third", "second");
        unchangedWith("LIST " + name);
    }

    @Test
    void checkByListGoesOnByGetWhereListingIsNotPermittedOrTooLong() throws InterruptedException {
        rig.store = rig.store.checkedByList();
        vault.putMany(name, 1_001, ago(DAY.multipliedBy(2)));
        rig.check(name);
        vault.requests();
        unchangedWith("GET " + name);

        String other = name + "-other";
        vault.put(other, "first", ago(DAY.multipliedBy(3)));
        Rig second = rig.restarted();
        second.store = second.store.checkedByList();
        second.check(other);
        vault.mayList = false;
        vault.requests();
        second.check(other);
        assertThat(vault.requests()).containsExactly("LIST " + other, "GET " + other);
        second.check(other);
        assertThat(vault.requests()).containsExactly("GET " + other);
    }

    @Test
    void pinnedVersionIsReadAloneAndWithOneCall() throws InterruptedException {
        String first = vault.put(name, "first", ago(DAY.multipliedBy(3)));
        vault.put(name, "second", ago(HOUR));

        StoreQuery query = StoreQuery.of(name, Rig.GRACE, rig.now).pinnedTo(first);
        StoreResult result = rig.store.read(List.of(query)).get(0);
        assertThat(vault.requests()).containsExactly("GET " + name + "/" + first);
        assertThat(result)
                .isInstanceOfSatisfying(
                        Found.class,
                        found -> assertThat(found.secret().versions().stream().map(StoredVersion::id))
                                .containsExactly(first));

        StoreQuery again = query.withKnown(((Found) result).secret());
        assertThat(rig.store.read(List.of(again))).containsExactly(Unchanged.INSTANCE);
        assertThat(vault.requests()).containsExactly("GET " + name + "/" + first);

        vault.disable(name, first);
        assertThat(rig.store.read(List.of(again)).get(0))
                .isInstanceOfSatisfying(
                        Failed.class, failed -> assertThat(failed.outcome()).isEqualTo(Outcome.DISABLED));
        assertThat(vault.requests()).containsExactly("GET " + name + "/" + first);
    }

    @ParameterizedTest
    @ValueSource(strings = {"under_score", "a/b", "a.b", "", " a", "ümlaut", "a?b"})
    void nameThatNoSecretCanHaveIsNotFoundWithoutACall(String bad) throws InterruptedException {
        assertThat(rig.check(bad)).isInstanceOfSatisfying(Failed.class, failed -> {
            assertThat(failed.outcome()).isEqualTo(Outcome.NOT_FOUND);
            assertThat(failed.detail()).contains("1 to 127 letters, digits and '-'");
        });
        assertThat(rig.check("a".repeat(128))).isInstanceOf(Failed.class);
        assertThat(vault.requests()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "kv-prod",
                "http://kv-prod.vault.azure.net",
                "https://",
                "https:///x",
                "https://user:pw@kv-prod.vault.azure.net",
                "https://kv-prod.vault.azure.net/secrets/x",
                "https://kv-prod.vault.azure.net?x",
                "https://kv prod",
                ""
            })
    void urlOfNoVaultIsRefusedAtOnce(String bad) {
        assertThatThrownBy(() -> AzureKeyVaultStore.at(bad))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("like https://kv-prod.vault.azure.net")
                .hasMessageNotContaining("user:pw");
    }

    @Test
    void sourceFollowsARotationAndAKillSwitchBySchedule() {
        Instant now = Instant.now();
        String first = vault.put(name, "first", now.minus(DAY.multipliedBy(3)));
        try (SecretSource source = SecretSource.builder(rig.store)
                .refreshInterval(Duration.ofMillis(50))
                .build()) {
            var secret = source.secret(name);
            source.start(Rig.PATIENCE);
            assertThat(Rig.texts(secret)).containsExactly("first");

            vault.put(name, "second", now);
            Awaitility.await().until(() -> Rig.texts(secret).equals(List.of("second", "first")));

            vault.disable(name, first);
            Awaitility.await().until(() -> Rig.texts(secret).equals(List.of("second")));
        }
    }

    @Test
    void pinnedReferenceIsServedByOneVersion() {
        String first = vault.put(name, "first", ago(DAY.multipliedBy(3)));
        vault.put(name, "second", ago(HOUR));
        try (SecretSource source = SecretSource.from(rig.store)) {
            var secret = source.secret(
                    "@Microsoft.KeyVault(SecretUri=https://127.example.com/secrets/" + name + "/" + first + ")");
            source.start(Rig.PATIENCE);
            assertThat(Rig.texts(secret)).containsExactly("first");
            assertThat(vault.requests()).containsExactly("GET " + name + "/" + first);
        }
    }

    @Test
    void saysWhatAndWhereItIs() {
        AzureKeyVaultStore store = AzureKeyVaultStore.at("https://KV-prod.vault.azure.net/");
        assertThat(store.description()).isEqualTo("Azure Key Vault kv-prod");
        assertThat(store.address()).contains("azure:kv-prod");
        assertThat(store.keepsHistory()).isTrue();
        assertThat(store).hasToString("AzureKeyVaultStore[kv-prod]");
    }
}
