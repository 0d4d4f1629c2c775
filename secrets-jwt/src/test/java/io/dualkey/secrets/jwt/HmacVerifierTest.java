package io.dualkey.secrets.jwt;

import static io.dualkey.secrets.jwt.HmacVerifier.Result.ACCEPTED;
import static io.dualkey.secrets.jwt.HmacVerifier.Result.BAD_SIGNATURE;
import static io.dualkey.secrets.jwt.HmacVerifier.Result.MALFORMED;
import static io.dualkey.secrets.jwt.HmacVerifier.Result.OUTSIDE_TOLERANCE;
import static io.dualkey.secrets.jwt.Tokens.base64;
import static io.dualkey.secrets.jwt.Tokens.hmacKey;
import static io.dualkey.secrets.jwt.Tokens.mac;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import com.sun.management.ThreadMXBean;
import io.dualkey.secrets.RefreshCause;
import io.dualkey.secrets.RefreshResult;
import io.dualkey.secrets.Role;
import io.dualkey.secrets.SecretStartupException;
import io.dualkey.secrets.SecretUnavailableException;
import io.dualkey.secrets.SecretValue;
import io.dualkey.secrets.StoredVersion;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

class HmacVerifierTest {

    private static final byte[] OLD = hmacKey(1);
    private static final byte[] NEW = hmacKey(2);
    private static final byte[] FORGED = hmacKey(666);
    private static final String TEXT = "{\"event\":\"paid\"}";
    private static final byte[] BODY = TEXT.getBytes(UTF_8);

    private final Rig rig = new Rig();

    @AfterEach
    void close() {
        rig.close();
    }

    private HmacVerifier.Builder builder() {
        return HmacVerifier.sha256(rig.secret, KeyFormat.BASE64).clock(rig.clock);
    }

    private HmacVerifier started(HmacVerifier.Builder builder) {
        HmacVerifier verifier = builder.build();
        rig.put(OLD);
        rig.start();
        return verifier;
    }

    private static String hex(byte[] key, String text) {
        return HexFormat.of().formatHex(mac(key, text));
    }

    private static String stripe(byte[] key, Instant time) {
        return "t=" + time.getEpochSecond() + ",v1=" + hex(key, time.getEpochSecond() + "." + TEXT);
    }

    // Form

    /** RFC 4231 section 4, all cases of HMAC-SHA-256 that are not cut off. */
    @ParameterizedTest
    @CsvSource({
        "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b, 4869205468657265,"
                + " b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
        "4a656665, 7768617420646f2079612077616e7420666f72206e6f7468696e673f,"
                + " 5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        "aa*20, dd*50, 773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
        "0102030405060708090a0b0c0d0e0f10111213141516171819, cd*50,"
                + " 82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
        "aa*131, 54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d2048617368204b6579"
                + "204669727374, 60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        "aa*131, 5468697320697320612074657374207573696e672061206c6172676572207468616e20626c6f636b2d73697a65206b65"
                + "7920616e642061206c6172676572207468616e20626c6f636b2d73697a6520646174612e20546865206b6579206e6565"
                + "647320746f20626520686173686564206265666f7265206265696e6720757365642062792074686520484d414320616c"
                + "676f726974686d2e, 9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"
    })
    void macsAreThoseOfTheStandard(String key, String text, String mac) {
        byte[] message = bytes(text);
        byte[] beginning = Arrays.copyOf(message, 3);
        byte[] rest = Arrays.copyOfRange(message, 3, message.length);

        assertThat(new MacKey(bytes(key)).compute(beginning, rest)).isEqualTo(bytes(mac));
    }

    /** Digits, or two of them and how often. */
    private static byte[] bytes(String digits) {
        int times = digits.indexOf('*');
        String all =
                times < 0 ? digits : digits.substring(0, times).repeat(Integer.parseInt(digits.substring(times + 1)));
        return HexFormat.of().parseHex(all);
    }

