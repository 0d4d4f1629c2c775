package io.dualkey.secrets.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.dualkey.secrets.InMemoryStore;
import io.dualkey.secrets.Rotating;
import io.dualkey.secrets.SecretStore;
import io.dualkey.secrets.StoreQuery;
import io.dualkey.secrets.StoreResult;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.support.GenericApplicationContext;

/** What somebody reads whose application does not start. */
@ExtendWith(OutputCaptureExtension.class)
class FailureAnalysisTest {

    @TempDir
    Path directory;

    @Test
    void namesEveryMissingSecretItsPropertyItsPlaceAndWhatToDo(CapturedOutput output) {
        failToStart(
                List.of(),
                "dualkey.stores.directory.path=" + directory,
                "dualkey.secrets[0]=sendgrid-api-key",
                "dualkey.secrets[1]=stripe-webhook#key");

        assertThat(output)
                .contains("2 secrets could not be loaded:")
                .contains("'sendgrid-api-key' (dualkey.secrets): ")
                .contains("'stripe-webhook' (dualkey.secrets): ")
                .contains(directory.toString())
                .contains("create it, or correct its name")
                .contains("start the application again")
                .doesNotContain("dualkey.startup-timeout");
    }

    @Test
    void saysWhatToDoAboutAStoreThatDoesNotAnswer(CapturedOutput output) {
        failToStart(List.of(new Hanging()), "dualkey.secrets=api-key", "dualkey.startup-timeout=20ms");

        assertThat(output)
                .contains("1 secret could not be loaded:")
                .contains("no answer in time from a store that hangs")
                .contains("raise dualkey.startup-timeout");
    }

    @Test
    void refusesAPrefixThatIsNone(CapturedOutput output) {
        failToStart(List.of(), "dualkey.stores.directory.path=" + directory, "dualkey.stores.directory.prefix=a b");

        assertThat(output).contains("out of range", "prefix of a store", "'a b'");
    }

    @Test
    void refusesSettingsThatContradictEachOther(CapturedOutput output) {
        failToStart(List.of(new InMemoryStore()), "dualkey.secrets[0].name=x", "dualkey.secrets[0].fail-closed=true");

        assertThat(output).contains("secret 'x' is to fail closed, but no maxStale says when", "dualkey.secrets");
    }

