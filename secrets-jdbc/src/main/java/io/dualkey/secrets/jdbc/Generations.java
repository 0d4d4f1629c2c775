package io.dualkey.secrets.jdbc;

import io.dualkey.secrets.Registration;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.LongPredicate;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which credentials are in use, which connections were made with which, and who may log in now. A generation is one
 * version of the credentials.
 */
final class Generations {

    /*
     * Concurrency: `lock` guards every field that is not final or volatile. Nothing that blocks happens under it: no
     * login, no statement, no call of the pool, no listener. A login is counted in its generation from before it reads
     * its credentials (`begin`) until after it has ended (`connected`, `failed`), and both look at `serving` under the
     * lock. So once `serve` has returned, no connection of another generation can enter the pool: a login that was under
     * way is found to be stale when it ends. `changed` is signalled when something happens that a login may be waiting
     * for.
     *
     * `fallback` is another version that has logged in while `serving` is refused, or while there is none; null as soon
     * as `serving` logs in again, is replaced, or the fallback is itself refused or no longer in the secret. `inForce`
     * and `known` are asked under the lock: they are wait-free.
     */

    private static final Logger log = LoggerFactory.getLogger(RotatingDataSource.class);
    private static final int REMEMBERED = 16;
    private static final long LOOK_AGAIN = TimeUnit.SECONDS.toNanos(2);
    private static final long PATIENCE_WITHOUT_VERSION = TimeUnit.SECONDS.toNanos(1);

    private final String secret;
    private final LoginBudget budget;
    private final LongSupplier time;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final Map<Long, Generation> generations = new LinkedHashMap<>();
    private final Map<Long, Long> roleIds = new LinkedHashMap<>(); // by generation
    private final List<Listener> listeners = new ArrayList<>();
    private @Nullable Login serving;
    private @Nullable Login fallback;
    private @Nullable String lastProblem;
    private long moved;
    private long failedLogins;
    private boolean closed;

    private volatile BooleanSupplier inForce = () -> true;
    private volatile BooleanSupplier revoked = () -> false;
    private volatile LongPredicate known = generation -> true;
    private volatile boolean ready;
    private volatile int stale;

    /**
     * Starts without any.
     *
     * @param time nanoseconds; waiting threads look at it again when they are woken
     */
    Generations(String secret, LoginBudget budget, LongSupplier time) {
        this.secret = secret;
        this.budget = budget;
        this.time = time;
    }

    private static final class Generation {
        private final Login login;
        private final Set<Session> sessions = new LinkedHashSet<>(); // sessions are equal if they are identical
        private CredentialPhase phase = CredentialPhase.CURRENT;
        private int connecting;
        private OptionalInt serverSessions = OptionalInt.empty();

        Generation(Login login) {
            this.login = login;
        }

        boolean isOld() {
            return phase.compareTo(CredentialPhase.FALLBACK) > 0;
        }

        CredentialStatus status() {
            DatabaseCredentials credentials = login.credentials();
            return new CredentialStatus(
                    login.version().id(),
                    credentials.user(),
                    credentials.target(),
                    phase,
                    sessions.size() + connecting,
                    serverSessions);
        }
    }

    /** Each listener has a thread of its own, which ends when there is nothing to tell. */
    private record Listener(Consumer<? super CredentialStatus> action, ThreadPoolExecutor thread) {

        void tell(CredentialStatus status) {
            thread.execute(() -> {
                try {
                    action.accept(status);
                } catch (Throwable failure) { // theirs, not ours: the next change is delivered all the same
                    log.warn(
                            "A listener of a rotating data source failed with {}",
                            failure.getClass().getName());
                }
            });
        }
    }

    /**
     * Sets how to find out what the secret's store says.
     *
     * @param inForce whether a proven version is in force: while none is, nobody logs in with what was in use last
     * @param revoked whether no version is in force at all, proven or not
     * @param known whether a version is still the current one, a previous or the upcoming one
     */
    void setStore(BooleanSupplier inForce, BooleanSupplier revoked, LongPredicate known) {
        this.inForce = inForce;
        this.revoked = revoked;
        this.known = known;
    }

    /** Whether the credentials in use have been withdrawn and nothing has replaced them. */
    boolean isWithdrawn() {
        return !inForce.getAsBoolean();
    }

