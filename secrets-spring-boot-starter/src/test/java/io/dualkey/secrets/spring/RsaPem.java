package io.dualkey.secrets.spring;

import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.interfaces.RSAPrivateCrtKey;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;

/** A key for RS256 as an operator keeps it, and what must be seen of it nowhere. */
record RsaPem(KeyPair keys) {

    static RsaPem make() {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
            generator.initialize(2048);
            return new RsaPem(generator.generateKeyPair());
        } catch (GeneralSecurityException everyPlatformHasIt) {
            throw new IllegalStateException(everyPlatformHasIt);
        }
    }

    String privateKey() {
        return "-----BEGIN PRIVATE KEY-----\n" + body() + "\n-----END PRIVATE KEY-----\n";
    }

    private String body() {
        return Base64.getMimeEncoder(64, new byte[] {'\n'})
                .encodeToString(keys.getPrivate().getEncoded());
    }

    /** The lines of the PEM but the first ones, which hold the public half, and the private numbers as a JWK spells them. */
    List<String> fragments() {
        List<String> lines = body().lines().toList();
        List<String> fragments = new ArrayList<>(lines.subList(7, lines.size() - 1));
        RSAPrivateCrtKey key = (RSAPrivateCrtKey) keys.getPrivate();
        for (var number : List.of(
                key.getPrivateExponent(),
                key.getPrimeP(),
                key.getPrimeQ(),
                key.getPrimeExponentP(),
                key.getCrtCoefficient())) {
            fragments.add(number.toString());
            byte[] bytes = number.toByteArray();
            int skip = bytes[0] == 0 ? 1 : 0;
            fragments.add(Base64.getUrlEncoder()
                    .withoutPadding()
                    .encodeToString(Arrays.copyOfRange(bytes, skip, bytes.length)));
        }
        return fragments;
    }
}
