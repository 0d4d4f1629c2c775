package io.dualkey.secrets.jwt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.JWKMatcher;
import com.nimbusds.jose.jwk.JWKSelector;
import com.nimbusds.jose.proc.BadJOSEException;
import com.nimbusds.jose.proc.JWSVerificationKeySelector;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jwt.proc.DefaultJWTProcessor;
import io.dualkey.secrets.SecretUnavailableException;
import io.dualkey.secrets.SecretValue;
import io.dualkey.secrets.StoredVersion;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Nimbus' own processor over keys that rotate. */
class NimbusJwkSourceTest {

    private static final String CLAIMS = "{\"sub\":\"alice\",\"exp\":1900000000}";

    private final Rig rig = new Rig();

    @AfterEach
    void close() {
        rig.close();
    }

    private NimbusJwkSource source(TestKey key) {
        return NimbusJwkSource.of(rig.secret, key.format(), rig.clock, key.algorithm);
    }

    private static DefaultJWTProcessor<SecurityContext> processor(NimbusJwkSource source, JwsAlgorithm algorithm) {
        var processor = new DefaultJWTProcessor<SecurityContext>();
        processor.setJWSKeySelector(new JWSVerificationKeySelector<>(new JWSAlgorithm(algorithm.headerName()), source));
        return processor;
    }

    /** Without EdDSA, for which Nimbus needs an optional library. */
    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "EDDSA")
    void nimbusFollowsARotation(JwsAlgorithm algorithm) throws Exception {
        TestKey old = TestKey.of(algorithm);
        TestKey next = TestKey.other(algorithm);
        var processor = processor(source(old), algorithm);
        String version = rig.store.put(Rig.NAME, old.document());
        rig.start();
        assertThat(processor.process(old.token(CLAIMS), null).getSubject()).isEqualTo("alice");
        assertThatThrownBy(() -> processor.process(next.token(CLAIMS), null)).isInstanceOf(BadJOSEException.class);

        rig.clock.advance(Duration.ofHours(1));
        rig.store.put(Rig.NAME, next.document());
        rig.refresh();
        assertThat(processor.process(old.token(CLAIMS), null).getSubject()).isEqualTo("alice");
        assertThat(processor.process(next.token(CLAIMS), null).getSubject()).isEqualTo("alice");
        // A kid that nobody told is a hint.
        assertThat(processor
                        .process(old.token(old.header("foreign"), CLAIMS), null)
                        .getSubject())
                .isEqualTo("alice");

        rig.store.disable(Rig.NAME, version);
        rig.refresh();
        assertThatThrownBy(() -> processor.process(old.token(CLAIMS), null)).isInstanceOf(BadJOSEException.class);
    }

    @Test
    void nimbusKnowsTheUpcomingKeyAndForgetsThePreviousOneInTime() throws Exception {
        TestKey old = TestKey.of(JwsAlgorithm.ES256);
        TestKey next = TestKey.other(JwsAlgorithm.ES256);
        var processor = processor(source(old), JwsAlgorithm.ES256);
        rig.store.put(Rig.NAME, old.document());
        rig.store.add(
                Rig.NAME,
                StoredVersion.of("next", SecretValue.ofText(next.document()))
                        .withNotBefore(Rig.START.plus(Duration.ofHours(2))));
        rig.start();
        assertThat(processor.process(next.token(CLAIMS), null).getSubject()).isEqualTo("alice");

        rig.clock.advance(Duration.ofHours(2));
        rig.refresh();
        assertThat(processor.process(old.token(CLAIMS), null).getSubject()).isEqualTo("alice");
        rig.clock.advance(Rig.GRACE);
        assertThatThrownBy(() -> processor.process(old.token(CLAIMS), null)).isInstanceOf(BadJOSEException.class);
        assertThat(processor.process(next.token(CLAIMS), null).getSubject()).isEqualTo("alice");
    }

    @Test
    void nimbusSelectsTheTokensOfOurSignerByTheirKid() throws Exception {
        TestKey key = TestKey.of(JwsAlgorithm.RS256);
        NimbusJwkSource source = NimbusJwkSource.of(rig.secret, KeyFormat.JWK, rig.clock, JwsAlgorithm.RS256);
        JwtSigner signer = JwtSigner.builder(rig.secret, KeyFormat.JWK, JwsAlgorithm.RS256)
                .clock(rig.clock)
                .build();
        rig.store.put(Rig.NAME, key.jwk("told").toJSONString());
        rig.start();
        var processor = processor(source, JwsAlgorithm.RS256);
        processor.setJWTClaimsSetVerifier(null);

        assertThat(processor.process(signer.sign(Map.of("sub", "bob")), null).getSubject())
                .isEqualTo("bob");
        // A kid that was told is strict.
        assertThatThrownBy(() -> processor.process(key.token(key.header("foreign"), CLAIMS), null))
                .isInstanceOf(BadJOSEException.class);
    }

    @Test
    void saysThatThereIsNoKey() {
        NimbusJwkSource source = source(TestKey.of(JwsAlgorithm.ES256));

        assertThatThrownBy(() -> source.get(new JWKSelector(new JWKMatcher.Builder().build()), null))
                .isInstanceOf(SecretUnavailableException.class);
        assertThat(source).hasToString("NimbusJwkSource[" + Rig.NAME + "]");
    }
}