    /** Whether there are credentials to log in with: one volatile read. */
    boolean isReady() {
        return ready;
    }

    /** Whether connections of replaced credentials are open: one volatile read. */
    boolean anyStale() {
        return stale > 0;
    }

    /** Whether replaced credentials are still to be released, or their users to be asked about. */
    boolean hasUnfinished() {
        lock.lock();
        try {
            return generations.values().stream().anyMatch(one -> one.phase == CredentialPhase.RETIRING)
                    || !released().isEmpty();
        } finally {
            lock.unlock();
        }
    }

    /** The credentials in use. */
    @Nullable
    Login serving() {
        lock.lock();
        try {
            return serving;
        } finally {
            lock.unlock();
        }
    }

    /** From when this returns, only this login enters the pool. */
    void serve(Login login) {
        lock.lock();
        try {
            Login before = serving;
            if (closed || (before != null && before.generation() == login.generation())) {
                if (before != null) {
                    restore(generationOf(before)); // it may have been withdrawn for a while
                }
                changed.signalAll();
                return;
            }
            endFallback(login);
            serving = login;
            lastProblem = null;
            Generation generation = generations.remove(login.generation()); // to put it last: the newest
            generation = generation == null ? new Generation(login) : generation;
            generations.put(login.generation(), generation);
            use(generation, CredentialPhase.CURRENT);
            if (before != null) {
                Generation replaced = generationOf(before);
                if (replaced.phase.compareTo(CredentialPhase.RETIRING) < 0) {
                    enter(replaced, CredentialPhase.RETIRING);
                }
            }
            forgetOldest();
            countStale();
            ready = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void use(Generation generation, CredentialPhase phase) {
        generation.serverSessions = OptionalInt.empty();
        enter(generation, phase);
        withdrawSafeToDrop(generation.login);
    }

    /** A user that is in use again is no longer safe to drop, whatever its password was then. */
    private void withdrawSafeToDrop(Login login) {
        for (Generation other : generations.values()) {
            if (other.phase == CredentialPhase.SAFE_TO_DROP
                    && other.login.account().equals(login.account())) {
                other.serverSessions = OptionalInt.empty();
                enter(other, CredentialPhase.RELEASED);
            }
        }
    }

    /** Whether the server refuses these credentials, or those in use, and nothing stands in for them. */
    boolean wantsFallback(Login current) {
        lock.lock();
        try {
            Login refused = serving == null ? current : serving;
            return !closed && fallback == null && budget.isRefused(refused);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Begins the trial login of a version that may stand in for the one in use.
     *
     * @param announced whether it is the one to come: then it may have the account's last try, for its own trial is due
     * @return whether the login has begun
     */
    boolean tryBeginFallback(Login login, boolean announced) {
        lock.lock();
        try {
            long now = time.getAsLong();
            Login current = serving;
            Generation generation = generations.get(login.generation());
            boolean released = generation != null && generation.phase.compareTo(CredentialPhase.RELEASED) >= 0;
            boolean sameUser = current == null || current.account().equals(login.account());
            if (closed
                    || isServing(login)
                    || (released && !sameUser) // somebody may have been told that this user can go
                    || budget.delay(login, true, now) > 0
                    || (!announced && budget.delayWithoutLastTry(login, now) > 0)) {
                return false;
            }
            count(login);
            return true;
        } finally {
            lock.unlock();
        }
    }

    /**
     * From when this returns, connections are made with this login for as long as the one in use is refused.
     *
     * @return false if that one is not refused any more
     */
    boolean standIn(Login login) {
        lock.lock();
        try {
            Login current = serving;
            if (closed || (current != null && !budget.isRefused(current)) || isServing(login)) {
                return false;
            }
            fallback = login;
            use(generationOf(login), CredentialPhase.FALLBACK);
            countStale();
            ready = true;
            changed.signalAll();
            return true;
        } finally {
            lock.unlock();
        }
    }

    /** Whether something stands in for the credentials in use. */
    boolean hasFallback() {
        lock.lock();
        try {
            return fallback != null;
        } finally {
            lock.unlock();
        }
    }

    private void endFallback(@Nullable Login unlessIt) {
        Login ended = fallback;
        fallback = null;
        if (ended != null && (unlessIt == null || ended.generation() != unlessIt.generation())) {
            enter(generationOf(ended), CredentialPhase.RETIRING);
            countStale();
        }
    }

    /** The login to use: the one in use, or what stands in for it while the server refuses it. */
    private @Nullable Login usable() {
        Login other = fallback;
        if (other != null && !known.test(other.generation())) {
            endFallback(null);
            other = null;
        }
        return other != null && (serving == null || budget.isRefused(serving)) ? other : serving;
    }

    private boolean isServing(Login login) {
        Login current = serving;
        return current != null && current.generation() == login.generation();
    }

    private boolean isUsable(Login login) {
        Login now = usable();
        return isServing(login) || (now != null && now.generation() == login.generation());
    }

    /**
     * Follows what the store says by itself, without a new version.
     *
     * @return whether the credentials in use have just been revoked: their connections should go
     */
    boolean followStore() {
        boolean gone = false;
        lock.lock();
        try {
            var unused = usable();
            Login current = serving;
            if (current == null || closed) {
                return false;
            }
            Generation generation = generationOf(current);
            if (generation.phase == CredentialPhase.CURRENT && !inForce.getAsBoolean() && revoked.getAsBoolean()) {
                endFallback(null);
                enter(generation, CredentialPhase.RETIRING);
                countStale();
                gone = true;
            } else {
                restore(generation);
            }
        } finally {
            lock.unlock();
        }
        if (gone) {
            log.warn(
                    "Secret '{}' has no version in force any more: its connections are closed, those in use when they"
                            + " are returned",
                    secret);
        }
        return gone;
    }

    /** Whether what is in use has been withdrawn; also while its successor has been proven and is not in use yet. */
    private boolean isRevoked(Login current) {
        Generation generation = generationOf(current);
        restore(generation);
        return isWithdrawn() || generation.phase != CredentialPhase.CURRENT;
    }

    /** A version that was disabled may be enabled again. */
    private void restore(Generation generation) {
        boolean again = inForce.getAsBoolean() && known.test(generation.login.generation());
        if (generation.phase != CredentialPhase.CURRENT && again) {
            use(generation, CredentialPhase.CURRENT);
            countStale();
            changed.signalAll();
        }
    }

    private void forgetOldest() {
        var oldest = generations.values().iterator();
        int tooMany = generations.size() - REMEMBERED;
        while (tooMany > 0 && oldest.hasNext()) {
            Generation generation = oldest.next();
            if (generation.phase.compareTo(CredentialPhase.RELEASED) >= 0) {
                oldest.remove();
                tooMany--;
            }
        }
    }

    private void enter(Generation generation, CredentialPhase phase) {
        if (generation.phase == phase && phase != CredentialPhase.CURRENT) {
            return;
        }
        generation.phase = phase;
        CredentialStatus status = generation.status();
        listeners.forEach(listener -> listener.tell(status));
    }

    private Generation generationOf(Login login) {
        return generations.computeIfAbsent(login.generation(), key -> new Generation(login));
    }

    private void countStale() {
        int count = 0;
        for (Generation generation : generations.values()) {
            if (generation.isOld()) {
                count += generation.sessions.size();
            }
        }
        stale = count;
    }

    /**
     * Waits until a login may be tried with the credentials in use, and counts it.
     *
     * @param timeout how long to wait at most, in nanoseconds
     * @param onWaiting called now and then, without the lock, while the credentials in use are refused
     * @return the login; it must be ended by {@link #connected} or {@link #failed}
     */
    Login begin(long timeout, Runnable onWaiting) throws SQLException, InterruptedException {
        long start = time.getAsLong();
        while (true) {
            boolean refused = false;
            lock.lockInterruptibly();
            try {
                checkOpen();
                Login login = usable();
                long now = time.getAsLong();
                boolean withdrawn = login != null && isServing(login) && isRevoked(login);
                long delay = login == null || withdrawn ? Long.MAX_VALUE : delay(login, now);
                if (login != null && delay <= 0) {
                    count(login);
                    return login;
                }
                // A withdrawn version's successor may be at its trial login; else the answer is wanted soon.
                long patience = withdrawn ? Math.min(timeout, PATIENCE_WITHOUT_VERSION) : timeout;
                long left = start + patience - now;
                if (left <= 0) {
                    throw new SQLTransientConnectionException(withdrawn ? whyWithdrawn() : whyNot(login, timeout));
                }
                refused = login != null && !withdrawn && budget.isRefused(login);
                long wait = Math.min(delay, left);
                var unused = changed.awaitNanos(refused ? Math.min(wait, LOOK_AGAIN) : wait);
            } finally {
                lock.unlock();
            }
            if (refused) {
                onWaiting.run();
            }
        }
    }

    private void checkOpen() throws SQLException {
        if (closed) {
            throw new SQLException("the data source of secret '" + secret + "' is closed");
        }
    }

    private String whyWithdrawn() {
        return "secret '" + secret + "' has no version in force any more (disabled, expired or not confirmed for too"
                + " long): no new connection is made until its store has one";
    }

    private String whyNot(@Nullable Login login, long timeout) {
        String waited = " (waited " + TimeUnit.NANOSECONDS.toMillis(timeout) + " ms)";
        String problem = lastProblem;
        if (login == null) {
            return "no credentials from secret '" + secret + "' have passed a login yet: "
                    + (problem == null ? "none has been tried; is its SecretSource started?" : problem) + waited;
        }
        return "the server refuses the credentials of secret '" + secret + "', and failed logins are limited: write the"
                + " right ones to its store" + waited;
    }

    /** Until there are credentials to log in with. */
    void awaitReady(long timeout) throws SQLException, InterruptedException {
        long start = time.getAsLong();
        lock.lockInterruptibly();
        try {
            while (serving == null && fallback == null) {
                long left = start + timeout - time.getAsLong();
                checkOpen();
                if (left <= 0) {
                    throw new SQLTransientConnectionException(whyNot(null, timeout));
                }
                var unused = changed.awaitNanos(left);
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * Begins a login with certain credentials if that may be tried now.
     *
     * @return 0 if it has begun; else how many nanoseconds to wait, at most {@link Long#MAX_VALUE}
     */
    long tryBegin(Login login) {
        lock.lock();
        try {
            long delay = closed ? Long.MAX_VALUE : delay(login, time.getAsLong());
            if (delay > 0) {
                return delay;
            }
            count(login);
            return 0;
        } finally {
            lock.unlock();
        }
    }

    /** How many nanoseconds to wait before a login may be tried, 0 or less for none. */
    long delay(Login login) {
        lock.lock();
        try {
            return delay(login, time.getAsLong());
        } finally {
            lock.unlock();
        }
    }

    /** One refusal is enough for a version that is tried while another one is in use. */
    private long delay(Login login, long now) {
        return budget.delay(login, serving != null && !isServing(login), now);
    }

    private void count(Login login) {
        budget.began(login);
        Generation generation = generations.get(login.generation());
        if (generation != null) { // credentials that have never been in use have no generation to be released
            generation.connecting++;
            if (generation.phase.compareTo(CredentialPhase.RELEASED) >= 0) { // a trial, for it may come back
                generation.serverSessions = OptionalInt.empty();
                enter(generation, CredentialPhase.RETIRING);
            }
        }
        withdrawSafeToDrop(login);
    }

    private void uncount(Login login) {
        Generation generation = generations.get(login.generation());
        if (generation != null && generation.connecting > 0) {
            generation.connecting--;
        }
        changed.signalAll();
    }

    /** Waits until a login may be tried, or something has happened, or it makes no sense any more. */
    void awaitTurn(Login login, long longest, BooleanSupplier wanted) throws InterruptedException {
        long start = time.getAsLong();
        lock.lockInterruptibly();
        try {
            while (!closed && wanted.getAsBoolean()) {
                long now = time.getAsLong();
                long delay = Math.min(delay(login, now), start + longest - now);
                if (delay <= 0) {
                    return;
                }
                var unused = changed.awaitNanos(delay);
            }
        } finally {
            lock.unlock();
        }
    }

    /** Wakes whoever waits, to look again. */
    void wake() {
        lock.lock();
        try {
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Ends a login that succeeded.
     *
     * @return the connection's session; null if its credentials have been replaced or withdrawn meanwhile: it must be closed
     */
    @Nullable
    Session connected(Login login, Connection connection) {
        lock.lock();
        try {
            budget.succeeded(login);
            uncount(login);
            boolean inUse = isServing(login);
            if (closed || !isUsable(login) || (inUse && isRevoked(login))) {
                return null;
            }
            if (inUse) {
                endFallback(null); // it is not needed any more
            }
            Session session = new Session(connection, login.generation());
            generationOf(login).sessions.add(session);
            return session;
        } finally {
            lock.unlock();
        }
    }

    /** Ends a login that succeeded and whose connection is closed again. */
    void proven(Login login) {
        lock.lock();
        try {
            budget.succeeded(login);
            uncount(login);
        } finally {
            lock.unlock();
        }
    }

    /** Ends a login that failed; returns whether these are the credentials in use. */
    boolean failed(Login login, boolean refused, String problem) {
        lock.lock();
        try {
            boolean inUse = isServing(login);
            if (refused) {
                budget.refused(login, inUse, time.getAsLong());
                failedLogins++;
                Login other = fallback;
                if (other != null && other.generation() == login.generation()) {
                    endFallback(null);
                }
            } else {
                budget.ended(login);
            }
            lastProblem = problem;
            uncount(login);
            return inUse;
        } finally {
            lock.unlock();
        }
    }

    /** Keeps a problem, to tell those who wait in vain. */
    void note(String problem) {
        lock.lock();
        try {
            lastProblem = problem;
        } finally {
            lock.unlock();
        }
    }

    /** The credentials in use, if these are others of the same account and have been refused, and those have not. */
    @Nullable
    Login inUseInsteadOf(Login login) {
        lock.lock();
        try {
            Login current = serving;
            boolean insteadOfIt = current != null
                    && !isServing(login)
                    && current.account().equals(login.account())
                    && budget.wasRefused(login)
                    && !budget.isRefused(current)
                    && !isWithdrawn();
            return insteadOfIt ? current : null;
        } finally {
            lock.unlock();
        }
    }

    /** Whether the server's last word about these credentials was a refusal. */
    boolean isRefused(Login login) {
        lock.lock();
        try {
            return budget.isRefused(login);
        } finally {
            lock.unlock();
        }
    }

    /** Whether a connection that is closed now could be replaced. */
    boolean canReplace() {
        lock.lock();
        try {
            Login login = usable();
            return login == null || !(budget.isRefused(login) || (isServing(login) && isWithdrawn()));
        } finally {
            lock.unlock();
        }
    }

    /** What a connection that is closed now would be replaced with. */
    @Nullable
    Login replacement() {
        lock.lock();
        try {
            return usable();
        } finally {
            lock.unlock();
        }
    }

    /** The sessions of replaced credentials, in the order of their making, after forgetting all that are closed. */
    List<Session> staleSessions() {
        List<Session> all = sessions();
        List<Session> gone = all.stream().filter(Session::isClosed).toList();
        lock.lock();
        try {
            for (Session session : gone) {
                Generation generation = generations.get(session.generation());
                if (generation != null && generation.sessions.remove(session) && generation.isOld()) {
                    moved++;
                }
            }
            countStale();
            List<Session> old = new ArrayList<>();
            for (Generation generation : generations.values()) {
                if (generation.isOld()) {
                    old.addAll(generation.sessions);
                }
            }
            return old;
        } finally {
            lock.unlock();
        }
    }

    /** All sessions that are not known to be closed. */
    List<Session> sessions() {
        lock.lock();
        try {
            List<Session> all = new ArrayList<>();
            generations.values().forEach(generation -> all.addAll(generation.sessions));
            return all;
        } finally {
            lock.unlock();
        }
    }

    /** Moves on the generations that have nothing open any more. */
    void release() {
        List<String> released = new ArrayList<>();
        lock.lock();
        try {
            for (Generation generation : generations.values()) {
                if (generation.phase == CredentialPhase.RETIRING
                        && generation.sessions.isEmpty()
                        && generation.connecting == 0) {
                    enter(generation, CredentialPhase.RELEASED);
                    released.add(generation.login.version().id());
                }
            }
        } finally {
            lock.unlock();
        }
        for (String version : released) {
            log.info("Version {} of secret '{}' is released: this process has no connection of it", version, secret);
        }
    }

    /** The server does not tell this user's sessions: it is not asked again. */
    void cannotTell(Released user) {
        lock.lock();
        try {
            roleIds.remove(user.login().generation());
        } finally {
            lock.unlock();
        }
    }

    /** Takes the server's id of the user that a login was made as: a name could be given to another user later. */
    void setRoleId(Login login, long roleId) {
        lock.lock();
        try {
            roleIds.remove(login.generation());
            roleIds.put(login.generation(), roleId);
            if (roleIds.size() > REMEMBERED * 2) {
                roleIds.remove(roleIds.keySet().iterator().next());
            }
        } finally {
            lock.unlock();
        }
    }

    /** A user about whom the server is to be asked, because nothing here uses it any more. */
    record Released(Login login, long roleId) {}

    /**
     * The users that may be safe to drop and about whom the server in use can tell: it alone had their sessions. Each
     * once, however many passwords it had.
     */
    List<Released> released() {
        lock.lock();
        try {
            Map<List<Object>, Released> users = new LinkedHashMap<>();
            for (Generation generation : generations.values()) {
                Long roleId = roleIds.get(generation.login.generation());
                if (generation.phase == CredentialPhase.RELEASED
                        && roleId != null
                        && isAtServing(generation)
                        && !isInUse(generation)) {
                    users.put(List.of(generation.login.account(), roleId), new Released(generation.login, roleId));
                }
            }
            return List.copyOf(users.values());
        } finally {
            lock.unlock();
        }
    }

    private boolean isAtServing(Generation generation) {
        Login now = serving;
        return now != null
                && now.account().endpoint().equals(generation.login.account().endpoint());
    }

    private boolean isInUse(Generation generation) {
        return generations.values().stream()
                .anyMatch(other -> other.phase.compareTo(CredentialPhase.RELEASED) < 0
                        && other.login.account().equals(generation.login.account()));
    }

    /** Takes the server's answer to how many sessions a user has. */
    void reported(Released user, int sessions) {
        lock.lock();
        try {
            Generation asked = generations.get(user.login().generation());
            if (asked == null || asked.phase != CredentialPhase.RELEASED || isInUse(asked)) {
                return; // it is in use again: the answer is about the past
            }
            for (Generation generation : generations.values()) {
                Long roleId = roleIds.get(generation.login.generation());
                if (generation.phase == CredentialPhase.RELEASED
                        && roleId != null
                        && roleId == user.roleId()
                        && generation.login.account().equals(asked.login.account())) {
                    generation.serverSessions = OptionalInt.of(sessions);
                    if (sessions == 0) {
                        enter(generation, CredentialPhase.SAFE_TO_DROP);
                    }
                }
            }
        } finally {
            lock.unlock();
        }
        if (sessions == 0) {
            log.info(
                    "Database user '{}' of secret '{}' is safe to drop: the server reports no session of it",
                    user.login().credentials().user(),
                    secret);
        }
    }

    Registration onChange(Consumer<? super CredentialStatus> action, java.util.concurrent.ThreadFactory threads) {
        ThreadPoolExecutor thread = new ThreadPoolExecutor(
                1,
                1,
                5,
                TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(),
                threads,
                new ThreadPoolExecutor.DiscardPolicy());
        thread.allowCoreThreadTimeOut(true);
        Listener listener = new Listener(action, thread);
        lock.lock();
        try {
            listeners.add(listener);
        } finally {
            lock.unlock();
        }
        return () -> {
            lock.lock();
            try {
                listeners.remove(listener);
            } finally {
                lock.unlock();
            }
            thread.shutdown();
        };
    }

    DataSourceStatus status(boolean heldOff) {
        lock.lock();
        try {
            List<CredentialStatus> newestFirst = new ArrayList<>();
            generations.values().forEach(generation -> newestFirst.add(0, generation.status()));
            return new DataSourceStatus(newestFirst, moved, failedLogins, heldOff);
        } finally {
            lock.unlock();
        }
    }

    /** Lets nobody log in any more. */
    void close() {
        lock.lock();
        try {
            closed = true;
            listeners.forEach(listener -> listener.thread().shutdown());
            listeners.clear();
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }
}
