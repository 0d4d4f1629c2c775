package io.dualkey.secrets.jdbc;

import org.jspecify.annotations.Nullable;

/** How versions of a data source's credentials stand. */
final class Statuses {

    private Statuses() {}

    static CredentialStatus of(String version, RotatingDataSource database) {
        return database.status().credentials().stream()
                .filter(one -> one.version().equals(version))
                .findFirst()
                .orElseThrow();
    }

    /** The phase of a version; null if it has never been in use. */
    static @Nullable CredentialPhase phase(String version, RotatingDataSource database) {
        return database.status().credentials().stream()
                .filter(one -> one.version().equals(version))
                .map(CredentialStatus::phase)
                .findFirst()
                .orElse(null);
    }

    static String currentUser(RotatingDataSource database) {
        return database.status().current().map(CredentialStatus::user).orElse("none");
    }
}
