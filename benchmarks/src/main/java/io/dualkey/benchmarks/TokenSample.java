package io.dualkey.benchmarks;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.util.Base64;

/** A token, and its parts for those who do nothing but verify a signature. */
final class TokenSample {

    final String token;
    final byte[] signingInput;
    final byte[] signature;
    final JwtKey key;

    /** Takes a token apart; {@code key} is the one that its {@code kid} names. */
    TokenSample(String token, JwtKey key) {
        int end = token.lastIndexOf('.');
        this.token = token;
        this.signingInput = token.substring(0, end).getBytes(US_ASCII);
        this.signature = Base64.getUrlDecoder().decode(token.substring(end + 1));
        this.key = key;
    }
}
