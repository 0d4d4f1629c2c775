package io.dualkey.secrets.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import io.dualkey.secrets.InMemoryStore;
import io.dualkey.secrets.RefreshCause;
import io.dualkey.secrets.RotatingSecret;
import io.dualkey.secrets.SecretSource;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Time is a number here. */
class LoginBudgetTest {

    private static final long SECOND = 1_000_000_000L;
    private static final long WINDOW = 120 * SECOND;

    private final InMemoryStore store = new InMemoryStore();
    private final SecretSource secrets = SecretSource.from(store);
    private final RotatingSecret secret = secrets.secret("db");
    private final LoginBudget budget = new LoginBudget(3, Duration.ofMinutes(2));
    private boolean started;

    @AfterEach
    void close() {
        secrets.close();
    }

    private Login login(String user, String password) {
        store.put("db", "postgresql://" + user + ":" + password + "@db/shop");
        if (started) {
            secret.refresh(RefreshCause.OPERATOR).join();
        } else {
            secrets.start(Duration.ofSeconds(10));
            started = true;
        }
        return Login.of(
                secret.map(DatabaseCredentials.parser()).versions().current().orElseThrow());
    }

    private long delay(Login login, long at) {
        return budget.delay(login, false, at);
    }

    private void refuse(Login login, long at) {
        refuse(login, true, at);
    }

    private void refuse(Login login, boolean inUse, long at) {
        assertThat(budget.delay(login, !inUse, at)).isLessThanOrEqualTo(0);
        budget.began(login);
        budget.refused(login, inUse, at);
    }

    private void succeed(Login login, long at) {
        assertThat(delay(login, at)).isLessThanOrEqualTo(0);
        budget.began(login);
        budget.succeeded(login);
    }

    @Test
    void triesARefusedVersionOnceMoreAndThenAWindowLater() {
        Login login = login("app", "wrong");
        refuse(login, 0);
        assertThat(delay(login, 0)).isEqualTo(2 * SECOND);

        refuse(login, 2 * SECOND);
        assertThat(delay(login, 3 * SECOND)).isEqualTo(WINDOW - 3 * SECOND);
    }

    @Test
    void letsARefusedVersionRestOnceItsAccountHasHadTooManyFailuresInARow() {
        Login login = login("app", "wrong");
        refuse(login, 0);
        refuse(login, 2 * SECOND);
        refuse(login, WINDOW + 2 * SECOND); // no success between: the third for a server that forgets none
        long last = WINDOW + 2 * SECOND;

        assertThat(delay(login, last + WINDOW)).isEqualTo(600 * SECOND - WINDOW);
        assertThat(delay(login("app", "right"), last + WINDOW)).isZero();
    }

    @Test
    void triesARefusedVersionOnceInAWindowWhileAnotherIsInUse() {
        Login early = login("app", "wrong");
        refuse(early, false, 0);

        assertThat(budget.delay(early, true, SECOND)).isEqualTo(WINDOW - SECOND);
        assertThat(budget.delay(early, true, WINDOW)).isZero();
    }

    @Test
    void spendsTheLastTryOfAnAccountOnNoVersionThatWasRefused() {
        Login inUse = login("app", "old");
        refuse(inUse, 0);
        Login early = login("app", "wrong");
        refuse(early, false, SECOND);

        assertThat(delay(inUse, 5 * SECOND)).isEqualTo(WINDOW - 5 * SECOND);
        assertThat(budget.delayWithoutLastTry(login("app", "older"), 5 * SECOND))
                .isEqualTo(WINDOW - 5 * SECOND);
        assertThat(budget.delay(login("app", "right"), true, 5 * SECOND)).isZero();
    }

    @Test
    void takesNoHintFromAVersionThatIsNotInUse() {
        Login one = login("app", "one");
        Login two = login("app", "two");
        refuse(one, false, 0);
        refuse(two, false, SECOND);

        assertThat(budget.delay(one, true, SECOND)).isEqualTo(WINDOW - SECOND);
    }

    @Test
    void leavesATryForTheNextVersionOfTheSameAccountButNotMore() {
        Login first = login("app", "wrong");
        refuse(first, 0);
        refuse(first, 2 * SECOND);
        refuse(login("app", "wrong-too"), 3 * SECOND);

        assertThat(delay(login("app", "right"), 4 * SECOND)).isEqualTo(WINDOW - 4 * SECOND);
    }

    @Test
    void countsEachAccountByItself() {
        Login first = login("app", "wrong");
        refuse(first, 0);
        refuse(first, 2 * SECOND);

        assertThat(delay(login("other", "pw"), 2 * SECOND)).isZero();
    }

    @Test
    void isClearedByASuccess() {
        Login login = login("app", "wrong");
        refuse(login, 0);
        refuse(login, 2 * SECOND);
        succeed(login("app", "right"), 3 * SECOND);

        Login next = login("app", "wrong-again");
        refuse(next, 4 * SECOND);
        refuse(next, 6 * SECOND);
    }

    @Test
    void countsLoginsUnderWayAsIfTheyFailed() {
        Login login = login("app", "pw");
        budget.began(login);
        budget.began(login);
        budget.began(login);

        assertThat(delay(login, 0)).isEqualTo(Long.MAX_VALUE);
        budget.succeeded(login);
        assertThat(delay(login, 0)).isZero();
    }

    @Test
    void letsTheAccountAloneDecideAboutOneTryAfterAHint() {
        Login inUse = login("one", "old");
        Login early = login("two", "new");
        refuse(early, 0);
        refuse(early, 2 * SECOND);
        assertThat(delay(early, 5 * SECOND)).isPositive();
        refuse(inUse, 5 * SECOND);

        refuse(early, 5 * SECOND);
        refuse(inUse, 8 * SECOND);
        assertThat(delay(early, 8 * SECOND)).isEqualTo(WINDOW - 8 * SECOND);
    }

    @Test
    void triesARefusedVersionAtOnceWhenTheOneInUseIsRefused() {
        Login inUse = login("app", "old");
        Login early = login("app", "new");
        refuse(early, 0);
        refuse(inUse, SECOND);

        assertThat(delay(early, SECOND)).isZero();
    }
}
