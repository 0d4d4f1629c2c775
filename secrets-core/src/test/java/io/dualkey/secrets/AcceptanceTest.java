package io.dualkey.secrets;

import static org.assertj.core.api.Assertions.assertThat;

import io.dualkey.secrets.Acceptance.Accepted;
import io.dualkey.secrets.Acceptance.Verdict;
import io.dualkey.secrets.Occurrence.Hold;
import io.dualkey.secrets.StoredVersion.Stage;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** P2: what is accepted is a pure function of the store, the grace period and the clock. */
class AcceptanceTest {

    private static final Instant T = Instant.parse("2026-01-01T00:00:00Z");
    private static final Duration GRACE = Duration.ofHours(24);

    private final VersionRecord a = new VersionRecord("a", SecretValue.ofText("alpha"));
    private final VersionRecord b = new VersionRecord("b", SecretValue.ofText("beta"));
    private final VersionRecord c = new VersionRecord("c", SecretValue.ofText("gamma"));

    @Test
    void onlyVersionIsCurrentWithoutEnd() {
        assertThat(at(hours(1), of(a, hours(0)))).isEqualTo("a");
    }

    @Test
    void previousIsAcceptedForTheGraceAfterItsSuccessorsActivation() {
        List<Occurrence> history = List.of(of(a, hours(0)), of(b, hours(100)));
        assertThat(at(hours(100), history)).isEqualTo("b a<124");
        assertThat(at(hours(123.9), history)).isEqualTo("b a<124");
        assertThat(at(hours(124), history)).isEqualTo("b");
    }

    @Test
    void severalRotationsWithinOneGraceAreEachCountedFromTheirSuccessor() {
        assertThat(at(hours(21), of(a, hours(0)), of(b, hours(10)), of(c, hours(20))))
                .isEqualTo("c b<44 a<34");
    }

    @Test
    void rollbackToOldMaterialMakesItCurrentAndTheOtherPrevious() {
        assertThat(at(hours(21), of(a, hours(0)), of(b, hours(10)), of(a, hours(20))))
                .isEqualTo("a b<44");
    }

    @Test
    void futureVersionIsUpcomingUntilItsTimeComes() {
        List<Occurrence> history = List.of(of(a, hours(0)), notBefore(of(b, hours(1)), hours(5)));
        assertThat(at(hours(2), history)).isEqualTo("a ^b");
        assertThat(at(hours(5), history)).isEqualTo("b a<29");
        assertThat(verdict(hours(2), history).nextChange()).isEqualTo(hours(5));
    }

    @Test
    void expiredCurrentGivesWayToTheNewestWithinItsWindow() {
        List<Occurrence> history = List.of(of(a, hours(0)), expires(of(b, hours(10)), hours(50)));
        assertThat(at(hours(20), history)).isEqualTo("b<50 a<34");
        assertThat(at(hours(40), history)).isEqualTo("b<50");
        assertThat(at(hours(50), history)).isEqualTo("a");
    }

    @Test
    void expiryCutsAGraceShort() {
        assertThat(at(hours(11), expires(of(a, hours(0)), hours(12)), of(b, hours(10))))
                .isEqualTo("b a<12");
    }

    @Test
    void disabledCurrentRollsBack() {
        assertThat(at(hours(11), of(a, hours(0)), disabled(of(b, hours(10))))).isEqualTo("a");
    }

    @Test
    void disabledPreviousIsRefused() {
        assertThat(at(hours(11), disabled(of(a, hours(0))), of(b, hours(10)))).isEqualTo("b");
    }

    @Test
    void removedPreviousIsRefused() {
        List<Occurrence> before = List.of(of(a, hours(0)), of(b, hours(10)));
        assertThat(at(hours(11), before)).isEqualTo("b a<34");
        assertThat(at(hours(11), of(b, hours(10)))).isEqualTo("b");
    }

    @Test
    void removedVersionBetweenTwoLeavesTheOlderOneToTheNewestsActivation() {
        assertThat(at(hours(21), of(a, hours(0)), of(c, hours(20)))).isEqualTo("c a<44");
    }

