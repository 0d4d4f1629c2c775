package io.dualkey.secrets;

import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What {@link SecretSource#secret} is asked for, taken apart. {@code store:name#field} is our own form; those of Azure App
 * Service, AWS and 1Password are read as well.
 *
 * @param vendor whose form it is; null for ours
 * @param prefix the registered store it names; null for the source's own, or where a vendor's form says the place
 * @param place the vault or region that a vendor's form names
 * @param name the secret's name in its store
 * @param version the one version that a vendor's form asks for; null for whatever is current
 * @param field what to take out of a JSON value; null for the whole value
 */
record SecretReference(
        @Nullable Vendor vendor,
        @Nullable String prefix,
        @Nullable String place,
        String name,
        @Nullable String version,
        @Nullable JsonPointer field) {

    /** Those whose references are read. */
    enum Vendor {
        AZURE("azure", "Azure Key Vault", "vault"),
        AWS("aws", "AWS Secrets Manager", "region"),
        ONE_PASSWORD("op", "1Password", "vault");

        final String prefix;
        final String title;
        final String kindOfPlace;

        Vendor(String prefix, String title, String kindOfPlace) {
            this.prefix = prefix;
            this.title = title;
            this.kindOfPlace = kindOfPlace;
        }
    }

    private static final String KEY_VAULT = "@Microsoft.KeyVault(";
    private static final String ONE_PASSWORD = "op://";
    private static final String ARN = "arn:";
    private static final Pattern AZURE_NAME = Pattern.compile("[0-9A-Za-z-]+");
    private static final Pattern AZURE_VERSION = Pattern.compile("[0-9A-Za-z]+");
    private static final Pattern AWS_NAME = Pattern.compile("[0-9A-Za-z/_+=.@!-]+");
    private static final Pattern AWS_VERSION = Pattern.compile("[0-9A-Za-z-]+");
    private static final Pattern PREFIX = Pattern.compile("[A-Za-z][0-9A-Za-z._-]*");
    private static final Pattern URI = Pattern.compile("https://([^/:?]+)(?::[0-9]+)?/secrets/([^/]+)(?:/([^/]*))?/?");

    /**
     * Takes a reference apart.
     *
     * @throws IllegalArgumentException if it is malformed; the message has the position
     */
    static SecretReference parse(String text) {
        if (text.isBlank()) {
            throw new IllegalArgumentException("the name of a secret must not be blank");
        }
        for (int i = 0; i < text.length(); i++) {
            int type = Character.getType(text.charAt(i));
            if (type == Character.CONTROL || type == Character.FORMAT) {
                throw malformed(text, i, "a control character or one that cannot be seen");
            }
        }
        int hash = text.indexOf('#');
        int second = text.indexOf('#', hash + 1);
        if (hash >= 0 && second >= 0) {
            throw malformed(text, second, "a second '#': one field can be selected");
        }
        JsonPointer field = hash < 0 ? null : JsonPointer.parse(text, hash + 1);
        int end = hash < 0 ? text.length() : hash;
        if (text.regionMatches(true, 0, KEY_VAULT, 0, KEY_VAULT.length())) {
            return keyVault(text, end, field);
        }
        if (text.startsWith(ARN)) {
            return arn(text, end, field);
        }
        return text.startsWith(ONE_PASSWORD) ? onePassword(text, end, field) : own(text, end, field);
    }

    private static SecretReference own(String text, int end, @Nullable JsonPointer field) {
        if (text.contains("://")) { // it is not quoted: there may be a password in it
            throw new IllegalArgumentException(
                    "malformed reference: it has '://' in it, as a URL or a connection string"
                            + " has; write the name of the secret there, and the value in the store");
        }
        int colon = text.indexOf(':');
        if (colon >= end) {
            colon = -1;
        }
        if (colon >= 0) {
            checkPrefix(text, colon);
        }
        String name = text.substring(colon + 1, end);
        if (name.isBlank()) {
            throw malformed(text, colon + 1, "the name of the secret is missing");
        }
        int pin = name.indexOf("?version=");
        if (pin >= 0) { // the name that a pinned secret of a vendor's reference has here
            throw malformed(text, colon + 1 + pin, "a version can be told in the references of vendors only");
        }
        if (Character.isWhitespace(name.charAt(0))) {
            throw malformed(text, colon + 1, "a space before the name of the secret");
        }
        if (Character.isWhitespace(name.charAt(name.length() - 1))) {
            throw malformed(text, end - 1, "a space after the name of the secret");
        }
        return new SecretReference(null, colon < 0 ? null : text.substring(0, colon), null, name, null, field);
    }

    private static void checkPrefix(String text, int colon) {
        Matcher prefix = PREFIX.matcher(text).region(0, colon);
        if (!prefix.lookingAt()) {
            throw malformed(text, 0, "the name of a store, which begins with a letter, must stand before the ':'");
        }
        if (prefix.end() < colon) {
            throw malformed(text, prefix.end(), "the name of a store has letters, digits, '.', '_' and '-' only");
        }
    }

    /** Whether a store can be registered under this prefix. */
    static boolean isPrefix(String text) {
        return PREFIX.matcher(text).matches() && !text.equals("arn");
    }

    private static SecretReference keyVault(String text, int end, @Nullable JsonPointer field) {
        if (text.charAt(end - 1) != ')') {
            throw malformed(text, end - 1, "a Key Vault reference ends with ')'");
        }
        Map<String, Integer> begins = new HashMap<>();
        Map<String, String> values = new HashMap<>();
        int from = KEY_VAULT.length();
        while (from < end) {
            int semicolon = text.indexOf(';', from);
            int to = semicolon < 0 || semicolon > end - 1 ? end - 1 : semicolon;
            int equals = text.indexOf('=', from);
            if (equals < 0 || equals >= to) {
                throw malformed(text, from, "SecretUri=..., VaultName=... or SecretName=... is missing");
            }
            String key = text.substring(from, equals).strip().toLowerCase(Locale.ROOT);
            if (!Set.of("secreturi", "vaultname", "secretname", "secretversion").contains(key)) {
                throw malformed(text, from, "only SecretUri, VaultName, SecretName and SecretVersion are known here");
            }
            if (values.put(key, text.substring(equals + 1, to).strip()) != null) {
                throw malformed(text, from, "the same setting twice");
            }
            begins.put(key, equals + 1);
            from = to + 1;
        }
        String uri = values.get("secreturi");
        if (uri != null) {
            if (values.size() > 1) {
                throw malformed(text, KEY_VAULT.length(), "SecretUri stands alone: it says vault, name and version");
            }
            return secretUri(text, begins.getOrDefault("secreturi", 0), uri, field);
        }
        String vault = setting(text, begins, values, "vaultname", AZURE_NAME);
        String name = setting(text, begins, values, "secretname", AZURE_NAME);
        if (vault == null || name == null) {
            throw malformed(text, KEY_VAULT.length(), "SecretUri, or VaultName and SecretName, must be there");
        }
        String version = setting(text, begins, values, "secretversion", AZURE_VERSION);
        return new SecretReference(Vendor.AZURE, null, vault.toLowerCase(Locale.ROOT), name, version, field);
    }

    private static @Nullable String setting(
            String text, Map<String, Integer> begins, Map<String, String> values, String key, Pattern form) {
        String value = values.get(key);
        if (value != null && !form.matcher(value).matches()) {
            throw malformed(text, begins.getOrDefault(key, 0), "letters, digits and '-' only");
        }
        return value;
    }

    private static SecretReference secretUri(String text, int from, String uri, @Nullable JsonPointer field) {
        Matcher parts = URI.matcher(uri);
        if (!parts.matches()) {
            throw malformed(
                    text, from, "it must be https://<vault host>/secrets/<name>, with a version at most after it");
        }
        String host = parts.group(1);
        String name = parts.group(2);
        String version = parts.group(3) == null || parts.group(3).isEmpty() ? null : parts.group(3);
        String vault = host.split("\\.", 2)[0];
        if (!AZURE_NAME.matcher(vault).matches()
                || !AZURE_NAME.matcher(name).matches()
                || (version != null && !AZURE_VERSION.matcher(version).matches())) {
            throw malformed(text, from, "vault, name and version have letters, digits and '-' only");
        }
        return new SecretReference(Vendor.AZURE, null, vault.toLowerCase(Locale.ROOT), name, version, field);
    }

    /** {@code arn:aws:secretsmanager:region:account:secret:name}, and {@code :json-key:stage:version} as ECS appends it. */
    private static SecretReference arn(String text, int end, @Nullable JsonPointer field) {
        String[] parts = text.substring(0, end).split(":", -1);
        int[] begins = new int[parts.length];
        for (int i = 1; i < parts.length; i++) {
            begins[i] = begins[i - 1] + parts[i - 1].length() + 1;
        }
        if (parts.length < 3 || !parts[1].startsWith("aws") || !parts[2].equals("secretsmanager")) {
            throw malformed(text, 0, "only ARNs of AWS Secrets Manager are known: arn:aws:secretsmanager:...");
        }
        if (parts.length < 7 || parts.length > 10 || !parts[5].equals("secret")) {
            throw malformed(
                    text,
                    0,
                    "an ARN of a secret is arn:aws:secretsmanager:<region>:<account>:secret:<name>, and"
                            + " :<json key>:<stage>:<version> at most after it");
        }
        if (!AWS_VERSION.matcher(parts[3]).matches()) {
            throw malformed(text, begins[3], "the region is missing or wrong");
        }
        if (!AWS_VERSION.matcher(parts[4]).matches()) {
            throw malformed(text, begins[4], "the account is missing or wrong");
        }
        if (!AWS_NAME.matcher(parts[6]).matches()) {
            throw malformed(text, begins[6], "the name of the secret is missing or wrong");
        }
        JsonPointer selected = field;
        if (parts.length > 7 && !parts[7].isEmpty()) {
            if (field != null) {
                throw malformed(text, end, "a second field: the ARN already selects one");
            }
            selected = JsonPointer.ofMember(parts[7]);
        }
        if (parts.length > 8 && !parts[8].isEmpty() && !parts[8].equals("AWSCURRENT")) {
            throw malformed(text, begins[8], "the stage must be AWSCURRENT or absent: other versions come with it");
        }
        String version = parts.length > 9 && !parts[9].isEmpty() ? parts[9] : null;
        if (version != null && !AWS_VERSION.matcher(version).matches()) {
            throw malformed(text, begins[9], "the id of a version has letters, digits and '-' only");
        }
        // The whole ARN is the name: it reaches secrets of other accounts, and the random end makes a bare name
        // ambiguous.
        String name = text.substring(0, begins[6] + parts[6].length());
        return new SecretReference(Vendor.AWS, null, parts[3], name, version, selected);
    }

    /** {@code op://vault/item/field} or {@code op://vault/item/section/field}; all of it together is one secret. */
    private static SecretReference onePassword(String text, int end, @Nullable JsonPointer field) {
        String name = text.substring(ONE_PASSWORD.length(), end);
        String[] parts = name.split("/", -1);
        int begin = ONE_PASSWORD.length();
        for (String part : parts) {
            if (part.isBlank()) {
                throw malformed(text, begin, "vault, item or field is missing in op://<vault>/<item>/<field>");
            }
            begin += part.length() + 1;
        }
        if (parts.length < 3 || parts.length > 4) {
            throw malformed(
                    text, end, "it must be op://<vault>/<item>/<field>, with a section before the field at most");
        }
        return new SecretReference(Vendor.ONE_PASSWORD, null, parts[0], name, null, field);
    }

    static IllegalArgumentException malformed(String text, int index, String problem) {
        return new IllegalArgumentException(
                "malformed reference " + quoted(text) + ", character " + (index + 1) + ": " + problem);
    }

    /** A reference in a message: what cannot be seen is made visible, and what is too long is cut. */
    static String quoted(String text) {
        String visible = text.replaceAll("[\\p{Cntrl}\\p{Cf}]", "?");
        return "'" + (visible.length() > 200 ? visible.substring(0, 200) + "..." : visible) + "'";
    }
}
