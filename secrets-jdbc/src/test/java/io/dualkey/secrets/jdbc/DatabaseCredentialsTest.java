package io.dualkey.secrets.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.dualkey.secrets.Parser;
import io.dualkey.secrets.SecretValue;
import io.dualkey.secrets.UnusableSecretException;
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

    @Test
    void showsNeitherPasswordNorOptions() throws Exception {
        DatabaseCredentials credentials = parse("postgresql://app:" + CANARY + "@db/shop?sslpassword=" + CANARY + "2");

        assertThat(credentials)
                .hasToString("DatabaseCredentials[jdbc:postgresql://db/shop, user app, password hidden]");
        assertThat(credentials.target()).isEqualTo("jdbc:postgresql://db/shop");
    }
}
