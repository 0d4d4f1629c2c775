package io.dualkey.secrets.jdbc;

import io.dualkey.secrets.Version;

/**
 * What one physical connection logs in with: one version of the credentials, read as one.
 *
 * @param version the version
 * @param account what the server counts failed logins by
 */
record Login(Version<DatabaseCredentials> version, Account account) {

    /**
     * A user at an endpoint.
     *
     * @param endpoint host and port
     * @param user the user
     */
    record Account(String endpoint, String user) {}

    static Login of(Version<DatabaseCredentials> version) {
        DatabaseCredentials credentials = version.value();
        return new Login(version, new Account(DatabaseUrl.endpoint(credentials.url()), credentials.user()));
    }

    long generation() {
        return version.generation();
    }

    DatabaseCredentials credentials() {
        return version.value();
    }

    /** The version and the account; never the password. */
    @Override
    public String toString() {
        return "Login[version " + version.id() + ", user " + account.user + "]";
    }
}
