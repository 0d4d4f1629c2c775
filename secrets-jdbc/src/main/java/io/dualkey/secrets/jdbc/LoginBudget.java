package io.dualkey.secrets.jdbc;

import io.dualkey.secrets.jdbc.Login.Account;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;

/**
 * How many logins may fail. Servers lock accounts, so the failures of an account are counted over all versions of its
 * password together, logins under way included as if they failed; a success clears them, as it does on a server. And
 * one version that was refused is not tried on and on: while another one is in use it costs one failure in a window;
 * and the last try that an account has is never spent on a version that was refused before, unless there is a reason
 * to think that it is right by now. Many servers never forget a failure until a login succeeds: so once an account has
 * had as many in a row as it may, however long that took, a version that was refused rests for ten minutes.
 * Not safe for use by several threads: {@link Generations} guards it.
 */
final class LoginBudget {

    /** How long a refused version rests before its next try: the server may be in a passing trouble. */
    private static final long REST = Duration.ofSeconds(2).toNanos();

    /** How long it rests once its account has had too many failures in a row: policies forget them by then. */
    private static final long LONG_REST = Duration.ofMinutes(10).toNanos();

    private final int maxFailed;
    private final long window;
    private final Map<Account, Tries> accounts = new HashMap<>();
    private final Map<Long, Tries> versions = new HashMap<>();

    LoginBudget(int maxFailed, Duration window) {
        this.maxFailed = maxFailed;
        this.window = window.toNanos();
    }

    private static final class Tries {
        private final Deque<Long> refused = new ArrayDeque<>();
        private int inARow; // refusals since the last success, however long ago
        private long last; // when the last of them was
        private int underWay;
        private boolean hint; // something has happened that makes another try worthwhile

        /** Nanoseconds until one more may be tried; {@link Long#MAX_VALUE} until one that is under way has ended. */
        long delay(int max, long window, long now) {
            while (!refused.isEmpty() && now - refused.peekFirst() >= window) {
                refused.removeFirst();
            }
            if (refused.size() >= max) {
                return refused.peekFirst() + window - now;
            }
            return refused.size() + underWay < max ? 0 : Long.MAX_VALUE;
        }

        void refused(long now) {
            refused.addLast(now);
            inARow++;
            last = now;
        }

        void succeeded() {
            refused.clear();
            inARow = 0;
        }
    }

    /**
     * Nanoseconds until this login may be tried, 0 for now, {@link Long#MAX_VALUE} until another one has ended.
     *
     * @param once whether one refusal is enough for a window, because another version is in use
     */
    long delay(Login login, boolean once, long now) {
        Tries account = account(login);
        long delay = account.delay(maxFailed, window, now);
        Tries version = versions.get(login.generation());
        if (version == null || version.inARow == 0 || (version.hint && version.underWay == 0)) {
            return delay; // a hint is good for one try, which the account's own limit alone can forbid
        }
        if (account.inARow >= maxFailed) {
            delay = Math.max(delay, account.last + LONG_REST - now);
        }
        if (version.refused.isEmpty()) {
            return delay;
        }
        if (once) {
            return Math.max(delay, version.delay(1, window, now));
        }
        delay = Math.max(delay, delayWithoutLastTry(login, now));
        return Math.max(delay, version.refused.peekLast() + REST - now);
    }

    /** Nanoseconds until the account has a try besides its last. */
    long delayWithoutLastTry(Login login, long now) {
        return account(login).delay(Math.max(1, maxFailed - 1), window, now);
    }

    /** Whether this version has been refused and has not logged in since. */
    boolean wasRefused(Login login) {
        Tries version = versions.get(login.generation());
        return version != null && version.inARow > 0;
    }

    /** Whether the server's last word about this version, not long ago, was a refusal. */
    boolean isRefused(Login login) {
        Tries version = versions.get(login.generation());
        return version != null && !version.refused.isEmpty();
    }

    void began(Login login) {
        account(login).underWay++;
        version(login).underWay++;
    }

    void succeeded(Login login) {
        ended(login);
        account(login).succeeded();
        version(login).succeeded();
    }

    /** Ended for a reason that says nothing about the account, such as a server that is down. */
    void ended(Login login) {
        account(login).underWay--;
        version(login).underWay--;
    }

    /**
     * Ended because the server refused it.
     *
     * @param inUse whether these credentials are in use: then one that was too early may be right by now
     */
    void refused(Login login, boolean inUse, long now) {
        ended(login);
        account(login).refused(now);
        Tries own = version(login);
        own.refused(now);
        own.hint = false;
        if (inUse) {
            versions.forEach((generation, tries) -> tries.hint |= tries != own);
        }
        versions.values()
                .removeIf(tries ->
                        tries.delay(1, window, now) == 0 && (tries.inARow == 0 || now - tries.last >= LONG_REST));
    }

    private Tries account(Login login) {
        return accounts.computeIfAbsent(login.account(), key -> new Tries());
    }

    private Tries version(Login login) {
        return versions.computeIfAbsent(login.generation(), key -> new Tries());
    }
}
