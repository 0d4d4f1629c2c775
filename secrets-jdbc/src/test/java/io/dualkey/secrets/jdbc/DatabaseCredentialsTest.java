package io.dualkey.secrets.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.dualkey.secrets.InMemoryStore;
import io.dualkey.secrets.Parser;
import io.dualkey.secrets.RefreshCause;
import io.dualkey.secrets.Rotating;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.SecretValue;
import io.dualkey.secrets.UnusableSecretException;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DatabaseCredentialsTest {

    private static final String CANARY = "s3cr3t-c4n4ry";

    private static DatabaseCredentials parse(String secret) throws Exception {
        return DatabaseCredentials.parser().parse(SecretValue.ofText(secret));
    }

    private static DatabaseCredentials parse(String url, String user, String secret) throws Exception {
        return DatabaseCredentials.parser(url, user).parse(SecretValue.ofText(secret));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        postgresql://app:pw@db:5432/shop                    | jdbc:postgresql://db:5432/shop                  | app     | pw
        postgres://app:pw@db/shop?sslmode=require           | jdbc:postgresql://db/shop?sslmode=require       | app     | pw
        postgresql://a%40b:p%2Fw%20%C3%A9+%25@db/my%20shop  | jdbc:postgresql://db/my+shop                    | a@b     | p/w é+%
        postgresql://app:p:w@db/shop                        | jdbc:postgresql://db/shop                       | app     | p:w
        postgresql://app:p@w@db/shop                        | jdbc:postgresql://db/shop                       | app     | p@w
        postgresql://app:pw@[::1]:5433/shop                 | jdbc:postgresql://[::1]:5433/shop               | app     | pw
        postgresql://app:pw@a:1,b:2/shop                    | jdbc:postgresql://a:1,b:2/shop                  | app     | pw
        postgresql://app:pw@db                              | jdbc:postgresql://db/                           | app     | pw
        postgresql://db/shop?user=app&sslmode=require&password=p%26w | jdbc:postgresql://db/shop?sslmode=require | app  | p&w
        postgresql://x:y@db/shop?user=app&password=pw       | jdbc:postgresql://db/shop                       | app     | pw
        postgresql://app:pw@db/shop?application_name=my%20app&connect_timeout=3 | jdbc:postgresql://db/shop?ApplicationName=my+app&connectTimeout=3 | app | pw
        postgresql://app:pw@db/shop?options=-c%20x%3Da@b    | jdbc:postgresql://db/shop?options=-c+x%3Da%40b  | app     | pw
        jdbc:postgresql://db:5432/shop?user=app&password=p+w&sslmode=verify-full | jdbc:postgresql://db:5432/shop?sslmode=verify-full | app | p w
        jdbc:postgresql://db/shop?ssl&password=pw&USER=app  | jdbc:postgresql://db/shop?ssl                   | app     | pw
        jdbc:postgresql://app:p%3Fw@db/shop                 | jdbc:postgresql://db/shop                       | app     | p?w
        jdbc:mysql://db:3306/shop?useSSL=true&user=app&password=pw | jdbc:mysql://db:3306/shop?useSSL=true    | app     | pw
        jdbc:mariadb://app:p%40w@db/shop?sslMode=verify-full | jdbc:mariadb://db/shop?sslMode=verify-full     | app     | p@w
        mysql://app:p%3Aw@db:3307/my%20shop?ssl-mode=REQUIRED | jdbc:mysql://db:3307/my%20shop?sslMode=REQUIRED | app   | p:w
        mariadb://a%40b:pw@a,b:3307/shop                    | jdbc:mariadb://a,b:3307/shop                    | a@b     | pw
        """)
    void readsUrls(String secret, String url, String user, String password) throws Exception {
        DatabaseCredentials credentials = parse(secret + "\n");

        assertThat(credentials.url()).isEqualTo(url);
        assertThat(credentials.user()).isEqualTo(user);
        assertThat(credentials.password().revealText()).isEqualTo(password);
    }

    @Test
    void readsJsonOfRds() throws Exception {
        DatabaseCredentials credentials = parse("""
                {"engine": "postgres", "host": "db.example", "port": 5432, "username": "app", "password": "p\\"w",
                 "dbname": "my shop", "masterarn": {"ignored": [1]}}""");

        assertThat(credentials.url()).isEqualTo("jdbc:postgresql://db.example:5432/my+shop");
        assertThat(credentials.user()).isEqualTo("app");
        assertThat(credentials.password().revealText()).isEqualTo("p\"w");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        postgres          | 5432  | jdbc:postgresql://db:5432/my+shop
        aurora-postgresql |       | jdbc:postgresql://db/my+shop
        redshift          | 5439  | jdbc:redshift://db:5439/my%20shop
        mysql             | 3306  | jdbc:mysql://db:3306/my%20shop
        aurora-mysql      |       | jdbc:mysql://db/my%20shop
        aurora            |       | jdbc:mysql://db/my%20shop
        MariaDB           | 3306  | jdbc:mariadb://db:3306/my%20shop
        oracle            | 1521  | jdbc:oracle:thin:@//db:1521/my shop
        oracle-se2-cdb    | 1521  | jdbc:oracle:thin:@//db:1521/my shop
        custom-oracle-ee  | 1521  | jdbc:oracle:thin:@//db:1521/my shop
        sqlserver         | 1433  | jdbc:sqlserver://db:1433;databaseName=my shop
        sqlserver-web     |       | jdbc:sqlserver://db;databaseName=my shop
        db2-ae            | 50000 | jdbc:db2://db:50000/my shop
        """)
    void readsJsonOfEachEngineOfRds(String engine, String port, String url) throws Exception {
        String secret =
                "{\"engine\":\"%s\",\"host\":\"db\",\"username\":\"app\",\"password\":\"pw\",%s\"dbname\":\"my shop\"}"
                        .formatted(engine, port == null ? "" : "\"port\":" + port + ",");

        assertThat(parse(secret).url()).isEqualTo(url);
        assertThat(parse("jdbc:other://old/x?secure=true", null, secret).url()).isEqualTo(url);
    }

    @Test
    void quotesNamesOfDatabasesAsTheirDriversNeedIt() throws Exception {
        String secret =
                "{\"engine\":\"%s\",\"host\":\"%s\",\"username\":\"app\",\"password\":\"pw\",\"dbname\":\"%s\"}";

        assertThat(parse(secret.formatted("sqlserver", "db", "a;encrypt=false}"))
                        .url())
                .isEqualTo("jdbc:sqlserver://db;databaseName={a;encrypt=false}}}");
        assertThat(parse(secret.formatted("mysql", "::1", "a?b")).url()).isEqualTo("jdbc:mysql://[::1]/a%3Fb");
        assertThat(catchThrowable(() -> parse(secret.formatted("db2", "db", "a:user=x"))))
                .hasMessageContaining("dbname");
    }

    @Test
    void keepsConfiguredOptionsOfSqlServerButNotItsDatabase() throws Exception {
        String configured = "jdbc:sqlserver://old;databaseName={a;b};encrypt=true;trustServerCertificate=false";
        String secret = "{\"host\":\"new\",\"username\":\"app\",\"password\":\"pw\",\"dbname\":\"shop\"}";

        assertThat(parse(configured, null, secret).url())
                .isEqualTo("jdbc:sqlserver://new;databaseName=shop;encrypt=true;trustServerCertificate=false");
    }

    @Test
    void readsUserAndPasswordOfTwoSecretsAndOfMembersWithOtherNames() {
        InMemoryStore store = new InMemoryStore();
        store.put("db-user", "a@b");
        store.put("db-password", "p/w é");
        store.put("creds", "{\"login\":\"app\",\"secret\":\"p:w\"}");
        try (SecretSource secrets = SecretSource.from(store)) {
            Rotating<DatabaseCredentials> two = secrets.composed(
                            "two", "postgresql://{db-user}:{db-password}@db:5432/shop?sslmode=require")
                    .map(DatabaseCredentials.parser());
            Rotating<DatabaseCredentials> members = secrets.composed(
                            "members", "mysql://{creds#login}:{creds#secret}@db/shop")
                    .map(DatabaseCredentials.parser());
            secrets.start(Duration.ofSeconds(10));

            assertThat(two.current().user()).isEqualTo("a@b");
            assertThat(two.current().password().revealText()).isEqualTo("p/w é");
            assertThat(two.current().url()).isEqualTo("jdbc:postgresql://db:5432/shop?sslmode=require");
            assertThat(members.current().user()).isEqualTo("app");
            assertThat(members.current().password().revealText()).isEqualTo("p:w");

            store.put("db-password", "next");
            two.refresh(RefreshCause.OPERATOR).join();
            assertThat(two.current().password().revealText()).isEqualTo("next");
        }
    }

    @Test
    void keepsConfiguredOptionsWhereJsonNamesAnotherHost() throws Exception {
        String configured = "jdbc:postgresql://old/shop?sslmode=verify-full";
        String secret =
                "{\"host\":\"new\",\"port\":\"6432\",\"username\":\"app\",\"password\":\"pw\",\"dbname\":\"shop\"}";

        assertThat(parse(configured, null, secret).url())
                .isEqualTo("jdbc:postgresql://new:6432/shop?sslmode=verify-full");
    }

    @Test
    void readsPasswordAloneAndJsonWithoutHostWhereTheRestIsConfigured() throws Exception {
        DatabaseCredentials plain = parse("jdbc:postgresql://db/shop?user=fromUrl", "app", " p w \n");
        DatabaseCredentials json =
                parse("jdbc:postgresql://db/shop?user=fromUrl&password=old", null, "{\"password\":\"pw\"}");

        assertThat(plain.url()).isEqualTo("jdbc:postgresql://db/shop");
        assertThat(plain.user()).isEqualTo("app");
        assertThat(plain.password().revealText()).isEqualTo(" p w ");
        assertThat(json.user()).isEqualTo("fromUrl");
        assertThat(json.password().revealText()).isEqualTo("pw");
        assertThat(parse("jdbc:postgresql://db/shop", "app", "{\"username\":\"u2\",\"password\":\"pw\"}")
                        .user())
                .isEqualTo("u2");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                CANARY,
                "https://app:" + CANARY + "@db/shop",
                "postgresql://app@" + "db/shop?x=" + CANARY,
                "postgresql://:" + CANARY + "@db/shop",
                "postgresql://app:" + CANARY + "%@db/shop",
                "postgresql://app:" + CANARY + "%zz@db/shop",
                "postgresql://app:" + CANARY + "%ff@db/shop",
                "postgresql://app:" + CANARY + "/x@db/shop",
                "postgresql://app:" + CANARY + "?x@db/shop",
                "postgresql://app:" + CANARY + "#x@db/shop",
                "postgresql://app:" + CANARY + "@db:99999/shop",
                "postgresql://app:" + CANARY + "@db:x/shop",
                "postgresql://app:" + CANARY + "@/shop",
                "postgresql://app:" + CANARY + "@db/shop?" + CANARY,
                "jdbc:oracle:thin:app/" + CANARY + "@db:1521/shop",
                "jdbc:oracle:thin:app/" + CANARY + "@//db/shop",
                "jdbc:oracle:thin:app/" + CANARY + ":@//db/shop",
                "jdbc:oracle:thin:app/" + CANARY + "//x@db/shop",
                "jdbc:oracle:thin:app/" + CANARY + "?x@//db/shop",
                "jdbc:sqlserver://db;user=app;password=" + CANARY,
                "jdbc:sqlserver://db;encrypt=true; Password = " + CANARY,
                "jdbc:db2://db:50000/shop:user=app;password=" + CANARY + ";",
                "jdbc:mysql://(host=db,user=app,password=" + CANARY + ")/shop",
                "jdbc:mysql://address=(host=db)(user=app)(password=" + CANARY + ")/shop",
                "mysql://app:" + CANARY + "%zz@db/shop",
                "mongodb://app:" + CANARY + "@db/shop",
                "{\"engine\":\"mysql\",\"host\":\"db\",\"port\":\"" + CANARY
                        + "\",\"username\":\"app\",\"password\":\"pw\"}",
                "{\"engine\":\"oracle\",\"host\":\"db\",\"dbname\":\"/" + CANARY
                        + "\",\"username\":\"app\",\"password\":\"pw\"}",
                "{\"engine\":\"postgres\",\"host\":\"db\",\"username\":\"app\",\"password\":\"" + CANARY + "\"",
                "{\"password\":\"" + CANARY + "\",\"password\":\"x\",\"host\":\"db\",\"username\":\"app\"}",
                "{\"engine\":\"" + CANARY + "\",\"host\":\"db\",\"username\":\"app\",\"password\":\"pw\"}",
                "{\"engine\":\"postgres\",\"host\":\"x:" + CANARY + "@db\",\"username\":\"app\",\"password\":\"pw\"}",
                "{\"engine\":\"postgres\",\"host\":\"db\",\"username\":\"app\",\"passwort\":\"" + CANARY + "\"}",
                "{\"password\":\"" + CANARY + "\",\"username\":\"app\"}",
                "{\"a\":\"" + CANARY + "\"} " + CANARY,
                "{" + CANARY + "}",
            })
    void refusesWithoutQuoting(String secret) {
        Throwable failure = catchThrowable(() -> parse(secret));

        assertThat(failure).isInstanceOf(UnusableSecretException.class).hasNoCause();
        assertThat(failure.getMessage()).doesNotContain(CANARY).doesNotContain(CANARY.substring(0, 6));
        assertThat(failure.getSuppressed()).isEmpty();
    }

    @Test
    void namesThePositionOfWhatIsWrong() {
        assertThat(catchThrowable(() -> parse("postgresql://app:p%zz@db/shop")))
                .hasMessageContaining("position 19")
                .hasMessageContaining("%25");
        assertThat(catchThrowable(() -> parse("{\"password\":\n  x}"))).hasMessageContaining("line 2");
    }

    @Test
    void keepsOraclesUrlsWithoutUser() {
        for (String url : List.of("jdbc:oracle:thin:@//db:1521/shop", "jdbc:oracle:thin:@db:1521:shop")) {
            assertThat(DatabaseUrl.parse(url).jdbcUrl()).isEqualTo(url);
        }
    }

    @Test
    void takesADefaultPortForNone() {
        assertThat(DatabaseUrl.endpoint("jdbc:postgresql://a:5432,[::5432]:5432/x?y"))
                .isEqualTo(DatabaseUrl.endpoint("jdbc:postgresql://a,[::5432]/z"));
        assertThat(DatabaseUrl.endpoint("jdbc:postgresql://a:5433/x"))
                .isNotEqualTo(DatabaseUrl.endpoint("jdbc:postgresql://a/x"));
        assertThat(DatabaseUrl.endpoint("jdbc:other://a:5432/x")).isEqualTo("jdbc:other://a:5432");
    }

    @Test
    void survivesAnyInput() {
        Random random = new Random(20261101);
        String alphabet = "ab:/?#@%&=[]{}\",. \n0+;é\ud83d\ude00";
        Parser<SecretValue, DatabaseCredentials> parser = DatabaseCredentials.parser("jdbc:postgresql://db/x", "app");
        for (int i = 0; i < 50_000; i++) {
            StringBuilder text = new StringBuilder(
                    new String[] {"", "{", "postgresql://", "jdbc:postgresql://", "jdbc:"}[random.nextInt(5)]);
            for (int length = random.nextInt(20); length > 0; length--) {
                text.append(alphabet.charAt(random.nextInt(alphabet.length())));
            }
            Throwable failure = catchThrowable(() -> parser.parse(SecretValue.ofText(text.toString())));
            if (failure != null) {
                assertThat(failure).isInstanceOf(UnusableSecretException.class);
            }
        }
    }

    /** Changes good secrets at random places: whatever becomes of them, nobody is shown what was in them. */
    @Test
    void showsNothingOfWhatItCannotRead() {
        List<String> good = List.of(
                "postgresql://app:" + CANARY + "@db:5432/shop?sslmode=require",
                "mysql://app:" + CANARY + "@db/shop?ssl-mode=REQUIRED&connectTimeout=3",
                "jdbc:postgresql://db:5432/shop?user=app&password=" + CANARY + "&ssl",
                "jdbc:mariadb://app:" + CANARY + "@db/shop",
                "jdbc:oracle:thin:app/" + CANARY + "@//db/shop",
                "jdbc:sqlserver://db;user=app;password=" + CANARY + ";encrypt=true",
                "{\"engine\":\"postgres\",\"host\":\"db\",\"port\":5432,\"username\":\"app\",\"password\":\"" + CANARY
                        + "\",\"dbname\":\"shop\"}");
        Random random = new Random(20261121);
        String alphabet = "ab:/?#@%&=[]{}()\",;. \n0+é\ud83d\ude00";
        int refused = 0;
        for (int i = 0; i < 50_000; i++) {
            StringBuilder text = new StringBuilder(good.get(random.nextInt(good.size())));
            for (int changes = 1 + random.nextInt(3); changes > 0; changes--) {
                int at = random.nextInt(text.length());
                if (text.substring(Math.max(0, at - CANARY.length()), Math.min(text.length(), at + CANARY.length()))
                        .contains(CANARY)) {
                    continue; // the canary must stay whole, to be found
                }
                switch (random.nextInt(4)) {
                    case 0 -> text.deleteCharAt(at);
                    case 1 -> text.setLength(Math.max(at, text.indexOf(CANARY) + CANARY.length()));
                    default -> text.insert(at, alphabet.charAt(random.nextInt(alphabet.length())));
                }
            }
            String shown;
            try {
                shown = parse(text.toString()).toString();
            } catch (Exception failure) {
                assertThat(failure).isInstanceOf(UnusableSecretException.class).hasNoCause();
                shown = failure.toString();
                refused++;
            }
            assertThat(shown).as("shown of a changed secret").doesNotContain(CANARY);
        }
        assertThat(refused).isBetween(10_000, 49_000);
    }

    @Test
    void showsNeitherPasswordNorOptions() throws Exception {
        DatabaseCredentials credentials = parse("postgresql://app:" + CANARY + "@db/shop?sslpassword=" + CANARY + "2");

        assertThat(credentials)
                .hasToString("DatabaseCredentials[jdbc:postgresql://db/shop, user app, password hidden]");
        assertThat(credentials.target()).isEqualTo("jdbc:postgresql://db/shop");
    }
}
