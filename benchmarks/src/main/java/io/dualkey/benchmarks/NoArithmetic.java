package io.dualkey.benchmarks;

import java.security.InvalidKeyException;
import java.security.PrivateKey;
import java.security.Provider;
import java.security.PublicKey;
import java.security.SignatureException;
import java.security.SignatureSpi;
import java.util.List;
import java.util.Map;

/** A security provider that takes every signature for good, at once: what is left is what a verifier itself costs. */
final class NoArithmetic extends Provider {

    private static final long serialVersionUID = 1;

    NoArithmetic() {
        super("NoArithmetic", "1", "takes every signature for good; for measurements alone");
        for (JwtAlgorithm algorithm : JwtAlgorithm.values()) {
            String name = algorithm.jcaName();
            putService(new Service(this, "Signature", name, AlwaysGood.class.getName(), List.of(), Map.of()) {
                @Override
                public Object newInstance(Object parameter) {
                    return new AlwaysGood();
                }
            });
        }
    }

    /** Reads nothing of the text. */
    private static final class AlwaysGood extends SignatureSpi {

        @Override
        protected void engineInitVerify(PublicKey key) {}

        @Override
        protected void engineUpdate(byte[] text, int from, int length) {}

        @Override
        protected void engineUpdate(byte one) {}

        @Override
        protected boolean engineVerify(byte[] signature) {
            return true;
        }

        @Override
        protected void engineInitSign(PrivateKey key) throws InvalidKeyException {
            throw new InvalidKeyException("it does not sign");
        }

        @Override
        protected byte[] engineSign() throws SignatureException {
            throw new SignatureException("it does not sign");
        }

        @Override
        @Deprecated
        protected void engineSetParameter(String name, Object value) {}

        @Override
        @Deprecated
        protected Object engineGetParameter(String name) {
            throw new UnsupportedOperationException("it has no parameters");
        }
    }
}