    @Test
    void signaturesInHexInBase64AndWithAPrefixAreAccepted() {
        HmacVerifier hex = started(builder());
        HmacVerifier base64 = builder().base64().build();
        HmacVerifier github = builder().prefix("sha256=").build();
        rig.refresh();

        assertThat(hex.verify(BODY, hex(OLD, TEXT))).isEqualTo(ACCEPTED);
        assertThat(base64.verify(BODY, base64(mac(OLD, TEXT)))).isEqualTo(ACCEPTED);
        assertThat(github.verify(BODY, "sha256=" + hex(OLD, TEXT))).isEqualTo(ACCEPTED);
        assertThat(hex.verify(new byte[0], hex(OLD, ""))).isEqualTo(ACCEPTED);
        assertThat(hex.verify((TEXT + " ").getBytes(UTF_8), hex(OLD, TEXT))).isEqualTo(BAD_SIGNATURE);
        assertThat(hex.verify(BODY, hex(FORGED, TEXT))).isEqualTo(BAD_SIGNATURE);
    }

    @Test
    void aHeaderThatIsNotExactlyASignatureIsMalformed() {
        HmacVerifier verifier = started(builder().prefix("sha256="));
        String good = hex(OLD, TEXT);
        long before = rig.store.reads();

        for (String header : new String[] {
            null,
            "",
            "sha256=",
            good,
            "SHA256=" + good,
            "sha1=" + good,
            "sha256=" + good.toUpperCase(Locale.ROOT),
            "sha256=" + good.substring(1),
            "sha256=" + good.substring(2),
            "sha256=" + good + "0",
            "sha256=" + good + "00",
            "sha256=" + good + " ",
            " sha256=" + good,
            "sha256= " + good.substring(1),
            "sha256=g" + good.substring(1),
            "sha256=" + good.substring(1) + "\u0660", // a digit, but not of ASCII
            "sha256=" + good.substring(1) + "\u0161", // 'a' if its high byte is dropped
            "sha256=" + good + ",sha256=" + good,
            "sha256=" + base64(mac(OLD, TEXT)),
            "x".repeat(1 << 20)
        }) {
            assertThat(verifier.verify(BODY, header)).as("%.80s", header).isEqualTo(MALFORMED);
        }
        assertThat(rig.store.reads()).isEqualTo(before);
    }

    @Test
    void base64HasPaddingAndNoLooseBits() {
        HmacVerifier verifier = started(builder().base64());
        String good = base64(mac(OLD, TEXT));
        String digits = good.substring(0, 43);

        assertThat(good).hasSize(44).endsWith("=");
        String alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        int last = alphabet.indexOf(good.charAt(42));
        for (String header : new String[] {
            digits,
            digits + "==",
            digits + "A",
            digits + "=\n",
            "=" + digits,
            good.substring(0, 42) + alphabet.charAt(last + 1) + "=",
            good.substring(0, 42) + alphabet.charAt(last + 3) + "=",
            "-" + good.substring(1),
            "_" + good.substring(1),
            " " + good.substring(1),
            "\u0141" + good.substring(1),
            hex(OLD, TEXT)
        }) {
            assertThat(verifier.verify(BODY, header)).as(header).isEqualTo(MALFORMED);
        }
        assertThat(verifier.verify(BODY, good)).isEqualTo(ACCEPTED);
    }

    /** Both spellings of many MACs are read as the JDK writes them. */
    @Test
    void everyMacHasOneSpellingThatIsRead() {
        for (int seed = 0; seed < 1000; seed++) {
            byte[] mac = hmacKey(seed);
            String hex = HexFormat.of().formatHex(mac);

            assertThat(SignatureEncoding.HEX.decode(hex, 0, 64)).isEqualTo(mac);
            assertThat(SignatureEncoding.BASE64.decode("x" + base64(mac), 1, 45))
                    .isEqualTo(mac);
        }
    }

