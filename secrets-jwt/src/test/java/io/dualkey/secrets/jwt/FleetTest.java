package io.dualkey.secrets.jwt;

import static io.dualkey.secrets.jwt.Tokens.base64;
import static org.assertj.core.api.Assertions.assertThat;

import io.dualkey.secrets.InMemoryStore;
import io.dualkey.secrets.Role;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.SecretValue;
import io.dualkey.secrets.StoredVersion;
import io.dualkey.secrets.VirtualTime;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * J3: signers and verifiers, each with an engine of its own, on one store in one virtual time. They notice a rotation at
 * different moments and their clocks differ by up to the clock skew. No verifier waits for a refresh.
 */
class FleetTest {

    private static final Duration INTERVAL = Duration.ofSeconds(60);
    private static final Duration GRACE = Duration.ofMinutes(10);
    private static final Duration TTL = Duration.ofMinutes(5);

    @Test
    void noTokenIsRefusedInThousandsOfRotations() {
        Fleet fleet = new Fleet(11, null);
        fleet.rotate(2000);

        assertThat(fleet.refused).isEmpty();
        assertThat(fleet.accepted.get(Role.CURRENT)).as("by the current key").isGreaterThan(50_000);
        assertThat(fleet.accepted.get(Role.PREVIOUS)).as("by a previous key").isGreaterThan(50_000);
    }

    /** The same fleet, so that what the test above promises could go wrong. */
    @Test
    void tokensAreRefusedWhereANewKeyIsUsedBeforeAllKnowIt() {
        Fleet fleet = new Fleet(11, Duration.ZERO);
        fleet.rotate(300);

        assertThat(fleet.refused)
                .containsOnlyKeys(RejectionReason.UNKNOWN_KEY)
                .hasEntrySatisfying(
                        RejectionReason.UNKNOWN_KEY, count -> assertThat(count).isGreaterThan(100));
    }

    private static final class Fleet {

        private static final int SIGNERS = 2;
        private static final int VERIFIERS = 3;

        final Map<RejectionReason, Integer> refused = new EnumMap<>(RejectionReason.class);
        final Map<Role, Integer> accepted = new EnumMap<>(Role.class);

        private final Random random;
        private final VirtualTime time;
        private final InMemoryStore store;
        private final List<JwtSigner> signers = new ArrayList<>();
        private final List<JwtVerifier> verifiers = new ArrayList<>();
        private final Queue<Issued> issued = new ArrayDeque<>();
        private final Queue<String> kept = new ArrayDeque<>();
        private int keys;

        private record Issued(String token, Instant lastUse) {}

        Fleet(long seed, @Nullable Duration propagation) {
            random = new Random(seed);
            time = new VirtualTime(seed);
            store = new InMemoryStore(time.clock());
            store.put(Rig.NAME, nextKey());
            for (int i = 0; i < SIGNERS; i++) {
                replica(source -> {
                    JwtSigner.Builder signer = JwtSigner.hs256(source.secret(Rig.NAME), KeyFormat.BASE64)
                            .ttl(TTL)
                            .clock(clock());
                    signers.add((propagation == null ? signer : signer.propagation(propagation)).build());
                });
            }
            for (int i = 0; i < VERIFIERS; i++) {
                replica(source -> verifiers.add(JwtVerifier.hs256(source.secret(Rig.NAME), KeyFormat.BASE64)
                        .refreshWait(Duration.ZERO)
                        .clock(clock())
                        .build()));
            }
        }

        private void replica(Consumer<SecretSource> handles) {
            time.advance(Duration.ofMillis(random.nextInt(60_000)));
            time.start(SecretSource.builder(store).refreshInterval(INTERVAL).grace(GRACE), handles);
        }

        /** Half the clock skew off at most, so that two of them differ by no more than all of it. */
        private Clock clock() {
            return Clock.offset(time.clock(), Duration.ofMillis(random.nextInt(60_000) - 30_000));
        }

        private String nextKey() {
            return base64(Tokens.hmacKey(++keys));
        }

        /** Rotates every two and a half to seven and a half minutes, sometimes with an announcement two minutes ahead. */
        void rotate(int rotations) {
            for (int i = 0; i < rotations; i++) {
                Instant next = time.clock().instant().plusSeconds(150 + random.nextInt(300));
                if (random.nextInt(4) == 0) {
                    StoredVersion announced = StoredVersion.of("announced" + i, SecretValue.ofText(nextKey()))
                            .withActivatedAt(time.clock().instant())
                            .withNotBefore(time.clock().instant().plusSeconds(120));
                    store.add(Rig.NAME, announced);
                    kept.add(announced.id());
                } else {
                    kept.add(store.put(Rig.NAME, nextKey()));
                }
                if (kept.size() > 5) { // long past its grace
                    store.remove(Rig.NAME, kept.remove());
                }
                while (time.clock().instant().isBefore(next)) {
                    time.advance(Duration.ofMillis(1 + random.nextInt(30_000)));
                    useTokens();
                }
            }
        }

        /** All verifiers get a new token at once, and one that was issued before, up to the end of its life. */
        private void useTokens() {
            Instant now = time.clock().instant();
            String token = signers.get(random.nextInt(SIGNERS)).sign(Map.of("sub", "alice"));
            verify(token);
            while (!issued.isEmpty() && issued.peek().lastUse().isBefore(now)) {
                issued.remove();
            }
            if (!issued.isEmpty()) {
                verify(issued.peek().token());
            }
            issued.add(new Issued(token, now.plus(TTL)));
        }

        private void verify(String token) {
            for (JwtVerifier verifier : verifiers) {
                JwtResult result = verifier.check(token);
                if (result instanceof VerifiedJwt jwt) {
                    accepted.merge(jwt.keyRole(), 1, Integer::sum);
                } else {
                    refused.merge(((JwtResult.Rejected) result).reason(), 1, Integer::sum);
                }
            }
        }
    }
}
