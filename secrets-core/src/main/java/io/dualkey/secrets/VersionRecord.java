package io.dualkey.secrets;

import java.util.concurrent.atomic.AtomicLong;

/**
 * The identity of one version within this process: one object for each distinct material of a secret, whatever ids and
 * roles it has over time. Compared by identity.
 */
final class VersionRecord {

    private static final AtomicLong GENERATIONS = new AtomicLong();

    private final String id;
    private final SecretValue value;
    private final long generation = GENERATIONS.incrementAndGet();
    private final UseCounter uses = new UseCounter();

    VersionRecord(String id, SecretValue value) {
        this.id = id;
        this.value = value;
    }

    String id() {
        return id;
    }

    SecretValue value() {
        return value;
    }

    long generation() {
        return generation;
    }

    UseCounter uses() {
        return uses;
    }
}