    // Timestamps

    @Test
    void aTimestampedSignatureIsAcceptedWithinTheToleranceBothWays() {
        HmacVerifier verifier = started(builder().timestamped());
        Instant now = rig.clock.instant();

        for (int seconds : new int[] {0, 300, -300}) {
            assertThat(verifier.verify(BODY, stripe(OLD, now.plusSeconds(seconds))))
                    .as("%s seconds", seconds)
                    .isEqualTo(ACCEPTED);
        }
        for (int seconds : new int[] {301, -301, 1_000_000_000, -1_700_000_000}) {
            assertThat(verifier.verify(BODY, stripe(OLD, now.plusSeconds(seconds))))
                    .as("%s seconds", seconds)
                    .isEqualTo(OUTSIDE_TOLERANCE);
        }
        rig.clock.advance(Duration.ofMillis(1));
        assertThat(verifier.verify(BODY, stripe(OLD, now.minusSeconds(300)))).isEqualTo(OUTSIDE_TOLERANCE);
    }

    @Test
    void theTimeIsSignedToo() {
        HmacVerifier verifier = started(builder().timestamped());
        Instant now = rig.clock.instant();
        String old = stripe(OLD, now.minusSeconds(3600));
        String replayed = "t=" + now.getEpochSecond() + old.substring(old.indexOf(','));

        assertThat(verifier.verify(BODY, replayed)).isEqualTo(BAD_SIGNATURE);
        assertThat(verifier.verify(BODY, "t=" + now.getEpochSecond() + ",v1=" + hex(OLD, TEXT)))
                .isEqualTo(BAD_SIGNATURE);
    }

    @Test
    void oneOfSeveralSignaturesMustBeGood() {
        HmacVerifier verifier = started(builder().timestamped());
        long now = rig.clock.instant().getEpochSecond();
        String good = "v1=" + hex(OLD, now + "." + TEXT);
        String bad = "v1=" + hex(FORGED, now + "." + TEXT);
        String other = "v0=" + hex(OLD, now + "." + TEXT);

        assertThat(verifier.verify(BODY, "t=" + now + "," + bad + "," + good)).isEqualTo(ACCEPTED);
        assertThat(verifier.verify(BODY, good + "," + bad + ",t=" + now)).isEqualTo(ACCEPTED);
        assertThat(verifier.verify(BODY, "t=" + now + "," + good + "," + other)).isEqualTo(ACCEPTED);
        assertThat(verifier.verify(BODY, "t=" + now + "," + bad + "," + bad)).isEqualTo(BAD_SIGNATURE);
        assertThat(verifier.verify(BODY, "t=" + now + "," + other)).isEqualTo(MALFORMED);
    }

    @Test
    void aTimestampedHeaderIsReadStrictly() {
        HmacVerifier verifier = started(builder().timestamped());
        long now = rig.clock.instant().getEpochSecond();
        String t = "t=" + now;
        String v1 = "v1=" + hex(OLD, now + "." + TEXT);
        long before = rig.store.reads();

        for (String header : new String[] {
            null,
            "",
            t,
            v1,
            t + "," + t + "," + v1,
            t + "," + v1 + "," + t,
            t + "," + v1 + ",",
            "," + t + "," + v1,
            t + ",," + v1,
            t + ", " + v1,
            t + " ," + v1,
            t + ";" + v1,
            t + "," + v1 + ",v1=",
            t + "," + v1 + ",v1=" + "0".repeat(63),
            t + "," + v1 + ",v0",
            t + "," + v1 + ",=x",
            t + "," + v1 + ",V0=x",
            t + "," + v1 + ",v0=x y",
            t + "," + v1 + ",v0=\u00e9",
            t + "," + v1.toUpperCase(Locale.ROOT),
            "T=" + now + "," + v1,
            "t=," + v1,
            "t=0," + v1,
            "t=0" + now + "," + v1,
            "t=+" + now + "," + v1,
            "t=-" + now + "," + v1,
            "t=" + now + ".0," + v1,
            "t=1000000000000," + v1,
            "t=99999999999999999999," + v1,
            "t=\u0661," + v1,
            t + "," + v1 + ",v0=" + "x".repeat(1024),
            ",".repeat(1 << 20)
        }) {
            assertThat(verifier.verify(BODY, header)).as("%.120s", header).isEqualTo(MALFORMED);
        }
        assertThat(verifier.verify(BODY, t + "," + v1)).isEqualTo(ACCEPTED);
        assertThat(rig.store.reads()).isEqualTo(before);
    }

