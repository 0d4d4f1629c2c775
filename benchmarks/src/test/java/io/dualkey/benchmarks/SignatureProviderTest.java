package io.dualkey.benchmarks;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import java.security.KeyPair;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SignatureProviderTest {

    @ParameterizedTest
    @EnumSource
    void aProviderTellsGoodSignaturesFromBadOnes(SignatureProvider provider) throws Exception {
        byte[] text = "text".getBytes(US_ASCII);
        for (SignatureAlgorithm algorithm : SignatureAlgorithm.values()) {
            if (provider.has(algorithm)) {
                KeyPair keys = algorithm.newKeys();
                byte[] signature = algorithm.sign(keys.getPrivate(), text);
                var verification = provider.verification(algorithm, keys.getPublic());

                assertThat(verification.isGood(text, signature))
                        .as("%s", algorithm)
                        .isTrue();
                assertThat(verification.isGood("another".getBytes(US_ASCII), signature))
                        .isFalse();
                assertThat(verification.isGood(text, signature))
                        .as("%s again", algorithm)
                        .isTrue();
            }
        }
    }
}