    @Test
    void namesTheEntryOfASecretThatIsKeptUnderAnotherName(CapturedOutput output) {
        failToStart(
                List.of(new InMemoryStore()),
                "dualkey.secrets[0].name=payment",
                "dualkey.secrets[0].reference=prod/payment#key");

        assertThat(output).contains("'prod/payment' (dualkey.secrets): ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"dualkey.jdbc.max-failed-login", "dualkey.jdbc.data-sources.reporting.max-failed-login"})
    void namesAMisspeltPropertyOfTheDatabase(String property, CapturedOutput output) {
        failToStart(List.of(new InMemoryStore()), property + "=1");

        assertThat(output).contains("There is no such property: " + property + ".");
    }

    @ParameterizedTest
    @ValueSource(strings = {"dualkey.jdbc.secret", "dualkey.jwt.secret", "dualkey.jwt.signer.secret"})
    void refusesToTakeTheNameOfASecretForASwitch(String property, CapturedOutput output) {
        failToStart(List.of(new InMemoryStore()), property + "=false");

        assertThat(output).contains(property + " is false, but it names a secret");
    }

    @Test
    void refusesTwoStoreBeans(CapturedOutput output) {
        failToStart(List.of(new InMemoryStore(), new InMemoryStore()));

        assertThat(output).contains("There are 2 SecretStore beans");
    }

    @ParameterizedTest
    @ValueSource(strings = {"dualkey.secrets=x", "dualkey.jwt.secret=x", "dualkey.jdbc.secret=x"})
    void saysThatAStoreIsMissingWhereSecretsAreNamed(String property, CapturedOutput output) {
        failToStart(List.of(), property);

        assertThat(output)
                .contains("nothing says where they are kept")
                .contains("Set dualkey.stores.directory.path", "azure-key-vault.url", "aws-secrets-manager.region");
    }

    @ParameterizedTest
    @ValueSource(strings = {"dualkey.refresh-interval=0s", "dualkey.grace=-1s"})
    void saysWhatIsOutOfRange(String property, CapturedOutput output) {
        failToStart(List.of(new InMemoryStore()), property);

        assertThat(output).contains("out of range").contains("Correct dualkey.refresh-interval, dualkey.grace");
    }

    @ParameterizedTest
    @ValueSource(strings = {"dualkey.stores.directory.path= ", "dualkey.stores.directory.path=a\0b"})
    void refusesWhatIsNoPath(String property, CapturedOutput output) {
        failToStart(List.of(), property);

        assertThat(output).contains("dualkey.stores.directory.path is blank or not a path");
    }

    @Test
    void saysWhichSecretsThereAreWhereABeanWantsAnother(CapturedOutput output) {
        InMemoryStore store = new InMemoryStore();
        store.put("sendgrid-api-key", "x");
        failToStart(Mailer.class, List.of(store), "dualkey.secrets=sendgrid-api-key");

        assertThat(output)
                .contains("Mailer wants the secret 'sendgrid-key', which dualkey.secrets does not list")
                .contains("It lists 'sendgrid-api-key'.")
                .contains("Add 'sendgrid-key' to dualkey.secrets", "or correct @Secret(\"sendgrid-key\")");
    }

    @Test
    void saysInWhichFormsASecretIsInjected(CapturedOutput output) {
        InMemoryStore store = new InMemoryStore();
        store.put("sendgrid-api-key", "x");
        failToStart(ValueMailer.class, List.of(store), "dualkey.secrets=sendgrid-api-key");

        assertThat(output)
                .contains("wants the secret 'sendgrid-api-key' in a form that it cannot be injected in")
                .contains("declare it as Rotating<String>");
    }

    @ParameterizedTest
    @CsvSource({
        "dualkey.jwt.algorithms=HS255, HS256",
        "dualkey.jwt.algorithms=none, HS256",
        "dualkey.jwt.key-format=base46, BASE64"
    })
    void saysWhichValuesThereAre(String property, String one, CapturedOutput output) {
        failToStart(List.of(new InMemoryStore()), "dualkey.jwt.secret=x", property);

        assertThat(output).contains("The following values are valid", one);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "dualkey.fail-close=true",
                "dualkey.secrets[0].max-stall=1h",
                "dualkey.stores.azure.url=https://kv.vault.azure.net",
                "dualkey.jwt.audience=web",
                "dualkey.jwt.key=canary-4711"
            })
    void refusesWhatNobodyWouldReadAndDoesNotShowIt(String property, CapturedOutput output) {
        failToStart(List.of(new InMemoryStore()), "dualkey.jwt.secret=x", "dualkey.secrets[0].name=x", property);

        assertThat(output)
                .contains("There is no such property: " + property.replaceAll("=.*", ""))
                .doesNotContain("canary-4711");
    }

    @Test
    void refusesConditionsOfTokensThatNobodyWouldVerify(CapturedOutput output) {
        failToStart(List.of(new InMemoryStore()), "dualkey.jwt.issuer=https://login.example.com");

        assertThat(output).contains("dualkey.jwt.issuer is set, but dualkey.jwt.secret is not");
    }

    @Test
    void refusesToFailClosedWithoutALimit(CapturedOutput output) {
        failToStart(List.of(new InMemoryStore()), "dualkey.fail-closed=true");

        assertThat(output).contains("no maxStale says when", "dualkey.max-stale");
    }

    @Test
    void namesTheKeyThatSignsWhereItIsMissing(CapturedOutput output) {
        failToStart(
                List.of(new InMemoryStore()), "dualkey.jwt.signer.secret=signing-key", "dualkey.jwt.algorithms=RS256");

        assertThat(output).contains("'signing-key' (dualkey.jwt.signer.secret): ");
    }

    private static void failToStart(List<SecretStore> stores, String... properties) {
        failToStart(Empty.class, stores, properties);
    }

    /** Starts a real application, so that the registration of the analyzers is tested too. */
    private static void failToStart(Class<?> service, List<SecretStore> stores, String... properties) {
        SpringApplication application = new SpringApplication(service);
        application.setWebApplicationType(WebApplicationType.NONE);
        application.addInitializers(context -> {
            for (int i = 0; i < stores.size(); i++) {
                SecretStore store = stores.get(i);
                ((GenericApplicationContext) context).registerBean("store" + i, SecretStore.class, () -> store);
            }
        });
        assertThatThrownBy(() -> application
                        .run(Stream.of(properties)
                                .map(property -> "--" + property)
                                .toArray(String[]::new))
                        .close())
                .isNotNull();
    }

    @ImportAutoConfiguration({
        SecretsAutoConfiguration.class,
        JwtVerifierAutoConfiguration.class,
        JwtSignerAutoConfiguration.class
    })
    static class Empty {}

    /** Wants what is listed under another name. */
    static final class Mailer extends Empty {

        Mailer(@Secret("sendgrid-key") Rotating<String> apiKey) {
            throw new IllegalStateException("not reached with " + apiKey);
        }
    }

    /** Wants the value itself. */
    static final class ValueMailer extends Empty {

        ValueMailer(@Secret("sendgrid-api-key") String apiKey) {
            throw new IllegalStateException("not reached with " + apiKey);
        }
    }

    /** A store that never answers. */
    private static final class Hanging implements SecretStore {

        @Override
        public String description() {
            return "a store that hangs";
        }

        @Override
        public List<StoreResult> read(List<StoreQuery> queries) throws InterruptedException {
            new CountDownLatch(1).await();
            return List.of();
        }
    }
}