    // Rotation

    @Test
    void thePreviousSecretIsAcceptedWithinItsGraceAndCounted() {
        HmacVerifier verifier = started(builder());
        rig.clock.advance(Duration.ofHours(1));
        rig.put(NEW);
        rig.refresh();

        assertThat(verifier.verify(BODY, hex(NEW, TEXT))).isEqualTo(ACCEPTED);
        assertThat(verifier.verify(BODY, hex(OLD, TEXT))).isEqualTo(ACCEPTED);
        assertThat(verifier.verify(BODY, hex(OLD, TEXT))).isEqualTo(ACCEPTED);
        assertThat(verifier.verify(BODY, hex(FORGED, TEXT))).isEqualTo(BAD_SIGNATURE);
        assertThat(uses(Role.CURRENT)).isEqualTo(1);
        assertThat(uses(Role.PREVIOUS)).isEqualTo(2);

        rig.clock.advance(Rig.GRACE); // and no check has come since
        assertThat(verifier.verify(BODY, hex(OLD, TEXT))).isEqualTo(BAD_SIGNATURE);
        assertThat(verifier.verify(BODY, hex(NEW, TEXT))).isEqualTo(ACCEPTED);
    }

    private long uses(Role role) {
        return rig.source.status(Rig.NAME).orElseThrow().uses().get(role);
    }

    @Test
    void aPreviousSecretThatIsRemovedIsRefusedAtOnce() {
        HmacVerifier verifier = builder().build();
        String leaked = rig.put(OLD);
        rig.clock.advance(Duration.ofHours(1));
        rig.put(NEW);
        rig.start();
        assertThat(verifier.verify(BODY, hex(OLD, TEXT))).isEqualTo(ACCEPTED);

        rig.store.remove(Rig.NAME, leaked);
        rig.refresh();

        assertThat(verifier.verify(BODY, hex(OLD, TEXT))).isEqualTo(BAD_SIGNATURE);
        assertThat(verifier.verify(BODY, hex(NEW, TEXT))).isEqualTo(ACCEPTED);
    }

    @Test
    void anAnnouncedSecretIsAcceptedBeforeItIsInForce() {
        HmacVerifier verifier = builder().build();
        rig.put(OLD);
        rig.store.add(
                Rig.NAME,
                StoredVersion.of("next", SecretValue.ofText(base64(NEW)))
                        .withActivatedAt(rig.clock.instant())
                        .withNotBefore(rig.clock.instant().plusSeconds(3600)));
        rig.start();

        assertThat(verifier.verify(BODY, hex(NEW, TEXT))).isEqualTo(ACCEPTED);
        assertThat(verifier.verify(BODY, hex(OLD, TEXT))).isEqualTo(ACCEPTED);
    }

