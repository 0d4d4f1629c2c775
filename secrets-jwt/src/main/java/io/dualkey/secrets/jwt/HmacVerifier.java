package io.dualkey.secrets.jwt;

import io.dualkey.secrets.RefreshCause;
import io.dualkey.secrets.RefreshResult;
import io.dualkey.secrets.Rotating;
import io.dualkey.secrets.SecretUnavailableException;
import io.dualkey.secrets.SecretValue;
import io.dualkey.secrets.Version;
import io.dualkey.secrets.Versions;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Verifies that a message, such as a webhook, comes from somebody who has the secret, with a secret that rotates: the
 * sender signs the body by HMAC with SHA-256 (RFC 2104) and puts the signature into a header. Signatures by the current
 * secret, by the previous ones within their grace period, and by the upcoming one if the store announces it are accepted.
 *
 * <pre>{@code
 * var github = HmacVerifier.sha256(secrets.secret("github-webhook"), KeyFormat.TEXT)
 *         .prefix("sha256=")
 *         .build();
 * var stripe = HmacVerifier.sha256(secrets.secret("stripe-webhook"), KeyFormat.TEXT)
 *         .timestamped()
 *         .build();
 * secrets.start(Duration.ofSeconds(10));
 *
 * if (github.verify(body, request.getHeader("X-Hub-Signature-256")) != HmacVerifier.Result.ACCEPTED) {
 *     // answer 401 and do nothing
 * }
 * }</pre>
 *
 * <p>The header must be exactly what the verifier was told: without white space, and with signatures in hexadecimal digits
 * of lower case or in base64 with padding. So each signature has one spelling.
 *
 * <p>If no accepted secret fits a message that looks right otherwise, the secret is refreshed within the budget of {@link
 * RefreshCause#UNTRUSTED}, and the message is judged again if that brings a new secret in time. A few threads at most wait
 * for that, each for {@link Builder#refreshWait} at most; all others never wait. Nor does anybody where the budget is
 * spent or the last attempt, less than a second ago, brought nothing new. {@link #verifyAsync} is for callers that must
 * never wait. To depend on none of this, put the new secret into the store first and let the sender use it a refresh
 * interval later.
 *
 * <p>Safe for use by several threads, virtual ones included.
 */
public final class HmacVerifier {

    /*
     * Concurrency: keys, what the pools within them hand out to one thread at a time, and the requests for newer keys are
     * all that is shared. Nothing of it is held while a thread waits.
     */

    private final Rotating<MacKey> keys;
    private final SignatureEncoding encoding;
    private final String prefix;
    private final @Nullable Duration tolerance;
    private final Clock clock;
    private final UnknownKeyRefresh unknownKeys;

    /** What was found. */
    public enum Result {
        /** The signature is good, and so is its time if it has one. */
        ACCEPTED,
        /** The header is absent or not of the form that the verifier was told. */
        MALFORMED,
        /** No accepted secret makes this signature for this body. */
        BAD_SIGNATURE,
        /** The signature is good, but was made too long ago or too far in the future. */
        OUTSIDE_TOLERANCE
    }

    private HmacVerifier(Builder builder) {
        KeyFormat format = builder.format;
        this.keys = builder.secret.map(value -> MacKey.parse(value, format));
        this.encoding = builder.encoding;
        this.prefix = builder.prefix;
        this.tolerance = builder.tolerance;
        this.clock = builder.clock;
        this.unknownKeys = new UnknownKeyRefresh(keys, clock, builder.refreshWait);
    }

    /**
     * {@return a builder of verifiers of HMAC with SHA-256} Secrets under 16 bytes are unusable.
     *
     * @param secret what the sender signs with
     * @param format how the secret's value spells it; most senders mean the text that they show
     * @throws IllegalArgumentException if the format is that of a document, such as a JWK
     */
    public static Builder sha256(Rotating<SecretValue> secret, KeyFormat format) {
        if (format.isDocument()) {
            throw new IllegalArgumentException("a webhook secret is text, base64, base64url or hex, and not " + format);
        }
        return new Builder(secret, format);
    }

    /**
     * Verifies a message.
     *
     * @param body the bytes as they were received; parsing and writing them again changes them
     * @param header the header with the signature; null if the message has none
     * @return whether it is accepted; if not, why
     * @throws SecretUnavailableException if there is no secret to judge it with
     */
    public Result verify(byte[] body, @Nullable String header) {
        Objects.requireNonNull(body, "body");
        SignatureHeader given = header == null ? null : read(header);
        if (given == null) {
            return Result.MALFORMED;
        }
        Versions<MacKey> before = keys.versions();
        long now = clock.millis();
        Result result = judge(given, body, before, now);
        if (!newKeyWouldHelp(result, given, now)) {
            return result;
        }
        unknownKeys.await(now);
        return judgeAgain(given, body, before);
    }

    /**
     * Verifies a message without ever waiting, for callers such as event loops that must not. What {@link #verify} computes
     * is computed at once, on the calling thread; only where that form would wait for a refresh the answer comes later,
     * and the message is then judged again on the common pool.
     *
     * @param body the bytes as they were received; they must not be changed before the answer is there
     * @param header the header with the signature; null if the message has none
     * @return whether it is accepted; if not, why; in most cases already there. Completed exceptionally with {@link
     *     SecretUnavailableException} if there is no secret to judge it with
     */
    public CompletableFuture<Result> verifyAsync(byte[] body, @Nullable String header) {
        Objects.requireNonNull(body, "body");
        SignatureHeader given = header == null ? null : read(header);
        if (given == null) {
            return CompletableFuture.completedFuture(Result.MALFORMED);
        }
        try {
            Versions<MacKey> before = keys.versions();
            long now = clock.millis();
            Result result = judge(given, body, before, now);
            if (!newKeyWouldHelp(result, given, now)) {
                return CompletableFuture.completedFuture(result);
            }
            CompletableFuture<RefreshResult> refresh = unknownKeys.request(now);
            if (refresh == null || unknownKeys.waitNanos() == 0) {
                return CompletableFuture.completedFuture(judgeAgain(given, body, before));
            }
            return refresh.copy() // for the original must go on to give back its permit
                    .completeOnTimeout(RefreshResult.LIMITED, unknownKeys.waitNanos(), TimeUnit.NANOSECONDS)
                    .thenApplyAsync(ended -> judgeAgain(given, body, before));
        } catch (RuntimeException failure) {
            return CompletableFuture.failedFuture(failure);
        }
    }

    /** Only what would pass but for its key is a reason to look for new ones. */
    private boolean newKeyWouldHelp(Result result, SignatureHeader given, long now) {
        return result == Result.BAD_SIGNATURE && isInTime(given, now);
    }

    private boolean isInTime(SignatureHeader given, long now) {
        return tolerance == null || given.millisFrom(now) <= tolerance.toMillis();
    }

    /** Judges a message again if the keys may be others by now than those that it was refused with. */
    private Result judgeAgain(SignatureHeader given, byte[] body, Versions<MacKey> before) {
        Versions<MacKey> after = keys.versions();
        return after == before ? Result.BAD_SIGNATURE : judge(given, body, after, clock.millis());
    }

    private Result judge(SignatureHeader given, byte[] body, Versions<MacKey> versions, long now) {
        Version<MacKey> key = keyOf(given, body, versions, now);
        if (key == null) {
            return Result.BAD_SIGNATURE;
        }
        if (!isInTime(given, now)) {
            return Result.OUTSIDE_TOLERANCE;
        }
        keys.recordUse(key, now);
        return Result.ACCEPTED;
    }

    private @Nullable SignatureHeader read(String header) {
        return tolerance == null
                ? SignatureHeader.plain(header, prefix, encoding)
                : SignatureHeader.timestamped(header, encoding);
    }

    /** The key that made one of the signatures; null if none did. All are tried: time does not tell which one it was. */
    private @Nullable Version<MacKey> keyOf(SignatureHeader given, byte[] body, Versions<MacKey> versions, long now) {
        List<Version<MacKey>> all = new ArrayList<>(versions.accepted());
        versions.upcoming().ifPresent(all::add);
        if (all.isEmpty()) {
            keys.current(); // throws, and says why there is no key
        }
        Version<MacKey> found = null;
        for (Version<MacKey> version : all) {
            if (version.isAcceptedAt(now)) {
                boolean good = given.contains(version.value().compute(given.beginning, body));
                if (good && found == null) {
                    found = version;
                }
            }
        }
        return found;
    }

    /** How many requests for a refresh have no answer yet. */
    int refreshesUnderWay() {
        return unknownKeys.underWay();
    }

    /** The name of the secret. */
    @Override
    public String toString() {
        return "HmacVerifier[" + keys.name() + "]";
    }

    /** Collects what a verifier expects of headers. Not safe for use by several threads. */
    public static final class Builder {

        private final Rotating<SecretValue> secret;
        private final KeyFormat format;
        private SignatureEncoding encoding = SignatureEncoding.HEX;
        private String prefix = "";
        private @Nullable Duration tolerance;
        private Clock clock = Clock.systemUTC();
        private Duration refreshWait = Duration.ofMillis(500);

        private Builder(Rotating<SecretValue> secret, KeyFormat format) {
            this.secret = Objects.requireNonNull(secret, "secret");
            this.format = Objects.requireNonNull(format, "format");
        }

        /**
         * Expects signatures in base64 (RFC 4648 section 4). Default: in hexadecimal digits.
         *
         * @return this builder
         */
        public Builder base64() {
            this.encoding = SignatureEncoding.BASE64;
            return this;
        }

        /**
         * Expects a text before the signature, such as {@code sha256=} from GitHub. Default: none.
         *
         * @param text one character or more
         * @return this builder
         * @throws IllegalArgumentException if it is empty
         */
        public Builder prefix(String text) {
            if (text.isEmpty()) {
                throw new IllegalArgumentException("prefix must not be empty");
            }
            this.prefix = text;
            return this;
        }

        /**
         * Expects headers as Stripe writes them, {@code t=1700000000,v1=...}, and accepts those that were signed at most
         * five minutes ago, or ahead; see {@link #timestamped(Duration)}.
         *
         * @return this builder
         */
        public Builder timestamped() {
            return timestamped(Duration.ofMinutes(5));
        }

        /**
         * Expects headers as Stripe writes them, {@code t=1700000000,v1=...}: {@code t} is when the message was signed, in
         * seconds since 1970, and what is signed is the text of {@code t}, a full stop, and the body. There may be several
         * {@code v1}, of which one must be good; elements of other names mean nothing. A message that is repeated within
         * the tolerance is accepted again: tell messages apart by their id.
         *
         * @param difference how far {@code t} may be from this clock, before or after: from one second to one day
         * @return this builder
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder timestamped(Duration difference) {
            this.tolerance = Durations.inRange("tolerance", difference, Duration.ofSeconds(1), Duration.ofDays(1));
            return this;
        }

        /**
         * Sets the clock that times are judged by. Default: the system's.
         *
         * @param wallClock a clock
         * @return this builder
         */
        public Builder clock(Clock wallClock) {
            this.clock = Objects.requireNonNull(wallClock, "clock");
            return this;
        }

        /**
         * Sets how long a thread waits at most for a refresh that a message with an unknown signature has caused. Default
         * 500 milliseconds.
         *
         * @param wait from zero, which switches waiting off, to one minute
         * @return this builder
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder refreshWait(Duration wait) {
            this.refreshWait = Durations.inRange("refreshWait", wait, Duration.ZERO, Duration.ofMinutes(1));
            return this;
        }

        /**
         * {@return the verifier} Build it before the secret's source is started, so that starting checks the secret.
         *
         * @throws IllegalStateException if headers should have both a prefix and a time
         */
        public HmacVerifier build() {
            if (tolerance != null && !prefix.isEmpty()) {
                throw new IllegalStateException("a header with a timestamp has no prefix: call one of the two only");
            }
            return new HmacVerifier(this);
        }
    }
}
