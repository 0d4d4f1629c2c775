package io.dualkey.secrets.jdbc;

import java.util.OptionalInt;

/**
 * Where one version of a database's credentials stands. It names a user, so it is for operators rather than for meters;
 * it has no password. Immutable and safe for use by several threads.
 *
 * @param version the id of the version of the secret
 * @param user the database user
 * @param target where the database is: the JDBC URL up to its options
 * @param phase where it stands
 * @param connections how many connections of this process are logged in with it or are being opened with it
 * @param serverSessions how many sessions of the user the server reported when it was last asked, other processes'
 *     included; empty while it has not been asked, or cannot be: only PostgreSQL is, and only after the release of a
 *     user that no current version needs
 */
public record CredentialStatus(
        String version,
        String user,
        String target,
        CredentialPhase phase,
        int connections,
        OptionalInt serverSessions) {}