    @Test
    void equalMaterialUnderTwoIdsIsOneVersionAndNoRotation() {
        assertThat(at(hours(21), of(a, hours(0)), of(a, hours(20)))).isEqualTo("a");
        assertThat(at(hours(21), of(a, hours(0)), of(b, hours(10)), of(b, hours(20))))
                .as("the grace of a is counted from when b came first")
                .isEqualTo("b a<34");
    }

    @Test
    void companionAloneIsNeverCurrent() {
        assertThat(at(hours(1), of(a, null).withHold(Hold.WHILE_LISTED))).isEqualTo("- a");
        assertThat(at(hours(1), staged(of(a, null).withHold(Hold.WHILE_LISTED), Stage.PREVIOUS)))
                .as("a history that is mounted")
                .isEqualTo("a");
    }

    /** What disabling means for the version before: it was current until the next one that counts. */
    @Test
    void disabledVersionBetweenTwoLeavesTheOlderOneToTheNewestsActivation() {
        assertThat(at(hours(30), of(a, hours(0)), disabled(of(b, hours(1))), of(c, hours(29))))
                .isEqualTo("c a<53");
    }

    /** The end of a grace against another way to find it: look at each hour who was current in it. */
    @Test
    void graceOfRandomHistoriesEndsByTheHourInWhichAVersionWasLastCurrent() {
        Random random = new Random(20260102);
        int compared = 0;
        for (int round = 0; round < 20_000; round++) {
            int now = random.nextInt(60);
            List<Occurrence> history = randomHistory(random).stream()
                    .filter(one ->
                            one.activatedAt() != null && !one.activatedAt().isAfter(hours(now)))
                    .toList();
            for (Accepted previous : verdict(hours(now), history).previous()) {
                Integer lastHour = null;
                for (int hour = 0; hour <= now; hour++) {
                    if (currentIn(history, hours(hour), hours(now)) == previous.version()) {
                        lastHour = hour;
                    }
                }
                if (lastHour != null) {
                    Instant latest = hours(lastHour + 1).plus(GRACE);
                    assertThat(previous.until()).as("%s at %s", history, now).isNotNull();
                    assertThat(previous.until())
                            .as("%s of %s at hour %s", previous, history, now)
                            .isBeforeOrEqualTo(latest);
                    compared++;
                }
            }
        }
        assertThat(compared).isGreaterThan(1_000);
    }

    private static @Nullable VersionRecord currentIn(List<Occurrence> history, Instant hour, Instant now) {
        Occurrence current = null;
        Instant newest = Instant.MIN;
        for (Occurrence one : history) {
            Instant from = one.activatedAt();
            if (one.notBefore() != null && one.notBefore().isAfter(from)) {
                from = one.notBefore();
            }
            boolean open = one.enabled()
                    && !from.isAfter(hour)
                    && !from.isAfter(now)
                    && (one.expires() == null || one.expires().isAfter(hour));
            if (open && !from.isBefore(newest)) {
                current = one;
                newest = from;
            }
        }
        return current == null ? null : current.version();
    }

    @Test
    void blankCompanionIsNone() {
        VersionRecord blank = new VersionRecord("previous", SecretValue.ofText(" "));
        List<Occurrence> history =
                List.of(new Occurrence(blank, null, null, null, true, Stage.NONE, Hold.WHILE_LISTED), of(b, hours(0)));
        Verdict verdict =
                Acceptance.at(history, version -> version.value().placeholderProblem() == null, GRACE, hours(1));
        assertThat(text(verdict)).isEqualTo("b");
    }

    @Test
    void unusableVersionNeverReplacesAGoodOneHoweverLongItLasts() {
        List<Occurrence> history = List.of(of(a, hours(0)), of(b, hours(10)));
        Verdict verdict = Acceptance.at(history, version -> version != b, GRACE, hours(5000));
        assertThat(text(verdict)).isEqualTo("a");
    }

    @Test
    void missingTimestampsGiveNoGrace() {
        assertThat(at(hours(1), of(a, null), of(b, null))).isEqualTo("b");
    }

    @Test
    void unknownStartOfTheFirstVersionDoesNotMatter() {
        assertThat(at(hours(11), of(a, null), of(b, hours(10)))).isEqualTo("b a<34");
    }

