package io.dualkey.secrets.jdbc;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The state of a {@link RotatingDataSource} at one moment, for operators and meters. Immutable and safe for use by
 * several threads.
 *
 * @param credentials the versions of the credentials that have been in use, the newest first; the last few of them
 * @param connectionsMoved how many connections were closed since the start because their credentials were replaced
 * @param failedLogins how many logins the server refused since the start
 * @param heldOff whether the newest version of the credentials has failed its trial login and has not passed it since:
 *     the one before serves on, and the state of the secret says why
 */
public record DataSourceStatus(
        List<CredentialStatus> credentials, long connectionsMoved, long failedLogins, boolean heldOff) {

    /**
     * Copies the list.
     *
     * @param credentials the newest first
     * @param connectionsMoved zero or more
     * @param failedLogins zero or more
     * @param heldOff see above
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

    /**
     * {@return what an operator has to know of, the newest first} That is each version that is in use or has connections,
     * and of each user whom no such version needs the latest version. An older password of a user that is in use is of no
     * interest once it is released.
     */
    public List<CredentialStatus> summary() {
        List<CredentialStatus> summary = new ArrayList<>();
        credentials.stream().filter(one -> !isReleased(one)).forEach(summary::add);
        for (CredentialStatus one : credentials) {
            if (isReleased(one) && summary.stream().noneMatch(other -> isSameUser(one, other))) {
                summary.add(one);
            }
        }
        summary.sort(java.util.Comparator.comparingInt(credentials::indexOf));
        return List.copyOf(summary);
    }

    /**
     * {@return the users that were replaced and that no version in use needs, each once, the newest first} Each with its
     * version that is closest to being in use.
     */
    public List<CredentialStatus> replacedUsers() {
        List<CredentialStatus> replaced = new ArrayList<>();
        for (CredentialStatus one : summary()) {
            boolean inUse = credentials.stream()
                    .anyMatch(other -> isSameUser(one, other) && other.phase().compareTo(CredentialPhase.RETIRING) < 0);
            if (!inUse && replaced.stream().noneMatch(other -> isSameUser(one, other))) {
                replaced.add(one);
            }
        }
        return List.copyOf(replaced);
    }

    private static boolean isReleased(CredentialStatus one) {
        return one.phase().compareTo(CredentialPhase.RELEASED) >= 0;
    }

    private static boolean isSameUser(CredentialStatus one, CredentialStatus other) {
        return one.user().equals(other.user()) && one.target().equals(other.target());
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
