package io.dualkey.secrets.azure;

import io.dualkey.secrets.Outcome;
import io.dualkey.secrets.SecretValue;
import io.dualkey.secrets.StoreQuery;
import io.dualkey.secrets.StoreResult;
import io.dualkey.secrets.StoredSecret;
import io.dualkey.secrets.StoredVersion;
import io.dualkey.secrets.azure.Vault.Answer;
import io.dualkey.secrets.azure.Vault.Disabled;
import io.dualkey.secrets.azure.Vault.FailedCallException;
import io.dualkey.secrets.azure.Vault.Got;
import io.dualkey.secrets.azure.Vault.Listing;
import io.dualkey.secrets.azure.Vault.Missing;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * One check of one secret: asks as little as tells whether anything changed, and when something did, all that decides what is
 * accepted. Used once, by one thread.
 */
final class Check {

    /** How much of the history the last listing showed. */
    private enum Extent {
        ONE_PAGE('1'),
        SEVERAL_PAGES('n'),
        UNKNOWN('?');

        private final char mark;

        Extent(char mark) {
            this.mark = mark;
        }

        static Extent of(Listing listing) {
            return !listing.complete() ? UNKNOWN : listing.pages() <= 1 ? ONE_PAGE : SEVERAL_PAGES;
        }

        /** As a tag has it. */
        static Extent of(StoredSecret secret) {
            char mark = secret.tag().charAt(0);
            return mark == ONE_PAGE.mark ? ONE_PAGE : mark == SEVERAL_PAGES.mark ? SEVERAL_PAGES : UNKNOWN;
        }
    }

    private final Vault vault;
    private final StoreQuery query;
    private final @Nullable StoredSecret known;

    /** All versions that this check knows of, by id. */
    private final Map<String, StoredVersion> versions = new LinkedHashMap<>();
    /** Those whose flags and times were read in this check. */
    private final Set<String> fresh = new HashSet<>();

    private final Set<String> asked = new HashSet<>();
    /** The latest version; null when that is disabled, since the vault then does not say which it is. */
    private @Nullable String latest;

    private Extent extent = Extent.UNKNOWN;
    private boolean cut;

    Check(Vault vault, StoreQuery query) {
        this.vault = vault;
        this.query = query;
        this.known = query.known().orElse(null);
        if (known != null) {
            known.versions().forEach(version -> versions.put(version.id(), version));
            extent = Extent.of(known);
        }
    }

    /** Whether there were more versions than are read. */
    boolean cut() {
        return cut;
    }

    /** One version alone. */
    StoreResult ofVersion(String version) throws FailedCallException, InterruptedException {
        Answer answer = vault.get(query.name(), version);
        if (answer instanceof Got got) {
            String tag = tag(List.of(got.version()));
            return known != null && known.tag().equals(tag)
                    ? StoreResult.unchanged()
                    : StoreResult.found(StoredSecret.of(tag, List.of(got.version())));
        }
        return answer instanceof Missing missing
                ? missing.result()
                : StoreResult.failed(Outcome.DISABLED, "version " + version + " is disabled");
    }

    /** Begins with the unversioned GET, which tells the latest version. */
    StoreResult byGet() throws FailedCallException, InterruptedException {
        Answer answer = vault.get(query.name(), null);
        if (answer instanceof Missing missing) {
            return missing.result();
        }
        if (answer instanceof Got got) {
            latest = got.version().id();
            take(got.version());
        }
        if (known != null && latestOf(known).equals(Optional.ofNullable(latest))) {
            boolean lists = latest == null
                    && extent == Extent.ONE_PAGE
                    && vault.mayList(query.name()); // as cheap, and it tells all
            if (!lists) {
                askWhatMatters();
                if (tag(sorted()).equals(known.tag())) {
                    return StoreResult.unchanged();
                }
            }
        }
        if (known == null && latest == null && vault.rests(query.name())) {
            return allDisabled();
        }
        Listing listing = vault.mayList(query.name()) ? vault.list(query.name()) : null;
        if (listing != null) {
            take(listing);
        }
        askWhatMatters();
        return result();
    }

    /** Begins with a list, which reads no value. Only for a secret whose versions have been listed to the end before. */
    StoreResult byList(StoredSecret before) throws FailedCallException, InterruptedException {
        Listing listing = vault.list(query.name());
        if (listing == null || !listing.complete()) {
            return byGet();
        }
        if (listing.versions().isEmpty()) {
            return byGet(); // which says that it is missing
        }
        List<StoredVersion> listed = History.sorted(listing.versions(), null);
        StoredVersion last = listed.get(listed.size() - 1);
        List<StoredVersion> newest = listed.stream()
                .filter(version -> History.created(version).equals(History.created(last)))
                .toList();
        String latestBefore = latestOf(before).orElse(null);
        if (newest.size() == 1) {
            latest = last.enabled() ? last.id() : null;
        } else if (newest.stream().allMatch(version -> versions.containsKey(version.id()))
                && newest.stream().anyMatch(version -> version.id().equals(latestBefore) && version.enabled())) {
            latest = latestBefore;
        } else if (vault.get(query.name(), null) instanceof Got got) { // of one second: only the vault can tell
            latest = got.version().id();
            take(got.version());
        }
        take(listing);
        askWhatMatters();
        return result();
    }