    @Test
    void orderOfTheStoreDecidesBetweenEqualTimes() {
        assertThat(at(hours(1), of(a, hours(0)), of(b, hours(0)))).isEqualTo("b a<24");
    }

    @Test
    void storesClockAheadOfOursActivatesAtOnceAndAnchorsToTheStoresTime() {
        assertThat(at(hours(10), of(a, hours(0)), of(b, hours(10.5)))).isEqualTo("b a<34.5");
    }

    @Test
    void storesClockBehindOursEndsTheGraceByTheStoresTime() {
        // Put at hour 10 by our clock, which the store dates half an hour earlier.
        List<Occurrence> history = List.of(of(a, hours(0)), of(b, hours(9.5)));
        assertThat(at(hours(10), history)).isEqualTo("b a<33.5");
        assertThat(at(hours(33.5), history)).isEqualTo("b");
    }

    @Test
    void labelBeatsTimes() {
        Occurrence rolledBack = staged(of(a, hours(0)), Stage.CURRENT);
        Occurrence left = staged(of(b, hours(10)), Stage.PREVIOUS);
        assertThat(at(hours(20), rolledBack, left)).isEqualTo("a b<34");
    }

    @Test
    void pendingLabelIsUpcomingAndNeverCurrent() {
        assertThat(at(hours(20), of(a, hours(0)), staged(of(b, hours(10)), Stage.PENDING)))
                .isEqualTo("a ^b");
        assertThat(at(hours(20), staged(of(b, hours(10)), Stage.PENDING))).isEqualTo("- ^b");
    }

    @Test
    void companionIsAcceptedForAsLongAsItIsListed() {
        Occurrence companion = of(a, null).withHold(Hold.WHILE_LISTED);
        assertThat(at(hours(5000), companion, of(b, null))).isEqualTo("b a");
        assertThat(at(hours(5000), of(b, null))).isEqualTo("b");
    }

    @Test
    void valueThatOnlyStandsInIsNeverPrevious() {
        List<Occurrence> history = List.of(of(a, null).withHold(Hold.NEVER), of(b, hours(10)));
        assertThat(at(hours(11), history)).isEqualTo("b");
        assertThat(text(Acceptance.at(history, version -> version != b, GRACE, hours(11))))
                .isEqualTo("a");
    }

    @Test
    void zeroGraceAcceptsTheCurrentOnly() {
        List<Occurrence> history = List.of(of(a, hours(0)), of(b, hours(10)));
        assertThat(text(Acceptance.at(history, version -> true, Duration.ZERO, hours(10))))
                .isEqualTo("b");
    }

    @Test
    void graceWithoutEndIsAccepted() {
        List<Occurrence> history = List.of(of(a, hours(0)), of(b, hours(10)));
        Duration forEver = Duration.ofSeconds(Long.MAX_VALUE);
        assertThat(text(Acceptance.at(history, version -> true, forEver, hours(5000))))
                .isEqualTo("b a");
    }

    @Test
    void numberOfAcceptedVersionsIsBounded() {
        List<Occurrence> history = new ArrayList<>();
        for (int i = 0; i < 30; i++) {
            history.add(of(new VersionRecord("n" + i, SecretValue.ofText("n" + i)), T.plusSeconds(i)));
        }
        Verdict verdict = verdict(T.plusSeconds(60), history);
        assertThat(verdict.previous()).hasSize(Acceptance.MAX_ACCEPTED - 1);
        assertThat(verdict.previous().get(0).version().id()).isEqualTo("n28");
    }

    @Test
    void emptyHistoryHasNothing() {
        assertThat(at(hours(1))).isEqualTo("-");
    }

