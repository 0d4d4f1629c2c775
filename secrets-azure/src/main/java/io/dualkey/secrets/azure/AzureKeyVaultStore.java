package io.dualkey.secrets.azure;

import com.azure.core.credential.TokenCredential;
import com.azure.core.http.HttpClient;
import com.azure.core.http.jdk.httpclient.JdkHttpClientBuilder;
import com.azure.core.http.policy.FixedDelayOptions;
import com.azure.core.http.policy.HttpLogDetailLevel;
import com.azure.core.http.policy.HttpLogOptions;
import com.azure.core.http.policy.HttpPipelinePolicy;
import com.azure.core.http.policy.RetryOptions;
import com.azure.identity.DefaultAzureCredentialBuilder;
import com.azure.security.keyvault.secrets.SecretClient;
import com.azure.security.keyvault.secrets.SecretClientBuilder;
import io.dualkey.secrets.Outcome;
import io.dualkey.secrets.SecretStore;
import io.dualkey.secrets.StoreQuery;
import io.dualkey.secrets.StoreResult;
import io.dualkey.secrets.StoredSecret;
import io.dualkey.secrets.azure.Vault.FailedCallException;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An Azure Key Vault as a store, over the {@link SecretClient} of the Azure SDK.
 *
 * <pre>{@code
 * var secrets = SecretSource.from(AzureKeyVaultStore.at("https://kv-prod.vault.azure.net"));
 * }</pre>
 *
 * <p>To rotate a secret, create a new version; nothing else is needed. The version before is accepted for the grace period,
 * counted from the new one's creation; disable it to end that at the next check. {@code enabled}, {@code nbf} and {@code exp},
 * which the vault mostly leaves to its clients, are enforced.
 *
 * <p>A check costs one call, the unversioned GET, however many versions there are, and one more while a previous version is in
 * its grace. Versions are listed when a process starts and when something has changed, at most {@value Vault#MAX_PAGES} pages of
 * 25, and values are read only of versions that can still be accepted. The identity needs {@code get} on secrets. Without
 * {@code list} everything works but this: after a restart the previous version is not known.
 *
 * <p>Safe for use by several threads. Each call is bounded by the timeouts of the client and ends early when its thread is
 * interrupted.
 */
public final class AzureKeyVaultStore implements SecretStore {

    private static final Logger log = LoggerFactory.getLogger(AzureKeyVaultStore.class);
    private static final Pattern NAME = Pattern.compile("[0-9A-Za-z-]{1,127}");
    private static final Pattern VERSION = Pattern.compile("[0-9A-Za-z]{1,64}");
    private static final Duration TIMEOUT = Duration.ofSeconds(5);

    private final Vault vault;
    private final String name;
    private final boolean byList;
    /** Secrets of which it has been said that they have too many versions. */
    private final Set<String> cut = ConcurrentHashMap.newKeySet();

    private AzureKeyVaultStore(Vault vault, String name, boolean byList) {
        this.vault = vault;
        this.name = name;
        this.byList = byList;
    }

    /**
     * {@return a store over a vault, with the identity that the Azure SDK's {@code DefaultAzureCredential} finds} That is the
     * service principal in the environment, the workload identity, the managed identity, or the developer's own login.
     *
     * <p>Its client uses the JDK's HTTP client, logs no bodies, waits at most 5 seconds for a connection and 5 for an answer,
     * and never retries: the {@link io.dualkey.secrets.SecretSource} does that, so that failures never cost more calls than
     * health. Nothing is called before the first read.
     *
     * @param vaultUrl the vault, as {@code https://kv-prod.vault.azure.net}
     * @throws IllegalArgumentException if it is no URL of a vault
     */
    public static AzureKeyVaultStore at(String vaultUrl) {
        checked(vaultUrl);
        HttpClient http = http(java.net.http.HttpClient.newBuilder(), TIMEOUT);
        TokenCredential credential = new DefaultAzureCredentialBuilder()
                .httpClient(http)
                .retryOptions(noRetries())
                .credentialProcessTimeout(TIMEOUT)
                .build();
        return over(client(vaultUrl, credential, http, TIMEOUT).buildClient());
    }

    /**
     * {@return a store over a client of one's own} Its credential, timeouts and retries are its owner's: the retries come on top
     * of those of the {@link io.dualkey.secrets.SecretSource}, so set none. Build it with {@link #bodyGuard()}, or the SDK logs
     * the beginning of an answer that it cannot parse, which may be a secret.
     *
     * @param client the client
     */
    public static AzureKeyVaultStore over(SecretClient client) {
        String name = vaultName(checked(client.getVaultUrl()));
        return new AzureKeyVaultStore(new Vault(client, "Azure Key Vault " + name), name, false);
    }

    /**
     * {@return a policy to add to a client of one's own, which keeps values out of the SDK's logs and exceptions} The client of
     * {@link #at} has it. It fails the call if an answer cannot be parsed, and strips errors of all but their codes; both before
     * the SDK sees them. It knows the answers that this store asks for and no others, so use such a client for nothing else.
     *
     * <pre>{@code
     * var client = new SecretClientBuilder().vaultUrl(url).credential(credential)
     *         .retryOptions(new RetryOptions(new FixedDelayOptions(0, Duration.ofMillis(1))))
     *         .addPolicy(AzureKeyVaultStore.bodyGuard())
     *         .buildClient();
     * }</pre>
     */
    public static HttpPipelinePolicy bodyGuard() {
        return new BodyGuard(TIMEOUT);
    }

    /**
     * {@return the same store, checking by list: no value is read unless something has changed} For vaults whose operators are
     * alerted when a secret is read often: only a cold start and a change read values. A check then costs one call for each 25
     * versions, so it is for secrets with few of them; one with more than 1,000 is checked by GET all the same, as are all
     * where the identity may not list.
     */
    public AzureKeyVaultStore checkedByList() {
        return new AzureKeyVaultStore(vault, name, true);
    }

    /** The client of {@link #at}, with what tests put in other places. */
    static SecretClientBuilder client(String vaultUrl, TokenCredential credential, HttpClient http, Duration timeout) {
        return new SecretClientBuilder()
                .vaultUrl(vaultUrl)
                .credential(credential)
                .httpClient(http)
                .retryOptions(noRetries())
                .httpLogOptions(new HttpLogOptions().setLogLevel(HttpLogDetailLevel.NONE))
                .addPolicy(new BodyGuard(timeout));
    }

    static HttpClient http(java.net.http.HttpClient.Builder jdk, Duration timeout) {
        return new JdkHttpClientBuilder(jdk)
                .connectionTimeout(timeout)
                .responseTimeout(timeout)
                .readTimeout(timeout)
                .build();
    }

    static RetryOptions noRetries() {
        return new RetryOptions(new FixedDelayOptions(0, Duration.ofMillis(1)));
    }

    private static URI checked(String vaultUrl) {
        URI url;
        try {
            url = new URI(Objects.requireNonNull(vaultUrl, "vaultUrl"));
        } catch (URISyntaxException malformed) {
            throw notAVault("it is no URL", malformed.getIndex());
        }
        if (!"https".equalsIgnoreCase(url.getScheme())) {
            throw notAVault("it must begin with https://", 0);
        }
        if (url.getHost() == null || url.getUserInfo() != null) {
            throw notAVault("a host must follow https://", 8);
        }
        boolean more = !(url.getPath().isEmpty() || url.getPath().equals("/"))
                || url.getQuery() != null
                || url.getFragment() != null;
        if (more) {
            throw notAVault(
                    "nothing must follow the host: name secrets where handles are made", vaultUrl.indexOf('/', 8));
        }
        return url;
    }

    /** Does not show the text: somebody may have put a secret in its place. */
    private static IllegalArgumentException notAVault(String problem, int index) {
        return new IllegalArgumentException("the URL of a key vault is like https://kv-prod.vault.azure.net; in the one"
                + " given, character " + (index + 1) + ": " + problem);
    }

    private static String vaultName(URI url) {
        return url.getHost().split("\\.", 2)[0].toLowerCase(Locale.ROOT);
    }

    @Override
    public String description() {
        return "Azure Key Vault " + name;
    }

    @Override
    public Optional<String> address() {
        return Optional.of("azure:" + name);
    }

    @Override
    public OptionalLong calls() {
        return OptionalLong.of(vault.calls());
    }

    @Override
    public List<StoreResult> read(List<StoreQuery> queries) throws InterruptedException {
        List<StoreResult> results = new ArrayList<>();
        for (StoreQuery query : queries) {
            results.add(read(query));
        }
        return results;
    }

    private StoreResult read(StoreQuery query) throws InterruptedException {
        if (!NAME.matcher(query.name()).matches()) {
            return StoreResult.failed(
                    Outcome.NOT_FOUND,
                    "the name of a secret in a key vault has 1 to 127 letters, digits and '-', and this one has not");
        }
        String version = query.version().orElse(null);
        if (version != null && !VERSION.matcher(version).matches()) {
            return StoreResult.failed(
                    Outcome.NOT_FOUND, "the id of a version in a key vault has letters and digits only");
        }
        Check check = new Check(vault, query);
        try {
            if (version != null) {
                return check.ofVersion(version);
            }
            StoredSecret known = query.known().orElse(null);
            StoreResult result = byList && known != null && vault.mayList(query.name()) && Check.listable(known)
                    ? check.byList(known)
                    : check.byGet();
            if (check.cut() && cut.add(query.name())) {
                log.warn(
                        "{}: secret '{}' has more than {} versions. The others were not looked at, so a previous version"
                                + " may be unknown after a restart: move on to a secret of another name when convenient",
                        description(),
                        query.name(),
                        Vault.MAX_PAGES * 25);
            }
            return result;
        } catch (FailedCallException failed) {
            return failed.result();
        }
    }

    /** What and where this is; nothing of a secret. */
    @Override
    public String toString() {
        return "AzureKeyVaultStore[" + name + "]";
    }
}