    /** Whether a secret can be checked by list: its versions have been listed to the end. */
    static boolean listable(StoredSecret secret) {
        return Extent.of(secret) != Extent.UNKNOWN;
    }

    private void take(StoredVersion version) {
        versions.put(version.id(), version);
        fresh.add(version.id());
        asked.add(version.id());
    }

    /** Takes the listed flags and times, with the values that are known: those of a version never change. */
    private void take(Listing listing) {
        Map<String, StoredVersion> before = new LinkedHashMap<>(versions);
        versions.keySet().removeIf(id -> listing.complete() && !id.equals(latest));
        for (StoredVersion listed : listing.versions()) {
            StoredVersion one = before.get(listed.id());
            SecretValue value =
                    one == null || !listed.enabled() ? null : one.value().orElse(null);
            versions.put(
                    listed.id(),
                    value == null ? listed : History.timesOf(listed, StoredVersion.of(listed.id(), value)));
            fresh.add(listed.id());
        }
        extent = Extent.of(listing);
        if (versions.values().stream().noneMatch(StoredVersion::enabled)) {
            vault.restFrom(query.name(), listing.pages() - 1);
        }
        cut = !listing.complete();
    }

    /** Reads, of the versions that matter, the values that are missing and the flags that may be out of date. */
    private void askWhatMatters() throws FailedCallException, InterruptedException {
        for (StoredVersion next = nextToAsk(); next != null; next = nextToAsk()) {
            asked.add(next.id());
            Answer answer = vault.get(query.name(), next.id());
            if (answer instanceof Got got) {
                take(got.version());
            } else if (answer instanceof Disabled) {
                take(History.timesOf(next, StoredVersion.unread(next.id())).withEnabled(false));
            } else {
                versions.remove(next.id());
            }
        }
    }

    /** Each answer may make others matter: a disabled version is nobody's successor. */
    private @Nullable StoredVersion nextToAsk() {
        List<StoredVersion> relevant = History.relevant(sorted(), query.grace(), query.now());
        for (int i = relevant.size() - 1; i >= 0; i--) {
            StoredVersion version = relevant.get(i);
            boolean valueMissing = version.enabled() && version.value().isEmpty();
            boolean flagsOld = !fresh.contains(version.id());
            if ((valueMissing || flagsOld) && !asked.contains(version.id())) {
                return version;
            }
        }
        for (StoredVersion version : History.fallbacks(sorted(), query.now())) {
            if (version.value().isEmpty() && !asked.contains(version.id())) {
                return version;
            }
        }
        return null;
    }

    private StoreResult result() {
        List<StoredVersion> all = sorted();
        if (all.stream().noneMatch(StoredVersion::enabled)) {
            return allDisabled();
        }
        List<StoredVersion> kept = History.kept(all, query.grace(), query.now());
        String tag = tag(kept);
        return known != null && known.tag().equals(tag)
                ? StoreResult.unchanged()
                : StoreResult.found(StoredSecret.of(tag, kept));
    }

    private StoreResult allDisabled() {
        return StoreResult.failed(
                Outcome.DISABLED,
                vault.mayList(query.name())
                        ? "all versions of secret '" + query.name() + "' are disabled"
                        : "the latest version of secret '" + query.name() + "' is disabled, and none before it is"
                                + " known, since versions may not be listed");
    }

    private List<StoredVersion> sorted() {
        return History.sorted(versions.values(), latest);
    }

    /**
     * The state of the secret: extent, latest version, and of each version its flags, its times and whether it was read. Not
     * the time of its last update, which changes with any tag that somebody puts on it.
     */
    private String tag(List<StoredVersion> history) {
        return extent.mark + (latest == null ? "" : latest) + "|"
                + history.stream()
                        .map(version -> version.id() + (version.enabled() ? "+" : "-")
                                + (version.value().isPresent() ? "r" : "u")
                                + version.activatedAt().map(Object::toString).orElse("") + ","
                                + version.notBefore().map(Object::toString).orElse("") + ","
                                + version.expires().map(Object::toString).orElse(""))
                        .collect(Collectors.joining("|"));
    }

    private static Optional<String> latestOf(StoredSecret secret) {
        String id = secret.tag().substring(1, secret.tag().indexOf('|'));
        return id.isEmpty() ? Optional.empty() : Optional.of(id);
    }
}
