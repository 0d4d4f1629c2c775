package io.dualkey.secrets.jwt;

/**
 * The {@code kid} of a key.
 *
 * @param value the text
 * @param told whether the key itself came with it. Where it was derived from the key, a {@code kid} in a token that
 *     differs proves nothing, since its issuer may name keys in another way
 */
record KeyId(String value, boolean told) {}
