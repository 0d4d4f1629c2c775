package io.dualkey.secrets.jwt;

import static io.dualkey.secrets.jwt.Tokens.base64;

import io.dualkey.secrets.InMemoryStore;
import io.dualkey.secrets.RefreshCause;
import io.dualkey.secrets.RotatingSecret;
import io.dualkey.secrets.SecretSource;
import java.time.Duration;
import java.time.Instant;

/** A secret in a store in memory, with a clock that all parts share and a schedule that never comes round by itself. */
final class Rig implements AutoCloseable {

    static final Instant START = Instant.parse("2026-11-20T12:00:00Z");
    static final Duration GRACE = Duration.ofHours(24);
    static final String NAME = "jwt-secret";

    final MutableClock clock = new MutableClock(START);
    final InMemoryStore store = new InMemoryStore(clock);
    final SecretSource source = SecretSource.builder(store)
            .clock(clock)
            .grace(GRACE)
            .refreshInterval(Duration.ofHours(1))
            .build();
    final RotatingSecret secret = source.secret(NAME);

    /** Puts an HMAC key; the next check finds it. */
    String put(byte[] key) {
        return store.put(NAME, base64(key));
    }

    JwtVerifier.Builder hs256() {
        return JwtVerifier.hs256(secret, KeyFormat.BASE64).clock(clock);
    }

    void start() {
        source.start(Duration.ofSeconds(30));
        refresh(); // so that tests do not meet the end of the read that startup made
    }

    void refresh() {
        secret.refresh(RefreshCause.OPERATOR).join();
    }

    /** Claims that expire in a time from now. */
    String expiring(Duration after) {
        return "{\"sub\":\"alice\",\"exp\":" + clock.instant().plus(after).getEpochSecond() + "}";
    }

    static JwtResult rejected(RejectionReason reason) {
        return new JwtResult.Rejected(reason);
    }

    @Override
    public void close() {
        source.close();
    }
}
