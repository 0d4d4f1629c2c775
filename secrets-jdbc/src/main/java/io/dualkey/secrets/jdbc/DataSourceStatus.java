package io.dualkey.secrets.jdbc;

import java.util.List;
import java.util.Optional;

/**
 * The state of a {@link RotatingDataSource} at one moment, for operators and meters. Immutable and safe for use by
 * several threads.
 *
 * @param credentials the versions of the credentials that have been in use, the newest first; the last few of them
 * @param connectionsMoved how many connections were closed since the start because their credentials were replaced
 * @param failedLogins how many logins the server refused since the start
 */
public record DataSourceStatus(List<CredentialStatus> credentials, long connectionsMoved, long failedLogins) {

    /**
     * Copies the list.
     *
     * @param credentials the newest first
     * @param connectionsMoved zero or more
     * @param failedLogins zero or more
     */
    public DataSourceStatus {
        credentials = List.copyOf(credentials);
    }

    /**
     * {@return the credentials that were proven last, or else those that stand in for them; empty until some have been
     * proven, and while the secret has no version in force}
     */
    public Optional<CredentialStatus> current() {
        return in(CredentialPhase.CURRENT).or(() -> in(CredentialPhase.FALLBACK));
    }

    private Optional<CredentialStatus> in(CredentialPhase phase) {
        return credentials.stream().filter(one -> one.phase() == phase).findFirst();
    }

    /**
     * {@return whether a user that was replaced can be dropped}
     *
     * @param user the database user
     */
    public boolean isSafeToDrop(String user) {
        return credentials.stream()
                        .anyMatch(one -> one.user().equals(user) && one.phase() == CredentialPhase.SAFE_TO_DROP)
                && credentials.stream()
                        .noneMatch(
                                one -> one.user().equals(user) && one.phase().compareTo(CredentialPhase.RELEASED) < 0);
    }
}