    /** Properties over random histories, so that the cases above are not the only ones that were thought of. */
    @Test
    void randomHistoriesKeepTheRules() {
        Random random = new Random(20260101);
        for (int round = 0; round < 20_000; round++) {
            List<Occurrence> history = randomHistory(random);
            Instant now = hours(random.nextInt(60));
            Verdict verdict = verdict(now, history);
            Set<VersionRecord> open = Set.copyOf(history.stream()
                    .filter(one -> one.enabled()
                            && (one.notBefore() == null || !one.notBefore().isAfter(now))
                            && (one.expires() == null || one.expires().isAfter(now)))
                    .map(Occurrence::version)
                    .toList());
            List<VersionRecord> accepted = Stream.concat(
                            Stream.ofNullable(verdict.current()), verdict.previous().stream())
                    .map(Accepted::version)
                    .toList();

            assertThat(verdict.current() == null).as("%s at %s", history, now).isEqualTo(open.isEmpty());
            assertThat(open).as("%s at %s", history, now).containsAll(accepted);
            assertThat(accepted).as("%s at %s", history, now).doesNotHaveDuplicates();
            assertThat(verdict.previous())
                    .allSatisfy(one -> assertThat(one.until())
                            .satisfiesAnyOf(
                                    end -> assertThat(end).isNull(),
                                    end -> assertThat(end).isAfter(now)));
            Instant next = verdict.nextChange();
            assertThat(next)
                    .satisfiesAnyOf(
                            time -> assertThat(time).isNull(),
                            time -> assertThat(time).isAfter(now));
            if (next != null) {
                Instant justBefore = next.minusNanos(1);
                assertThat(ids(verdict(justBefore, history)))
                        .as("nothing changes before the announced moment: %s at %s", history, now)
                        .isEqualTo(ids(verdict));
            }
        }
    }

    private List<Occurrence> randomHistory(Random random) {
        List<VersionRecord> materials = List.of(a, b, c);
        return IntStream.range(0, random.nextInt(5))
                .mapToObj(i -> {
                    Instant activated = random.nextInt(6) == 0 ? null : hours(random.nextInt(50));
                    Occurrence one = of(materials.get(random.nextInt(3)), activated);
                    one = random.nextInt(4) == 0 ? notBefore(one, hours(random.nextInt(70))) : one;
                    one = random.nextInt(4) == 0 ? expires(one, hours(random.nextInt(70))) : one;
                    return random.nextInt(6) == 0 ? disabled(one) : one;
                })
                .toList();
    }

    private static String ids(Verdict verdict) {
        return text(verdict).replaceAll("<[0-9.]+", "");
    }

    private static String at(Instant now, Occurrence... history) {
        return at(now, List.of(history));
    }

    private static String at(Instant now, List<Occurrence> history) {
        return text(verdict(now, history));
    }

    private static Verdict verdict(Instant now, List<Occurrence> history) {
        return Acceptance.at(history, version -> true, GRACE, now);
    }

    /** {@code current<end previous<end ^upcoming}, ends in hours. */
    private static String text(Verdict verdict) {
        StringBuilder text = new StringBuilder(verdict.current() == null ? "-" : text(verdict.current()));
        verdict.previous().forEach(one -> text.append(' ').append(text(one)));
        if (verdict.upcoming() != null) {
            text.append(" ^").append(verdict.upcoming().version().id());
        }
        return text.toString();
    }

    private static String text(Accepted one) {
        if (one.until() == null) {
            return one.version().id();
        }
        double hours = Duration.between(T, one.until()).toSeconds() / 3600.0;
        return one.version().id() + "<" + (hours == (long) hours ? Long.toString((long) hours) : hours);
    }

    private static Instant hours(double hours) {
        return T.plusSeconds((long) (hours * 3600));
    }

    private static Occurrence of(VersionRecord version, @Nullable Instant activated) {
        return new Occurrence(version, activated, null, null, true, Stage.NONE, Hold.GRACE);
    }

    private static Occurrence notBefore(Occurrence one, Instant time) {
        return new Occurrence(
                one.version(), one.activatedAt(), time, one.expires(), one.enabled(), one.stage(), one.hold());
    }

    private static Occurrence expires(Occurrence one, Instant time) {
        return new Occurrence(
                one.version(), one.activatedAt(), one.notBefore(), time, one.enabled(), one.stage(), one.hold());
    }

    private static Occurrence disabled(Occurrence one) {
        return new Occurrence(
                one.version(), one.activatedAt(), one.notBefore(), one.expires(), false, one.stage(), one.hold());
    }

    private static Occurrence staged(Occurrence one, Stage stage) {
        return new Occurrence(
                one.version(), one.activatedAt(), one.notBefore(), one.expires(), one.enabled(), stage, one.hold());
    }
}
