package io.dualkey.secrets.jwt;

import static io.dualkey.secrets.jwt.Rig.rejected;
import static io.dualkey.secrets.jwt.Tokens.hmacKey;
import static io.dualkey.secrets.jwt.Tokens.hs256;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.dualkey.secrets.Role;
import io.dualkey.secrets.SecretUnavailableException;
import io.dualkey.secrets.SecretValue;
import io.dualkey.secrets.StoredVersion;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Which keys a verifier accepts while its secret rotates. */
class RotationTest {

    private static final byte[] OLD = hmacKey(1);
    private static final byte[] NEW = hmacKey(2);
    private static final Duration LONG = Duration.ofDays(30);

    private final Rig rig = new Rig();
    private final JwtVerifier verifier = rig.hs256().build();

    @AfterEach
    void close() {
        rig.close();
    }

    @Test
    void acceptsTokensOfTheCurrentKey() {
        String version = rig.put(OLD);
        rig.start();

        VerifiedJwt jwt = verifier.verify(hs256(OLD, rig.expiring(LONG)));

        assertThat(jwt.keyRole()).isEqualTo(Role.CURRENT);
        assertThat(jwt.keyVersion()).isEqualTo(version);
    }

    @Test
    void acceptsTokensOfThePreviousKeyUntilItsGraceEnds() {
        String version = rig.put(OLD);
        rig.start();
        rig.clock.advance(Duration.ofHours(1));
        rig.put(NEW);
        rig.refresh();
        String token = hs256(OLD, rig.expiring(LONG));

        rig.clock.advance(Rig.GRACE.minusMillis(1));
        VerifiedJwt jwt = verifier.verify(token);
        assertThat(jwt.keyRole()).isEqualTo(Role.PREVIOUS);
        assertThat(jwt.keyVersion()).isEqualTo(version);

        rig.clock.advance(Duration.ofMillis(1));
        assertThat(verifier.check(token)).isEqualTo(rejected(RejectionReason.BAD_SIGNATURE));
        assertThat(verifier.verify(hs256(NEW, rig.expiring(LONG))).keyRole()).isEqualTo(Role.CURRENT);
    }

    @Test
    void refusesTokensOfAPreviousKeyThatWasDisabledFromTheNextCheckOn() {
        String version = rig.put(OLD);
        rig.start();
        rig.clock.advance(Duration.ofHours(1));
        rig.put(NEW);
        rig.refresh();
        String token = hs256(OLD, rig.expiring(LONG));
        assertThat(verifier.check(token)).isInstanceOf(VerifiedJwt.class);

        rig.store.disable(Rig.NAME, version);
        rig.refresh();

        assertThat(verifier.check(token)).isEqualTo(rejected(RejectionReason.BAD_SIGNATURE));
    }

    @Test
    void acceptsTokensOfAnUpcomingKey() {
        rig.put(OLD);
        rig.store.add(
                Rig.NAME,
                StoredVersion.of("next", SecretValue.ofText(Tokens.base64(NEW)))
                        .withNotBefore(Rig.START.plus(Duration.ofHours(2))));
        rig.start();

        VerifiedJwt jwt = verifier.verify(hs256(NEW, rig.expiring(LONG)));

        assertThat(jwt.keyRole()).isEqualTo(Role.UPCOMING);
        assertThat(jwt.keyVersion()).isEqualTo("next");
    }

    @Test
    void goesOnWithTheOldKeyWhileTheNewOneIsUnusable() {
        rig.put(OLD);
        rig.start();
        rig.store.put(Rig.NAME, "much too short, and not base64");
        rig.refresh();

        assertThat(verifier.verify(hs256(OLD, rig.expiring(LONG))).keyRole()).isEqualTo(Role.CURRENT);
        assertThat(rig.secret.status().detail()).contains("not valid BASE64");
    }

    @Test
    void recordsWhichKeysAreStillInUse() {
        rig.put(OLD);
        rig.start();
        rig.clock.advance(Duration.ofHours(1));
        rig.put(NEW);
        rig.refresh();

        verifier.verify(hs256(OLD, rig.expiring(LONG)));
        verifier.verify(hs256(NEW, rig.expiring(LONG)));
        verifier.verify(hs256(NEW, rig.expiring(LONG)));
        verifier.check(hs256(NEW, "{}"));

        assertThat(rig.secret.status().uses())
                .containsEntry(Role.CURRENT, 2L)
                .containsEntry(Role.PREVIOUS, 1L)
                .containsEntry(Role.UPCOMING, 0L);
        assertThat(rig.secret.status().lastUses())
                .containsEntry(Role.CURRENT, rig.clock.instant())
                .containsEntry(Role.PREVIOUS, rig.clock.instant());
    }

    @Test
    void saysThatNoKeyIsAvailableInsteadOfRefusing() {
        String token = hs256(OLD, rig.expiring(LONG));

        assertThatThrownBy(() -> verifier.verify(token))
                .isInstanceOf(SecretUnavailableException.class)
                .hasMessageContaining(Rig.NAME);
        assertThatThrownBy(() -> verifier.check(token)).isInstanceOf(SecretUnavailableException.class);
    }

    @Test
    void refusesWhatIsNoTokenEvenWithoutAKey() {
        assertThat(verifier.check("nonsense")).isEqualTo(rejected(RejectionReason.MALFORMED));
    }
}
