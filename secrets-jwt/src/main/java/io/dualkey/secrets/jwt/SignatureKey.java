package io.dualkey.secrets.jwt;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.OctetKeyPair;
import com.nimbusds.jose.jwk.RSAKey;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.InvalidAlgorithmParameterException;
import java.security.InvalidKeyException;
import java.security.KeyFactory;
import java.security.NoSuchAlgorithmException;
import java.security.Provider;
import java.security.PublicKey;
import java.security.Signature;
import java.security.SignatureException;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.AlgorithmParameterSpec;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PSSParameterSpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A public key for RSASSA-PKCS1-v1_5, RSASSA-PSS, ECDSA (RFC 7518 sections 3.3 to 3.5) or Ed25519 (RFC 8037). The
 * arithmetic is that of a {@link Signature}; what a signature may look like at all is checked before, because providers
 * have been wrong about it and some throw an exception, with its stack trace, where it is cheap to say no.
 */
final class SignatureKey implements VerificationKey {

    /** RFC 8410 section 4: what stands before the 32 bytes of a public key in a SubjectPublicKeyInfo. */
    private static final byte[] ED25519_PREFIX = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00
    };

    private static final int ED25519_LENGTH = 32;

    /** RFC 8032 section 5.1: the order of the group. */
    private static final BigInteger ED25519_ORDER =
            BigInteger.ONE.shiftLeft(252).add(new BigInteger("27742317777372353535851937790883648493"));

    private static final int ED25519_SIGN_BIT = 255;

    /** RFC 8032 section 5.1: the prime of the field. */
    private static final BigInteger ED25519_PRIME =
            BigInteger.ONE.shiftLeft(255).subtract(BigInteger.valueOf(19));

    /** One of y and -y for each of the eight points whose order is 1, 2, 4 or 8. */
    private static final List<BigInteger> ED25519_SMALL_ORDER = List.of(
            BigInteger.ZERO,
            BigInteger.ONE,
            new BigInteger("2707385501144840649318225287225658788936804267575313519463743609750303402022"));

    private final JwsAlgorithm algorithm;
    private final @Nullable Provider provider;
    private final PublicKey key;
    private final KeyId id;
    private final int length;
    private final byte[] limit; // what each number in a signature must be less than, in the order of its bytes
    private final Scheme scheme;
    private final Pool<Verification> verifications = new Pool<>(Verification::new);

    /** What a provider calls an algorithm. */
    private record Scheme(String name, @Nullable AlgorithmParameterSpec parameters, boolean der) {}

    /**
     * Prepares a key.
     *
     * @param jwk fits the algorithm
     * @param provider what computes; null for the one that the platform prefers
     * @throws GeneralSecurityException if the provider does not take the key
     */
    SignatureKey(JWK jwk, JwsAlgorithm algorithm, @Nullable Provider provider)
            throws GeneralSecurityException, JOSEException {
        this.algorithm = algorithm;
        this.provider = provider;
        PublicKey given = publicKey(jwk);
        if (given instanceof RSAPublicKey rsa) {
            this.length = (rsa.getModulus().bitLength() + 7) / 8;
            this.limit = bigEndian(rsa.getModulus(), length);
        } else if (jwk instanceof ECKey ec) {
            BigInteger order = ec.getCurve().toECParameterSpec().getOrder();
            int numberLength = (order.bitLength() + 7) / 8;
            this.length = 2 * numberLength;
            this.limit = bigEndian(order, numberLength);
        } else {
            this.length = 2 * ED25519_LENGTH;
            this.limit = bigEndian(ED25519_ORDER, ED25519_LENGTH);
        }
        this.key = translated(given);
        this.id = jwk.getKeyID() == null
                ? new KeyId(jwk.computeThumbprint().toString(), false)
                : new KeyId(jwk.getKeyID(), true);
        this.scheme = scheme(algorithm, provider);
        Verification first = new Verification();
        first.prepare(); // a provider that does not take the key says so when it is parsed
        verifications.release(first);
    }

    /** Fails if the provider does not know the algorithm. */
    static void requireSupport(JwsAlgorithm algorithm, Provider provider) {
        try {
            scheme(algorithm, provider);
        } catch (NoSuchAlgorithmException unknown) {
            throw new IllegalArgumentException(
                    "the provider " + provider.getName() + " does not verify " + algorithm.headerName(), unknown);
        }
    }

    private static Scheme scheme(JwsAlgorithm algorithm, @Nullable Provider provider) throws NoSuchAlgorithmException {
        NoSuchAlgorithmException last = null;
        for (Scheme scheme : schemes(algorithm)) {
            try {
                signature(scheme, provider);
                return scheme;
            } catch (NoSuchAlgorithmException anotherName) {
                last = anotherName;
            }
        }
        throw last == null ? new NoSuchAlgorithmException() : last;
    }

    /** The names in use, the best first. */
    private static List<Scheme> schemes(JwsAlgorithm algorithm) {
        String hash = "SHA" + algorithm.hashBits;
        return switch (algorithm.family) {
            case RSA -> List.of(new Scheme(hash + "withRSA", null, false));
            case RSA_PSS -> {
                MGF1ParameterSpec mask = new MGF1ParameterSpec(algorithm.hashName());
                var parameters = new PSSParameterSpec(
                        algorithm.hashName(), "MGF1", mask, algorithm.hashBits / 8, PSSParameterSpec.TRAILER_FIELD_BC);
                yield List.of(
                        new Scheme("RSASSA-PSS", parameters, false),
                        new Scheme(hash + "withRSA/PSS", parameters, false));
            }
            case EC ->
                List.of(
                        new Scheme(hash + "withECDSAinP1363Format", null, false),
                        new Scheme(hash + "withECDSA", null, true));
            case EDDSA -> List.of(new Scheme("Ed25519", null, false));
            case HMAC -> List.of();
        };
    }

    private static Signature signature(Scheme scheme, @Nullable Provider provider) throws NoSuchAlgorithmException {
        return provider == null ? Signature.getInstance(scheme.name()) : Signature.getInstance(scheme.name(), provider);
    }

    private static PublicKey publicKey(JWK jwk) throws GeneralSecurityException, JOSEException {
        if (jwk instanceof RSAKey rsa) {
            return rsa.toRSAPublicKey();
        } else if (jwk instanceof ECKey ec) {
            return ec.toECPublicKey();
        }
        byte[] point = ((OctetKeyPair) jwk).getDecodedX();
        if (point.length != ED25519_LENGTH || isOfSmallOrder(point)) {
            throw new InvalidKeyException();
        }
        byte[] encoded = Arrays.copyOf(ED25519_PREFIX, ED25519_PREFIX.length + point.length);
        System.arraycopy(point, 0, encoded, ED25519_PREFIX.length, point.length);
        return KeyFactory.getInstance("Ed25519").generatePublic(new X509EncodedKeySpec(encoded));
    }

    /** Such a key verifies what anybody makes up, for every eighth text at least, and no private key belongs to it. */
    private static boolean isOfSmallOrder(byte[] point) {
        byte[] bigEndian = new byte[point.length];
        for (int i = 0; i < point.length; i++) {
            bigEndian[i] = point[point.length - 1 - i];
        }
        BigInteger y = new BigInteger(1, bigEndian).clearBit(ED25519_SIGN_BIT);
        return y.compareTo(ED25519_PRIME) >= 0
                || ED25519_SMALL_ORDER.contains(y)
                || ED25519_SMALL_ORDER.contains(ED25519_PRIME.subtract(y));
    }

    /** The key in the form that the provider likes best, where it has a preference. */
    private PublicKey translated(PublicKey given) throws GeneralSecurityException {
        String type = switch (algorithm.family) {
            case EC -> "EC";
            case EDDSA -> "Ed25519";
            default -> "RSA";
        };
        return provider == null || provider.getService("KeyFactory", type) == null
                ? given
                : KeyFactory.getInstance(type, provider).generatePublic(new X509EncodedKeySpec(given.getEncoded()));
    }

    @Override
    public KeyId id() {
        return id;
    }

    @Override
    public JwsAlgorithm algorithm() {
        return algorithm;
    }

    @Override
    public boolean isSameAs(VerificationKey other) {
        return other instanceof SignatureKey same
                && same.algorithm == algorithm
                && same.id.equals(id)
                && Arrays.equals(same.key.getEncoded(), key.getEncoded());
    }

    @Override
    public boolean verifies(byte[] text, int textLength, byte[] signature, int signatureLength) {
        if (signatureLength != length || !isPlausible(signature)) {
            return false;
        }
        Verification verification = verifications.acquire();
        boolean good;
        try {
            good = verification.verifies(text, textLength, signature);
        } catch (SignatureException notASignature) {
            return false;
        } catch (GeneralSecurityException theKeyWasTakenBefore) {
            throw new IllegalStateException("the security provider no longer takes a key of this verifier's");
        }
        verifications.release(verification);
        return good;
    }

    /** Whether each number in a signature of the right length is in its range. */
    private boolean isPlausible(byte[] signature) {
        return switch (algorithm.family) {
            case EC ->
                isPositive(signature, 0)
                        && isBelowLimit(signature, 0)
                        && isPositive(signature, limit.length)
                        && isBelowLimit(signature, limit.length);
            case EDDSA -> isBelowLimitLittleEndian(signature, ED25519_LENGTH);
            default -> isBelowLimit(signature, 0);
        };
    }

    private boolean isPositive(byte[] signature, int from) {
        int bits = 0;
        for (int i = from; i < from + limit.length; i++) {
            bits |= signature[i];
        }
        return bits != 0;
    }

    private boolean isBelowLimit(byte[] signature, int from) {
        for (int i = 0; i < limit.length; i++) {
            int difference = (signature[from + i] & 0xFF) - (limit[i] & 0xFF);
            if (difference != 0) {
                return difference < 0;
            }
        }
        return false;
    }

    private boolean isBelowLimitLittleEndian(byte[] signature, int from) {
        for (int i = 0; i < limit.length; i++) {
            int difference = (signature[from + limit.length - 1 - i] & 0xFF) - (limit[i] & 0xFF);
            if (difference != 0) {
                return difference < 0;
            }
        }
        return false;
    }

    private static byte[] bigEndian(BigInteger number, int length) {
        byte[] bytes = number.toByteArray(); // one more than needed if the first bit is set
        byte[] exact = new byte[length];
        int kept = Math.min(bytes.length, length);
        System.arraycopy(bytes, bytes.length - kept, exact, length - kept, kept);
        return exact;
    }

    /** A signature object, and an array of exactly the length of a signature, which spares the JDK a copy. */
    private final class Verification {

        private @Nullable Signature prepared;
        private final byte[] given = new byte[length];

        Signature prepare() throws GeneralSecurityException {
            Signature ready = prepared;
            if (ready == null) {
                ready = signature(scheme, provider);
                setParameters(ready);
                ready.initVerify(key);
                prepared = ready;
            }
            return ready;
        }

        private void setParameters(Signature signature) throws InvalidAlgorithmParameterException {
            if (scheme.parameters() != null) {
                signature.setParameter(scheme.parameters());
            }
        }

        boolean verifies(byte[] text, int textLength, byte[] signature) throws GeneralSecurityException {
            Signature ready = prepare();
            ready.update(text, 0, textLength);
            if (scheme.der()) {
                return ready.verify(der(signature, length / 2));
            }
            System.arraycopy(signature, 0, given, 0, length);
            return ready.verify(given);
        }
    }

    /** Two numbers of equal length as a SEQUENCE of two INTEGERs (RFC 3279 section 2.2.3), for providers without the other form. */
    static byte[] der(byte[] numbers, int numberLength) {
        byte[] first = derInteger(numbers, 0, numberLength);
        byte[] second = derInteger(numbers, numberLength, 2 * numberLength);
        return Der.sequence(first, second);
    }

    private static byte[] derInteger(byte[] source, int from, int to) {
        return Der.integer(new BigInteger(1, Arrays.copyOfRange(source, from, to)));
    }

    /** The algorithm; nothing of the key. */
    @Override
    public String toString() {
        return "SignatureKey[" + algorithm + "]";
    }
}