    @Test
    void noMessageIsRefusedWhileTheSecretIsRotatedInMidFlight() throws Exception {
        HmacVerifier verifier = started(builder());
        AtomicBoolean done = new AtomicBoolean();
        ExecutorService senders = Executors.newFixedThreadPool(2);
        try {
            List<Future<Integer>> refused = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                refused.add(senders.submit(() -> {
                    String signature = hex(OLD, TEXT);
                    int count = 0;
                    do {
                        count += verifier.verify(BODY, signature) == ACCEPTED ? 0 : 1;
                    } while (!done.get());
                    return count;
                }));
            }
            for (int i = 0; i < 4; i++) {
                rig.put(hmacKey(100 + i));
                rig.refresh();
                assertThat(verifier.verify(BODY, hex(hmacKey(100 + i), TEXT))).isEqualTo(ACCEPTED);
            }
            done.set(true);
            for (Future<Integer> count : refused) {
                assertThat(count.get(30, TimeUnit.SECONDS)).isZero();
            }
        } finally {
            done.set(true);
            senders.shutdownNow();
        }
    }

    @Test
    void anUnknownSignatureBringsTheNewSecretAndIsAccepted() {
        HmacVerifier verifier = started(builder().refreshWait(Duration.ofSeconds(30)));
        rig.put(NEW);

        assertThat(verifier.verify(BODY, hex(NEW, TEXT))).isEqualTo(ACCEPTED);
        assertThat(verifier.verify(BODY, hex(OLD, TEXT))).isEqualTo(ACCEPTED);
    }

    @Test
    void waitingCanBeSwitchedOffAndTheRepetitionIsAccepted() {
        HmacVerifier verifier = started(builder().refreshWait(Duration.ZERO));
        rig.store.hang();
        rig.put(NEW);

        assertThat(verifier.verify(BODY, hex(NEW, TEXT))).isEqualTo(BAD_SIGNATURE);
        assertThat(verifier.verifyAsync(BODY, hex(NEW, TEXT))).isCompletedWithValue(BAD_SIGNATURE);

        rig.store.recover();
        Awaitility.await().until(() -> verifier.verify(BODY, hex(NEW, TEXT)) == ACCEPTED);
    }

    @Test
    void onlyAFewThreadsWaitForANewSecret() throws Exception {
        HmacVerifier verifier = started(builder().refreshWait(Duration.ofMinutes(1)));
        rig.store.hang();
        rig.put(NEW);
        int threads = UnknownKeyRefresh.MAX_UNDER_WAY + 4;
        ExecutorService senders = Executors.newFixedThreadPool(threads);
        try {
            List<Future<HmacVerifier.Result>> results = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                results.add(senders.submit(() -> verifier.verify(BODY, hex(NEW, TEXT))));
            }
            Awaitility.await()
                    .until(() -> results.stream().filter(Future::isDone).count() == 4
                            && verifier.refreshesUnderWay() == UnknownKeyRefresh.MAX_UNDER_WAY);
            assertThat(verifier.verify(BODY, hex(OLD, TEXT))).isEqualTo(ACCEPTED);

            rig.store.recover();
            int accepted = 0;
            for (Future<HmacVerifier.Result> result : results) {
                accepted += result.get(30, TimeUnit.SECONDS) == ACCEPTED ? 1 : 0;
            }
            assertThat(accepted).isEqualTo(UnknownKeyRefresh.MAX_UNDER_WAY);
        } finally {
            rig.store.recover();
            senders.shutdownNow();
        }
    }

    @Test
    void anAsynchronousCallerGetsTheMessageOfANewSecretAcceptedWithoutWaiting() {
        HmacVerifier verifier = started(builder().timestamped().refreshWait(Duration.ofMinutes(1)));
        rig.store.hang();
        rig.put(NEW);
        Instant now = rig.clock.instant();

        assertThat(verifier.verifyAsync(BODY, stripe(OLD, now))).isCompletedWithValue(ACCEPTED);
        assertThat(verifier.verifyAsync(BODY, stripe(OLD, now.minusSeconds(3600))))
                .isCompletedWithValue(OUTSIDE_TOLERANCE);
        assertThat(verifier.verifyAsync(BODY, stripe(NEW, now.minusSeconds(3600))))
                .isCompletedWithValue(BAD_SIGNATURE);
        assertThat(verifier.verifyAsync(BODY, null)).isCompletedWithValue(MALFORMED);
        var result = verifier.verifyAsync(BODY, stripe(NEW, now));
        assertThat(result).isNotDone();

        rig.store.recover();
        assertThat(result.join()).isEqualTo(ACCEPTED);
        assertThat(verifier.refreshesUnderWay()).isZero();
    }

    @Test
    void forgedMessagesCostOneReadAndThenNone() {
        HmacVerifier verifier = started(builder());
        long before = rig.store.reads();

        assertThat(verifier.verify(BODY, hex(FORGED, TEXT))).isEqualTo(BAD_SIGNATURE);
        Awaitility.await().until(() -> rig.store.reads() == before + 1);
        for (int i = 0; i < 1000; i++) {
            assertThat(verifier.verify(BODY, hex(FORGED, TEXT))).isEqualTo(BAD_SIGNATURE);
        }

        assertThat(rig.store.reads()).isEqualTo(before + 1);
    }

    @Test
    void messagesOfAnotherTimeCauseNoRead() {
        HmacVerifier verifier = started(builder().timestamped());
        long before = rig.store.reads();

        Instant stale = rig.clock.instant().minusSeconds(3600);
        assertThat(verifier.verify(BODY, stripe(FORGED, stale))).isEqualTo(BAD_SIGNATURE);
        rig.refresh(); // whatever was asked for has been answered by now

        assertThat(rig.store.reads()).isEqualTo(before + 1);
        assertThat(rig.secret.refresh(RefreshCause.UNTRUSTED).join()).isNotEqualTo(RefreshResult.LIMITED);
    }

    @Test
    void forgedMessagesKeepNothingWhileTheStoreHangs() {
        HmacVerifier verifier = started(builder().refreshWait(Duration.ofMillis(1)));
        String forged = hex(FORGED, TEXT);
        long healthy = bytesPerMessage(verifier, forged);
        rig.clock.advance(Duration.ofHours(1));
        rig.store.hang();
        try {
            var unused = rig.secret.refresh(RefreshCause.OPERATOR); // under way until the store answers
            assertThat(bytesPerMessage(verifier, forged)).isLessThanOrEqualTo(healthy);
            assertThat(verifier.verify(BODY, hex(OLD, TEXT))).isEqualTo(ACCEPTED);
        } finally {
            rig.store.recover();
        }
    }

    // Rules

    @Test
    void withoutASecretThereIsNoAnswer() {
        HmacVerifier verifier = builder().build();

        assertThatThrownBy(() -> verifier.verify(BODY, hex(OLD, TEXT))).isInstanceOf(SecretUnavailableException.class);
        assertThat(verifier.verifyAsync(BODY, hex(OLD, TEXT)))
                .failsWithin(Duration.ZERO)
                .withThrowableOfType(ExecutionException.class)
                .withCauseInstanceOf(SecretUnavailableException.class);
    }

    @Test
    void aSecretUnder16BytesIsUnusableAndTheStartSaysSo() {
        rig.store.put(Rig.NAME, base64(new byte[15]));
        builder().build();

        assertThatThrownBy(rig::start)
                .isInstanceOf(SecretStartupException.class)
                .hasMessageContaining(Rig.NAME)
                .hasMessageContaining("at least 16 bytes");
    }

    @Test
    void contradictoryAndSenselessSettingsAreRefused() {
        assertThatIllegalStateException()
                .isThrownBy(() -> builder().timestamped().prefix("sha256=").build())
                .withMessageContaining("prefix");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> builder().timestamped(Duration.ZERO))
                .withMessageContaining("tolerance");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> builder().timestamped(Duration.ofDays(2)))
                .withMessageContaining("tolerance");
        assertThatIllegalArgumentException().isThrownBy(() -> builder().prefix(""));
    }

    // Cost

    @ParameterizedTest
    @ValueSource(ints = {100, 100_000})
    void whatAMessageCostsDoesNotDependOnItsLength(int length) {
        String text = "x".repeat(length);
        byte[] body = text.getBytes(ISO_8859_1);
        HmacVerifier verifier = started(builder().prefix("sha256="));

        assertThat(bytesPerMessage(verifier, body, "sha256=" + hex(OLD, text))).isLessThanOrEqualTo(512);
    }

    @Test
    void aTimestampedMessageCostsLittleMore() {
        HmacVerifier verifier = started(builder().timestamped());

        assertThat(bytesPerMessage(verifier, stripe(OLD, rig.clock.instant()))).isLessThanOrEqualTo(768);
    }

    private static long bytesPerMessage(HmacVerifier verifier, String header) {
        return bytesPerMessage(verifier, BODY, header);
    }

    private static long bytesPerMessage(HmacVerifier verifier, byte[] body, String header) {
        ThreadMXBean memory = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        int calls = 200;
        long best = Long.MAX_VALUE;
        for (int attempt = 0; attempt < 60; attempt++) { // the first ones warm up
            long before = memory.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < calls; i++) {
                verifier.verify(body, header);
            }
            best = Math.min(best, (memory.getCurrentThreadAllocatedBytes() - before) / calls);
        }
        return best;
    }

    // Secrecy

    private static String shownAs(Object object) {
        return object.toString();
    }

    @Test
    void theSecretIsNeverShown() {
        String canary = "canary-7d9f2c61-5b7e-4f0e-8f5e-6f2d1f1f9a3c";
        ListAppender<ILoggingEvent> log = new ListAppender<>();
        Logger root = (Logger) LoggerFactory.getLogger("io.dualkey");
        Level level = root.getLevel();
        root.setLevel(Level.TRACE);
        log.start();
        root.addAppender(log);
        List<String> shown = new ArrayList<>();
        try {
            rig.store.put(Rig.NAME, canary);
            HmacVerifier verifier = HmacVerifier.sha256(rig.secret, KeyFormat.TEXT)
                    .clock(rig.clock)
                    .build();
            var parsed = rig.secret.map(value -> MacKey.parse(value, KeyFormat.TEXT));
            rig.start();
            String expected = hex(canary.getBytes(UTF_8), TEXT);
            assertThat(verifier.verify(BODY, expected)).isEqualTo(ACCEPTED);
            shown.add(verifier.toString());
            shown.add(shownAs(parsed.current()));
            shown.add(parsed.versions().toString());
            for (KeyFormat format : List.of(KeyFormat.BASE64, KeyFormat.BASE64URL, KeyFormat.HEX)) {
                try {
                    MacKey.parse(SecretValue.ofText(canary + "!"), format);
                } catch (RuntimeException refused) {
                    StringWriter trace = new StringWriter();
                    refused.printStackTrace(new PrintWriter(trace));
                    shown.add(trace.toString());
                }
                HmacVerifier.sha256(rig.secret, format).build(); // says in the status that it cannot be read
            }
            rig.refresh();
            shown.add(rig.secret.status().toString());
            shown.add(verifier.verify(BODY, hex(FORGED, TEXT)).toString());
            // The signature that would have been right lets its holder in, so it is a secret as well.
            assertThat(shown)
                    .hasSizeGreaterThanOrEqualTo(8)
                    .noneMatch(text -> text.contains(expected.substring(0, 12)));
        } finally {
            root.detachAppender(log);
            root.setLevel(level);
        }
        log.list.forEach(event -> shown.add(event.getFormattedMessage()));
        for (String secret : List.of(
                canary.substring(7),
                base64(canary.getBytes(UTF_8)),
                HexFormat.of().formatHex(canary.getBytes(UTF_8)))) {
            for (int from = 0; from + 12 <= secret.length(); from += 6) {
                String part = secret.substring(from, from + 12);
                assertThat(shown).noneMatch(text -> text.contains(part));
            }
        }
    }
}
