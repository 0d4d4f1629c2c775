package io.dualkey.secrets.jwt;

import java.io.ByteArrayOutputStream;
import java.math.BigInteger;

/** Writes the few forms of DER (X.690) that keys and signatures must be wrapped in. */
final class Der {

    /** AlgorithmIdentifier of rsaEncryption (RFC 3279 section 2.3.1). */
    private static final byte[] RSA_ENCRYPTION = {
        0x30, 0x0d, 0x06, 0x09, 0x2a, (byte) 0x86, 0x48, (byte) 0x86, (byte) 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00
    };

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
