package io.dualkey.secrets.jwt;

import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.util.Arrays;

/** Writes the few forms of DER (X.690) that keys and signatures must be wrapped in. */
final class Der {

    /** AlgorithmIdentifier of rsaEncryption (RFC 3279 section 2.3.1). */
    private static final byte[] RSA_ENCRYPTION = {
        0x30, 0x0d, 0x06, 0x09, 0x2a, (byte) 0x86, 0x48, (byte) 0x86, (byte) 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00
    };

    /** The AlgorithmIdentifier of elliptic curves without its curve, id-ecPublicKey (RFC 5480 section 2.1.1). */
    private static final byte[] EC_PUBLIC_KEY = {0x06, 0x07, 0x2a, (byte) 0x86, 0x48, (byte) 0xce, 0x3d, 0x02, 0x01};

    /** The identifier of Ed25519 (RFC 8410 section 3). */
    private static final byte[] ED25519 = {0x06, 0x03, 0x2b, 0x65, 0x70};

    private Der() {}

    static byte[] sequence(byte[]... parts) {
        return element(0x30, parts);
    }

    static byte[] integer(BigInteger value) {
        return element(0x02, value.toByteArray());
    }

    /** A public key of PKCS#1 (RFC 8017 appendix A.1.1) as SubjectPublicKeyInfo. */
    static byte[] rsaPublicKeyInfo(byte[] pkcs1) {
        return sequence(RSA_ENCRYPTION, element(0x03, new byte[1], pkcs1));
    }

    /** A private key of PKCS#1 (RFC 8017 appendix A.1.2) as PKCS#8. */
    static byte[] rsaPrivateKeyInfo(byte[] pkcs1) {
        return sequence(integer(BigInteger.ZERO), RSA_ENCRYPTION, element(0x04, pkcs1));
    }

    /** A private key of RFC 5915 on a curve, given the curve's encoded identifier, as PKCS#8. */
    static byte[] ecPrivateKeyInfo(byte[] rfc5915, byte[] curve) {
        return sequence(integer(BigInteger.ZERO), sequence(EC_PUBLIC_KEY, curve), element(0x04, rfc5915));
    }

    /** Whether these bytes are a public or private key that is not one of HMAC, or a certificate, by how they begin. */
    static boolean isKeyOrCertificate(byte[] bytes) {
        return bytes.length > 0
                && bytes[0] == 0x30
                && (contains(bytes, RSA_ENCRYPTION)
                        || contains(bytes, EC_PUBLIC_KEY)
                        || contains(bytes, ED25519)
                        || isRsaKeyOfPkcs1(bytes));
    }

    /** A SEQUENCE that begins with the modulus, or with version zero and then the modulus; both of over 1000 bits. */
    private static boolean isRsaKeyOfPkcs1(byte[] bytes) {
        if (bytes.length < 8 || bytes[1] != (byte) 0x82) {
            return false;
        }
        boolean isPrivate = bytes[4] == 0x02 && bytes[5] == 0x01 && bytes[6] == 0x00;
        return bytes[isPrivate ? 7 : 4] == 0x02 && (isPrivate || bytes[5] == (byte) 0x82);
    }

    static boolean contains(byte[] bytes, byte[] part) {
        for (int i = 0; i <= bytes.length - part.length; i++) {
            if (Arrays.equals(bytes, i, i + part.length, part, 0, part.length)) {
                return true;
            }
        }
        return false;
    }

    private static byte[] element(int tag, byte[]... parts) {
        int length = 0;
        for (byte[] part : parts) {
            length += part.length;
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream(length + 6);
        out.write(tag);
        if (length < 0x80) {
            out.write(length);
        } else {
            int lengthBytes = (32 - Integer.numberOfLeadingZeros(length) + 7) / 8;
            out.write(0x80 | lengthBytes);
            for (int shift = 8 * (lengthBytes - 1); shift >= 0; shift -= 8) {
                out.write(length >> shift);
            }
        }
        for (byte[] part : parts) {
            out.writeBytes(part);
        }
        return out.toByteArray();
    }
}
