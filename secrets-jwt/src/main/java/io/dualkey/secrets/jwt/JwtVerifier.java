package io.dualkey.secrets.jwt;

import io.dualkey.secrets.RefreshCause;
import io.dualkey.secrets.RefreshResult;
import io.dualkey.secrets.Rotating;
import io.dualkey.secrets.SecretUnavailableException;
import io.dualkey.secrets.SecretValue;
import io.dualkey.secrets.Version;
import java.security.Provider;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Verifies JSON Web Tokens (RFC 7519) with a key that rotates: the current key, the previous ones within their grace
 * period, and the upcoming one if the store announces it are accepted, each as soon and as long as the secret says.
 *
 * <pre>{@code
 * var secrets = SecretSource.from(DirectoryStore.at(Path.of("/etc/secrets")));
 * var verifier = JwtVerifier.hs256(secrets.secret("jwt-secret"), KeyFormat.BASE64)
 *         .issuer("https://login.example.com")
 *         .audience("web")
 *         .build();
 * secrets.start(Duration.ofSeconds(10));
 *
 * VerifiedJwt jwt = verifier.verify(token);
 * }</pre>
 *
 * <p>A token is a compact JWS (RFC 7515 section 7.1) without extensions, whose {@code alg} is exactly one that the
 * verifier was told and that its key is for, whose {@code typ}, if it has one, is JWT or at+jwt (RFC 9068), and whose text is canonical: every
 * other spelling of the same bytes is refused. {@code exp} is required. The rest is said at {@link RejectionReason}.
 *
 * <p>A {@code kid} in the token chooses the key to try first. Where the library derived the {@code kid} from the key, a
 * token with another one is tried with all accepted keys; where a JWK came with a {@code kid}, tokens with another one
 * are not.
 *
 * <p>If no accepted key verifies a token that looks right otherwise, the secret is refreshed within the budget of {@link
 * RefreshCause#UNTRUSTED}, and the token is judged again if that brings a new key in time. A few threads at most wait
 * for that, each for {@link Builder#refreshWait} at most; all others never wait. Nor does anybody where the budget is
 * spent or the last attempt, less than a second ago, brought nothing new. {@link #checkAsync} is for callers that must
 * never wait.
 *
 * <p>Safe for use by several threads, virtual ones included.
 */
public final class JwtVerifier {

    /*
     * Concurrency: `ring` is a cache of what follows from one view of the keys; whoever finds it outdated replaces it,
     * and it does not matter who wins, because each caller goes on with the ring that fits the view it has read. Scratch
     * space is taken from a pool for one judgement and never held while waiting.
     */

    private final Rotating<List<VerificationKey>> keys;
    private final HeaderRules headerRules;
    private final ClaimRules rules;
    private final List<Predicate<? super VerifiedJwt>> requirements;
    private final Clock clock;
    private final int maxLength;
    private final @Nullable TokenCache cache;
    private final UnknownKeyRefresh unknownKeys;
    private final Pool<Scratch> pool = new Pool<>(Scratch::new);
    private volatile KeyRing ring;

    /** Space to work in, and the answer beside the token. */
    private static final class Scratch {
        byte[] text = new byte[1024];
        byte[] payload = new byte[1024];
        byte[] signature = new byte[1024];
        final Base64Url.Signed signed = new Base64Url.Signed();
        final ClaimScan claims = new ClaimScan();
        final JsonCursor header = new JsonCursor();
        boolean newKeyWouldHelp;

        void makeRoomFor(int length) {
            if (text.length < length) {
                int room = Integer.highestOneBit(length - 1) * 2;
                text = new byte[room];
                payload = new byte[room];
                signature = new byte[room];
            }
        }
    }

    private JwtVerifier(Builder builder) {
        KeyReader reader = new KeyReader(builder.secret.name(), builder.format, builder.algorithms);
        Provider provider = builder.provider;
        this.keys = builder.secret.map(value -> reader.verificationKeys(value, provider));
        this.headerRules = new HeaderRules(builder.algorithms, builder.type);
        this.rules = new ClaimRules(
                builder.issuer, builder.audiences, builder.anyAudience, builder.expirationRequired, builder.clockSkew);
        this.requirements = List.copyOf(builder.requirements);
        this.clock = builder.clock;
        this.maxLength = builder.maxLength;
        this.unknownKeys = new UnknownKeyRefresh(keys, clock, builder.refreshWait);
        this.cache = builder.cacheBytes == 0 ? null : new TokenCache(builder.cacheBytes);
        this.ring = new KeyRing(keys.versions());
    }

    /**
     * {@return a builder of verifiers of HMAC with SHA-256 (RFC 7518 section 3.2)} Keys under 256 bits are unusable.
     *
     * @param secret the key
     * @param format how the secret's value spells the key
     */
    public static Builder hs256(Rotating<SecretValue> secret, KeyFormat format) {
        return builder(secret, format, JwsAlgorithm.HS256);
    }

    /**
     * {@return a builder of verifiers of RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 section 3.3)} Keys under 2048 bits are
     * unusable.
     *
     * @param secret the public key, or the private one, of which only the public half is used: {@link KeyFormat#PEM} or
     *     {@link KeyFormat#JWK}, which cannot be mistaken for each other
     */
    public static Builder rs256(Rotating<SecretValue> secret) {
        return new Builder(secret, null, List.of(JwsAlgorithm.RS256));
    }

    /**
     * {@return a builder of verifiers of any algorithms} A key is good for one algorithm alone, which its type, its curve,
     * the {@code alg} of its JWK or else the only algorithm told here decides, and never a token. Keys that fit none of
     * the algorithms, or several, are unusable, and so are those that RFC 7518 calls too short.
     *
     * <pre>{@code
     * var verifier = JwtVerifier.builder(secrets.secret("issuer-keys"), KeyFormat.JWK_SET, ES256, RS256)
     *         .issuer("https://login.example.com")
     *         .audience("web")
     *         .build();
     * }</pre>
     *
     * @param secret the key or keys
     * @param format how the secret's value spells them
     * @param algorithms at least one; several only for {@link KeyFormat#PEM}, {@link KeyFormat#JWK} and
     *     {@link KeyFormat#JWK_SET}, and never HMAC beside others: who knows a public key must not be able to sign
     * @throws IllegalArgumentException if these do not go together
     */
    public static Builder builder(Rotating<SecretValue> secret, KeyFormat format, JwsAlgorithm... algorithms) {
        Objects.requireNonNull(format, "format");
        List<JwsAlgorithm> told = Arrays.stream(algorithms).distinct().toList();
        KeyReader.requireMatch(format, told);
        return new Builder(secret, format, told);
    }

    /**
     * Verifies a token or throws.
     *
     * @param token the compact form, without "Bearer"
     * @return its claims
     * @throws JwtRejectedException if the token is refused
     * @throws SecretUnavailableException if there is no key to judge it with
     */
    public VerifiedJwt verify(String token) {
        JwtResult result = check(token);
        if (result instanceof VerifiedJwt verified) {
            return verified;
        }
        throw new JwtRejectedException(((JwtResult.Rejected) result).reason());
    }

    /**
     * Verifies a token and does not throw if it is refused.
     *
     * @param token the compact form, without "Bearer"
     * @return its claims or why it is refused
     * @throws SecretUnavailableException if there is no key to judge it with
     */
    public JwtResult check(String token) {
        KeyRing before = ring();
        long now = clock.millis();
        JwtResult result;
        boolean newKeyWouldHelp;
        Scratch scratch = pool.acquire();
        try {
            result = judge(token, before, now, scratch);
            newKeyWouldHelp = scratch.newKeyWouldHelp;
        } finally {
            pool.release(scratch);
        }
        if (newKeyWouldHelp) {
            unknownKeys.await(now);
            return checkAgain(token, result, before);
        }
        return approved(result, now);
    }

    /**
     * Verifies a token without ever waiting, for callers such as event loops that must not. What {@link #check} computes
     * is computed at once, on the calling thread; only where that form would wait for a refresh the answer comes later,
     * and the token is then judged again on the common pool.
     *
     * <pre>{@code
     * Mono<JwtResult> result = Mono.fromCompletionStage(verifier.checkAsync(token));
     * }</pre>
     *
     * @param token the compact form, without "Bearer"
     * @return its claims or why it is refused, in most cases already there; completed exceptionally with {@link
     *     SecretUnavailableException} if there is no key to judge it with
     */
    public CompletableFuture<JwtResult> checkAsync(String token) {
        try {
            KeyRing before = ring();
            long now = clock.millis();
            JwtResult result;
            boolean newKeyWouldHelp;
            Scratch scratch = pool.acquire();
            try {
                result = judge(token, before, now, scratch);
                newKeyWouldHelp = scratch.newKeyWouldHelp;
            } finally {
                pool.release(scratch);
            }
            if (!newKeyWouldHelp) {
                return CompletableFuture.completedFuture(approved(result, now));
            }
            CompletableFuture<RefreshResult> refresh = unknownKeys.request(now);
            if (refresh == null || unknownKeys.waitNanos() == 0) {
                return CompletableFuture.completedFuture(checkAgain(token, result, before));
            }
            return refresh.copy() // for the original must go on to give back its permit
                    .completeOnTimeout(RefreshResult.LIMITED, unknownKeys.waitNanos(), TimeUnit.NANOSECONDS)
                    .thenApplyAsync(ended -> checkAgain(token, result, before));
        } catch (RuntimeException failure) {
            return CompletableFuture.failedFuture(failure);
        }
    }

    /** Judges a token again if there are other keys by now than those that it was refused with. */
    private JwtResult checkAgain(String token, JwtResult refused, KeyRing before) {
        KeyRing after = ring();
        return after.sameKeysAs(before) ? refused : checkWith(after, token);
    }

    /** Judges a token by these keys and asks for no others. */
    private JwtResult checkWith(KeyRing keyRing, String token) {
        long now = clock.millis();
        JwtResult result;
        Scratch scratch = pool.acquire();
        try {
            result = judge(token, keyRing, now, scratch);
        } finally {
            pool.release(scratch);
        }
        return approved(result, now);
    }

    /** Asks the service's own conditions, which are foreign code and run last, and counts the use of the key. */
    private JwtResult approved(JwtResult result, long now) {
        if (result instanceof VerifiedJwt jwt) {
            for (int i = 0; i < requirements.size(); i++) { // an iterator would be garbage
                if (!requirements.get(i).test(jwt)) {
                    return JwtResult.Rejected.of(RejectionReason.REQUIREMENT_NOT_MET);
                }
            }
            keys.recordUse(jwt.key(), now);
        }
        return result;
    }

    private KeyRing ring() {
        KeyRing known = ring;
        var versions = keys.versions();
        if (known.versions == versions) {
            return known;
        }
        KeyRing fresh = new KeyRing(versions);
        ring = fresh;
        return fresh;
    }

    /** How many requests for a refresh have no answer yet. */
    int refreshesUnderWay() {
        return unknownKeys.underWay();
    }

    private JwtResult judge(String token, KeyRing keyRing, long now, Scratch scratch) {
        scratch.newKeyWouldHelp = false;
        int length = token.length();
        if (length > maxLength) {
            return JwtResult.Rejected.of(RejectionReason.TOO_LONG);
        }
        int headerEnd = token.indexOf('.');
        int payloadEnd = token.indexOf('.', headerEnd + 1);
        scratch.makeRoomFor(length);
        if (headerEnd < 0 || payloadEnd < 0 || !copy(token, length, scratch.text)) {
            return JwtResult.Rejected.of(RejectionReason.MALFORMED);
        }
        long hash = 0;
        TokenCache accepted = cache != null && cache.takes(length) ? cache : null;
        if (accepted != null) {
            hash = accepted.hash(scratch.text, length);
            VerifiedJwt hit = recall(accepted, hash, length, headerEnd, keyRing, now, scratch);
            if (hit != null) {
                return hit;
            }
        }
        KeyRing.Candidates known = keyRing.recall(scratch.text, headerEnd);
        KeyRing.Candidates candidates = known;
        if (candidates == null) {
            Header header = Header.read(scratch.text, headerEnd, headerRules, scratch.header, scratch.payload);
            if (header.refusal != null) {
                return JwtResult.Rejected.of(header.refusal);
            }
            candidates = keyRing.candidates(Objects.requireNonNull(header.algorithm), header.keyId);
        }
        int signatureLength = Base64Url.decode(scratch.text, payloadEnd + 1, length, scratch.signature);
        if (signatureLength < 0) {
            return JwtResult.Rejected.of(RejectionReason.MALFORMED);
        }
        if (keyRing.isEmpty()) {
            keys.current(); // throws, and says why there is no key
        }
        Version<List<VerificationKey>> key = keyOf(candidates, now, scratch, payloadEnd, signatureLength);
        if (key == null) {
            // Only what would pass but for its key is a reason to look for new ones.
            int unsigned = candidates.conclusive()
                    ? -1
                    : Base64Url.decode(scratch.text, headerEnd + 1, payloadEnd, scratch.payload);
            scratch.newKeyWouldHelp =
                    unsigned >= 0 && scratch.claims.check(scratch.payload, unsigned, rules, now, false) == null;
            return JwtResult.Rejected.of(
                    candidates.unknown() ? RejectionReason.UNKNOWN_KEY : RejectionReason.BAD_SIGNATURE);
        }
        if (known == null) {
            keyRing.learn(scratch.text, headerEnd, candidates);
        }
        int payloadLength = scratch.signed.decode(scratch.text, headerEnd + 1, payloadEnd, scratch.payload);
        RejectionReason refusal = payloadLength < 0
                ? RejectionReason.MALFORMED_CLAIMS
                : scratch.claims.check(scratch.payload, payloadLength, rules, now, true);
        if (refusal != null) {
            return JwtResult.Rejected.of(refusal);
        }
        VerifiedJwt verified = new VerifiedJwt(token, key, scratch.claims);
        if (accepted != null) {
            accepted.add(hash, verified, keyRing, now);
        }
        return verified;
    }

    /** A token that was accepted before and would be again; null if it was not, or needs a closer look. */
    private @Nullable VerifiedJwt recall(
            TokenCache accepted, long hash, int length, int headerEnd, KeyRing keyRing, long now, Scratch scratch) {
        TokenCache.Entry entry = accepted.find(hash, scratch.text, length, scratch.payload);
        if (entry == null) {
            return null;
        }
        boolean seen = entry.stamp == keyRing.stamp;
        Version<List<VerificationKey>> key =
                KeyRing.version(seen ? keyRing.keys() : candidates(keyRing, headerEnd, scratch), entry.generation);
        if (key == null
                || !key.isAcceptedAt(now)
                || rules.refusalAt(now, entry.expiresAt, entry.notBefore, entry.issuedAt) != null) {
            accepted.remove(entry);
            return null;
        }
        VerifiedJwt verified = new VerifiedJwt(entry, key);
        if (!seen) {
            accepted.add(hash, verified, keyRing, now);
        }
        return verified;
    }

    /** The keys that a token would be tried with whose header was found good before. */
    private List<KeyRing.Candidate> candidates(KeyRing keyRing, int headerEnd, Scratch scratch) {
        KeyRing.Candidates known = keyRing.recall(scratch.text, headerEnd);
        if (known != null) {
            return known.keys();
        }
        Header header = Header.read(scratch.text, headerEnd, headerRules, scratch.header, scratch.payload);
        return header.algorithm == null
                ? List.of()
                : keyRing.candidates(header.algorithm, header.keyId).keys();
    }

    /** What the cache weighs by its own account, and counted anew. */
    long[] cacheWeights() {
        return cache == null ? new long[2] : new long[] {cache.weight(), cache.countedWeight()};
    }

    /** The key that verifies the signature; null if none does. */
    private static @Nullable Version<List<VerificationKey>> keyOf(
            KeyRing.Candidates candidates, long now, Scratch scratch, int payloadEnd, int signatureLength) {
        List<KeyRing.Candidate> all = candidates.keys();
        for (int i = 0; i < all.size(); i++) {
            KeyRing.Candidate one = all.get(i);
            if (one.version().isAcceptedAt(now)
                    && one.key().verifies(scratch.text, payloadEnd, scratch.signature, signatureLength)) {
                return one.version();
            }
        }
        return null;
    }

    /** Copies the characters as bytes; false if one does not fit into a byte. */
    @SuppressWarnings("deprecation") // it drops high bytes, which is why they are looked for, and does not allocate
    private static boolean copy(String token, int length, byte[] target) {
        for (int i = 0; i < length; i++) {
            if (token.charAt(i) > 0xFF) {
                return false;
            }
        }
        token.getBytes(0, length, target, 0);
        return true;
    }

    /** The algorithms and the name of the secret. */
    @Override
    public String toString() {
        return "JwtVerifier[" + KeyReader.names(headerRules.algorithms) + ", " + keys.name() + "]";
    }

    /** Collects what a verifier checks. Not safe for use by several threads. */
    public static final class Builder {

        private final Rotating<SecretValue> secret;
        private final @Nullable KeyFormat format;
        private final List<JwsAlgorithm> algorithms;
        private @Nullable Provider provider;
        private @Nullable String type;
        private final List<Predicate<? super VerifiedJwt>> requirements = new ArrayList<>();
        private @Nullable String issuer;
        private List<String> audiences = List.of();
        private boolean anyAudience;
        private boolean expirationRequired = true;
        private Duration clockSkew = Duration.ofSeconds(60);
        private Clock clock = Clock.systemUTC();
        private int maxLength = 8 * 1024;
        private Duration refreshWait = Duration.ofMillis(500);
        private long cacheBytes;

        private Builder(Rotating<SecretValue> secret, @Nullable KeyFormat format, List<JwsAlgorithm> algorithms) {
            this.secret = Objects.requireNonNull(secret, "secret");
            this.format = format;
            this.algorithms = algorithms;
        }

        /**
         * Requires an issuer: {@code iss} must be exactly this. Without this call {@code iss} is not looked at.
         *
         * @param expected the issuer
         * @return this builder
         * @throws IllegalArgumentException if it is blank
         */
        public Builder issuer(String expected) {
            this.issuer = notBlank("issuer", expected);
            return this;
        }

        /**
         * Requires an audience: {@code aud} must be or contain one of these. Without this call, tokens that have an
         * {@code aud} are refused, as RFC 7519 section 4.1.3 asks; see {@link #anyAudience}.
         *
         * @param expected what this service is called, at least one name
         * @return this builder
         * @throws IllegalArgumentException if there is none or one is blank
         */
        public Builder audience(String... expected) {
            if (expected.length == 0) {
                throw new IllegalArgumentException("audience must have at least one name");
            }
            List<String> names = new ArrayList<>();
            for (String name : expected) {
                names.add(notBlank("audience", name));
            }
            this.audiences = List.copyOf(names);
            this.anyAudience = false;
            return this;
        }

        /**
         * Accepts tokens for any audience, those meant for other services too.
         *
         * @return this builder
         */
        public Builder anyAudience() {
            this.audiences = List.of();
            this.anyAudience = true;
            return this;
        }

        /**
         * Requires a {@code typ} (RFC 8725 section 3.11): tokens that have another one, or none, are refused. It is
         * compared without regard to case and to a leading "application/". Without this call JWT, at+jwt (RFC 9068) and
         * tokens without {@code typ} are accepted.
         *
         * @param expected the type, such as {@code at+jwt}
         * @return this builder
         * @throws IllegalArgumentException if it is blank
         */
        public Builder type(String expected) {
            this.type = notBlank("type", expected);
            return this;
        }

        /**
         * Adds a condition of the service's own, which is asked after all others. Tokens that do not meet it are refused
         * with {@link RejectionReason#REQUIREMENT_NOT_MET}.
         *
         * <pre>{@code
         * builder.require(jwt -> jwt.claim("tenant").isPresent())
         * }</pre>
         *
         * @param requirement runs on the thread that verifies, for several tokens at a time; what it throws reaches the
         *     caller of the verifier
         * @return this builder
         */
        public Builder require(Predicate<? super VerifiedJwt> requirement) {
            requirements.add(Objects.requireNonNull(requirement, "requirement"));
            return this;
        }

        /**
         * Names the security provider that computes MACs and verifies signatures. Without this call it is what the
         * platform prefers; none is ever picked up because it happens to be there.
         *
         * @param named a provider, installed or not, that knows all the verifier's algorithms
         * @return this builder
         * @throws IllegalArgumentException if it does not know one of the algorithms
         */
        public Builder provider(Provider named) {
            for (JwsAlgorithm algorithm : algorithms) {
                if (algorithm.isSymmetric()) {
                    HmacKey.requireSupport(algorithm, named);
                } else {
                    SignatureKey.requireSupport(algorithm, named);
                }
            }
            this.provider = named;
            return this;
        }

        /**
         * Accepts tokens without {@code exp}, which are valid for as long as their key is.
         *
         * @return this builder
         */
        public Builder allowMissingExpiration() {
            this.expirationRequired = false;
            return this;
        }

        /**
         * Sets how far the clocks of issuers may be off when {@code exp}, {@code nbf} and {@code iat} are judged.
         * Default 60 seconds.
         *
         * @param skew from zero to one hour
         * @return this builder
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder clockSkew(Duration skew) {
            this.clockSkew = Durations.inRange("clockSkew", skew, Duration.ZERO, Duration.ofHours(1));
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
         * Sets how long a token may be. Default 8192 characters.
         *
         * @param characters from 64 to 1048576
         * @return this builder
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder maxLength(int characters) {
            if (characters < 64 || characters > 1 << 20) {
                throw new IllegalArgumentException("maxLength must be from 64 to 1048576, but is " + characters);
            }
            this.maxLength = characters;
            return this;
        }

        /**
         * Sets how long a thread waits at most for a refresh that a token with an unknown key has caused. Default 500
         * milliseconds.
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
         * Keeps tokens that were accepted, so that one that is presented again costs a look-up instead of a signature.
         * Without this call none are kept.
         *
         * <p>A token is forgotten at its {@code exp}, when its key's acceptance ends, and at once when its key is removed;
         * every time it is presented the time is checked, the service's own conditions are asked, and the use of its key is
         * counted. Only canonical texts are ever kept. What the time of a look-up tells an attacker is said in
         * docs/jwt.md: nothing.
         *
         * @param maxBytes about how much memory the tokens may take, from 64 KiB to 1 GiB. A token takes its length and
         *     about 200 bytes. Tokens that are longer than a sixteenth of this are not kept
         * @return this builder
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder cache(long maxBytes) {
            if (maxBytes < 1 << 16 || maxBytes > 1 << 30) {
                throw new IllegalArgumentException("cache must be from 65536 to 1073741824 bytes, but is " + maxBytes);
            }
            this.cacheBytes = maxBytes;
            return this;
        }

        /** {@return the verifier} Build it before the secret's source is started, so that starting checks the key. */
        public JwtVerifier build() {
            return new JwtVerifier(this);
        }

        private static String notBlank(String what, String value) {
            if (value.isBlank()) {
                throw new IllegalArgumentException(what + " must not be blank");
            }
            return value;
        }
    }
}
