package io.dualkey.secrets;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.dualkey.secrets.SecretReference.Vendor;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class SecretReferenceTest {

    private static final String ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-creds-AbCdEf";

    private static void reads(
            String text, Vendor vendor, String prefix, String place, String name, String version, String field) {
        SecretReference reference = SecretReference.parse(text);
        assertThat(reference.vendor()).isEqualTo(vendor);
        assertThat(reference.prefix()).isEqualTo(prefix);
        assertThat(reference.place()).isEqualTo(place);
        assertThat(reference.name()).isEqualTo(name);
        assertThat(reference.version()).isEqualTo(version);
        assertThat(reference.field() == null ? null : reference.field().path()).isEqualTo(field);
    }

    private static void refuses(String text, int character, String problem) {
        assertThatThrownBy(() -> SecretReference.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll(", character " + character + ": ", problem);
    }

    /** P7: a field of a configuration holds a reference or, by mistake, the value itself. */
    @Test
    void connectionStringInPlaceOfAReferenceIsNotQuoted() {
        for (String value : List.of("postgresql://app:canary@db/app", "db:https://app:canary@db/app#x")) {
            assertThatThrownBy(() -> SecretReference.parse(value))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContainingAll("'://'", "the name of the secret")
                    .hasMessageNotContaining("canary");
        }
    }

    @Test
    void versionIsToldInTheReferencesOfVendorsOnly() {
        assertThatThrownBy(() -> SecretReference.parse("aws:key?version=1"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("character 8: a version can be told in the references of vendors only");
    }

    @Test
    void readsOurOwnForm() {
        reads("db-creds", null, null, null, "db-creds", null, null);
        reads("team/db creds", null, null, null, "team/db creds", null, null);
        reads("aws:db-creds", null, "aws", null, "db-creds", null, null);
        reads("aws:a:b", null, "aws", null, "a:b", null, null);
        reads("aws:db-creds#password", null, "aws", null, "db-creds", null, "/password");
        reads("db#primary/password", null, null, null, "db", null, "/primary/password");
        reads("db#/primary/password", null, null, null, "db", null, "/primary/password");
        reads("db#/hosts/0", null, null, null, "db", null, "/hosts/0");
        reads("db#a~1b~0c", null, null, null, "db", null, "/a~1b~0c");
        reads("db#a:b", null, null, null, "db", null, "/a:b");
    }

    @Test
    void refusesMalformedReferencesWithThePosition() {
        assertThatThrownBy(() -> SecretReference.parse(" ")).hasMessageContaining("must not be blank");
        refuses("#password", 1, "name of the secret");
        refuses("aws:", 5, "name of the secret");
        refuses("aws:#password", 5, "name of the secret");
        refuses(":db", 1, "name of a store");
        refuses("a ws:db", 2, "letters, digits");
        refuses(" db", 1, "a space before");
        refuses("db ", 3, "a space after");
        refuses("db #x", 3, "a space after");
        refuses("db#", 4, "name of a field");
        refuses("db#/", 5, "name of a field");
        refuses("db#a//b", 6, "name of a field");
        refuses("db#a/", 6, "name of a field");
        refuses("db#a#b", 5, "second '#'");
        refuses("db#a~2", 5, "tilde");
        refuses("db#a~", 5, "tilde");
        refuses("d\nb", 2, "control character");
        refuses("d\u200bb", 2, "cannot be seen");
    }

    @Test
    void messageShowsNoControlCharacters() {
        assertThatThrownBy(() -> SecretReference.parse("d\nb\u001b[31m")).hasMessageContaining("'d?b?[31m'");
    }

    @Test
    void readsKeyVaultReferencesOfAppService() {
        reads(
                "@Microsoft.KeyVault(SecretUri=https://my-vault.vault.azure.net/secrets/db-url)",
                Vendor.AZURE,
                null,
                "my-vault",
                "db-url",
                null,
                null);
        reads(
                "@Microsoft.KeyVault(SecretUri=https://My-Vault.vault.azure.net/secrets/db-url/)",
                Vendor.AZURE,
                null,
                "my-vault",
                "db-url",
                null,
                null);
        reads(
                "@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/db-url/ec96f02080254f109c51a1f14cdb1931)",
                Vendor.AZURE,
                null,
                "v",
                "db-url",
                "ec96f02080254f109c51a1f14cdb1931",
                null);
        reads(
                "@Microsoft.KeyVault(VaultName=my-vault;SecretName=db-creds)#password",
                Vendor.AZURE,
                null,
                "my-vault",
                "db-creds",
                null,
                "/password");
        reads(
                "@microsoft.keyvault(SecretName=s; VaultName=v; SecretVersion=ab12)",
                Vendor.AZURE,
                null,
                "v",
                "s",
                "ab12",
                null);
    }

    @Test
    void refusesMalformedKeyVaultReferencesWithThePosition() {
        refuses("@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/x", 65, "ends with ')'");
        refuses("@Microsoft.KeyVault(", 20, "ends with ')'");
        refuses("@Microsoft.KeyVault()", 21, "is missing");
        refuses("@Microsoft.KeyVault(VaultName=v)", 21, "VaultName and SecretName");
        refuses("@Microsoft.KeyVault(VaultName=v;VaultName=w;SecretName=s)", 33, "twice");
        refuses("@Microsoft.KeyVault(Vault=v;SecretName=s)", 21, "only SecretUri");
        refuses("@Microsoft.KeyVault(VaultName=v;SecretName=a b)", 44, "letters, digits");
        refuses("@Microsoft.KeyVault(SecretUri=http://v.vault.azure.net/secrets/x)", 31, "https://");
        refuses("@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/keys/x)", 31, "https://");
        refuses("@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/x/y/z)", 31, "https://");
        refuses("@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/x;SecretName=x)", 21, "stands alone");
        refuses("@Microsoft.KeyVault(VaultName=v;SecretName=s;)x", 47, "ends with ')'");
    }

    @Test
    void readsArnsOfSecretsManager() {
        reads(ARN, Vendor.AWS, null, "eu-west-1", ARN, null, null);
        reads(ARN + "#password", Vendor.AWS, null, "eu-west-1", ARN, null, "/password");
        reads(ARN + ":password::", Vendor.AWS, null, "eu-west-1", ARN, null, "/password");
        reads(ARN + ":a/b:AWSCURRENT:", Vendor.AWS, null, "eu-west-1", ARN, null, "/a~1b");
        reads(ARN + ":::9d4cb84b-ad69", Vendor.AWS, null, "eu-west-1", ARN, "9d4cb84b-ad69", null);
        String managed = "arn:aws-us-gov:secretsmanager:us-gov-west-1:1:secret:rds!db-1b-AbCdEf";
        reads(managed, Vendor.AWS, null, "us-gov-west-1", managed, null, null);
    }

    @Test
    void refusesMalformedArnsWithThePosition() {
        refuses("arn:aws:ssm:eu-west-1:123456789012:parameter/x", 1, "only ARNs of AWS Secrets Manager");
        refuses("arn:aws", 1, "only ARNs of AWS Secrets Manager");
        refuses("arn:aws:secretsmanager:eu-west-1:123456789012:secret", 1, "<name>");
        refuses("arn:aws:secretsmanager::123456789012:secret:x", 24, "region");
        refuses("arn:aws:secretsmanager:eu-west-1::secret:x", 34, "account");
        refuses("arn:aws:secretsmanager:eu-west-1:1:secret:", 43, "name of the secret");
        refuses("arn:aws:secretsmanager:eu-west-1:1:secret:x::AWSPREVIOUS:", 46, "AWSCURRENT");
        refuses("arn:aws:secretsmanager:eu-west-1:1:secret:x:k::#f", 48, "second field");
        refuses("arn:aws:secretsmanager:eu-west-1:1:secret:x:::v w", 47, "id of a version");
    }

    @Test
    void readsReferencesOf1Password() {
        reads("op://prod/db/password", Vendor.ONE_PASSWORD, null, "prod", "prod/db/password", null, null);
        reads("op://prod/db/sec/password", Vendor.ONE_PASSWORD, null, "prod", "prod/db/sec/password", null, null);
        refuses("op://prod/db", 13, "op://<vault>/<item>/<field>");
        refuses("op://prod//password", 11, "is missing");
        refuses("op://a/b/c/d/e", 15, "op://<vault>/<item>/<field>");
    }

    /** Whatever is thrown at it, it answers or refuses. */
    @Test
    void randomTextIsReadOrRefused() {
        List<String> bits = List.of(
                "@Microsoft.KeyVault(",
                "SecretUri=",
                "https://",
                "v.vault.azure.net",
                "/secrets/",
                "VaultName=v",
                ";",
                "SecretName=",
                ")",
                "arn:",
                "aws:",
                "secretsmanager:",
                "r:",
                "1:",
                "secret:",
                "op://",
                "/",
                "#",
                "~",
                "~1",
                ":",
                "a",
                "é",
                "\u0000",
                " ",
                "{",
                "}",
                "|",
                "\uD83D",
                "=",
                "db-creds");
        Random random = new Random(42);
        int read = 0;
        for (int i = 0; i < 50_000; i++) {
            StringBuilder text = new StringBuilder();
            for (int n = random.nextInt(12); n >= 0; n--) {
                text.append(bits.get(random.nextInt(bits.size())));
            }
            try {
                SecretReference reference = SecretReference.parse(text.toString());
                assertThat(reference.name()).isNotBlank();
                read++;
            } catch (IllegalArgumentException malformed) {
                assertThat(malformed.getClass()).isEqualTo(IllegalArgumentException.class);
                assertThat(malformed.getMessage()).doesNotContain("\u0000");
            }
        }
        assertThat(read).isBetween(500, 45_000);
    }

    // To which store they lead

    private final InMemoryStore plain = new InMemoryStore();
    private final InMemoryStore other = new InMemoryStore();

    private static SecretStore at(String address) {
        return new SecretStore() {
            @Override
            public String description() {
                return address;
            }

            @Override
            public java.util.Optional<String> address() {
                return java.util.Optional.of(address);
            }

            @Override
            public List<StoreResult> read(List<StoreQuery> queries) {
                return List.of();
            }
        };
    }

    private static String found(Stores stores, String reference) {
        Stores.Place place = stores.find(SecretReference.parse(reference));
        return place.name() + " in " + place.store().description();
    }

    @Test
    void unknownPrefixIsRefusedWithTheKnownOnes() {
        Stores stores = new Stores(plain, Map.of("file", other, "aws", other));
        assertThatThrownBy(() -> found(stores, "gcp:x"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("'gcp'", "'gcp:x'", "aws, file", "store(\"gcp\", ...)");
        assertThatThrownBy(() -> found(new Stores(plain, Map.of()), "gcp:x"))
                .hasMessageContaining("no stores with a prefix");
    }

    @Test
    void nameWithoutPrefixNeedsAStoreWithoutPrefix() {
        assertThatThrownBy(() -> found(new Stores(null, Map.of("file", other)), "x"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("names no store", "file");
    }

    @Test
    void vendorsReferencesLeadToTheStoreAtThatPlace() {
        Stores stores = new Stores(
                at("azure:orders"), Map.of("azure", at("azure:users"), "aws", at("aws:eu-west-1"), "op", other));
        assertThat(found(stores, "@Microsoft.KeyVault(VaultName=users;SecretName=s)"))
                .isEqualTo("azure:s in azure:users");
        assertThat(found(stores, "@Microsoft.KeyVault(VaultName=Orders;SecretName=s)"))
                .isEqualTo("s in azure:orders");
        assertThat(found(stores, ARN)).isEqualTo("aws:" + ARN + " in aws:eu-west-1");
        assertThat(found(stores, "op://prod/db/password")).isEqualTo("op:prod/db/password in memory");
    }

    @Test
    void vendorsReferenceIsNeverLookedUpInAnotherPlace() {
        Stores stores = new Stores(plain, Map.of("azure", at("azure:users")));
        assertThatThrownBy(() -> found(stores, "@Microsoft.KeyVault(VaultName=orders;SecretName=s)"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("Azure Key Vault, vault 'orders'", "store(\"orders\", ...)");
        assertThatThrownBy(() -> found(stores, ARN))
                .hasMessageContainingAll("AWS Secrets Manager, region 'eu-west-1'", "store(\"aws\", ...)");
        assertThatThrownBy(() -> found(stores, "op://prod/db/password"))
                .hasMessageContainingAll("1Password, vault 'prod'", "store(\"op\", ...)");
    }

    @Test
    void storeThatDoesNotSayWhereItIsIsFoundByItsPrefix() {
        Stores stores = new Stores(null, Map.of("azure", plain, "orders", other));
        assertThat(found(stores, "@Microsoft.KeyVault(VaultName=orders;SecretName=s)"))
                .startsWith("orders:s ");
        assertThat(found(stores, "@Microsoft.KeyVault(VaultName=users;SecretName=s)"))
                .startsWith("azure:s ");
    }
}
