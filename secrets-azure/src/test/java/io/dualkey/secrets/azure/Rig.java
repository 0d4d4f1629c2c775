package io.dualkey.secrets.azure;

import static org.assertj.core.api.Assertions.assertThat;

import io.dualkey.secrets.RotatingSecret;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.SecretStartupException;
import io.dualkey.secrets.SecretStatus;
import io.dualkey.secrets.SecretStore;
import io.dualkey.secrets.StoreQuery;
import io.dualkey.secrets.StoreResult;
import io.dualkey.secrets.StoreResult.Found;
import io.dualkey.secrets.StoredSecret;
import io.dualkey.secrets.StoredVersion;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A store over the stub as {@code at} makes it, asked as a source asks: with what it answered last. */
final class Rig extends Clock {

    static final Duration GRACE = Duration.ofHours(24);
    static final Duration PATIENCE = Duration.ofSeconds(20);

    final KeyVaultStub vault;
    AzureKeyVaultStore store;
    Instant now = Instant.parse("2026-11-20T10:00:00Z");
    private @Nullable StoredSecret known;

    Rig(KeyVaultStub vault) {
        this.vault = vault;
        this.store = store(vault, PATIENCE);
    }

    static AzureKeyVaultStore store(KeyVaultStub vault, Duration timeout) {
        var http = AzureKeyVaultStore.http(KeyVaultStub.trustingHttp(), timeout);
        return AzureKeyVaultStore.over(AzureKeyVaultStore.client(vault.url(), KeyVaultStub.credential(), http, timeout)
                .disableChallengeResourceVerification()
                .buildClient());
    }

    /** One check of a secret, after which the requests are in {@link KeyVaultStub#requests}. */
    StoreResult check(String name) throws InterruptedException {
        StoreQuery query = StoreQuery.of(name, GRACE, now);
        StoreResult result = store.read(List.of(known == null ? query : query.withKnown(known)))
                .get(0);
        if (result instanceof Found found) {
            known = found.secret();
        }
        return result;
    }

    /** A process that starts now, beside the one that is running. */
    Rig restarted() {
        Rig fresh = new Rig(vault);
        fresh.now = now;
        return fresh;
    }

    List<StoredVersion> versions() {
        return known == null ? List.of() : known.versions();
    }

    void forget() {
        known = null;
    }

    /** What a source accepts of what the store told last: current first. */
    List<String> accepted(String name) {
        StoredSecret told = known;
        assertThat(told).isNotNull();
        return accepted(name, told);
    }

    /** What a source accepts of what a store tells: current first. */
    List<String> accepted(String name, StoredSecret told) {
        try (SecretSource source = sourceOver(told)) {
            var secret = source.secret(name);
            source.start(PATIENCE);
            return texts(secret);
        } catch (SecretStartupException nothingInForce) {
            return List.of();
        }
    }

    static List<String> texts(RotatingSecret secret) {
        return secret.versions().accepted().stream()
                .map(version -> version.value().revealText())
                .toList();
    }

    private SecretSource sourceOver(StoredSecret told) {
        return SecretSource.builder(new Told(told)).grace(GRACE).clock(this).build();
    }

    SecretStatus statusOf(String name) {
        try (SecretSource source = sourceOver(Objects.requireNonNull(known))) {
            source.secret(name);
            source.start(PATIENCE);
            return source.status(name).orElseThrow();
        }
    }

    void pass(Duration time) {
        now = now.plus(time);
    }

    @Override
    public Instant instant() {
        return now;
    }

    @Override
    public ZoneId getZone() {
        return ZoneOffset.UTC;
    }

    @Override
    public Clock withZone(ZoneId zone) {
        return this;
    }

    /** Tells a source what the real store told. */
    private record Told(StoredSecret secret) implements SecretStore {

        @Override
        public String description() {
            return "what was told";
        }

        @Override
        public List<StoreResult> read(List<StoreQuery> queries) {
            return queries.stream().map(query -> StoreResult.found(secret)).toList();
        }
    }
}
