package io.dualkey.secrets.jdbc;

import io.dualkey.secrets.Parser;
import io.dualkey.secrets.SecretValue;
import io.dualkey.secrets.UnusableSecretException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What it takes to log in to a database: where it is, as whom, and the password. The three belong together and are
 * always read as one. The URL contains neither user nor password.
 *
 * <p>Immutable and safe for use by several threads. Not {@link java.io.Serializable}, on purpose.
 */
public final class DatabaseCredentials {

    private final String url;
    private final String user;
    private final SecretValue password;

    DatabaseCredentials(String url, String user, SecretValue password) {
        this.url = url;
        this.user = user;
        this.password = password;
    }

    /**
     * {@return credentials made of parts, for a secret in a form of its own} Use it in a parser: {@code
     * secret.map(value -> DatabaseCredentials.of(url, userOf(value), passwordOf(value)))}.
     *
     * @param url a JDBC URL; a user or a password in it is taken out and not used
     * @param user the user to log in as
     * @param password the password
     * @throws UnusableSecretException if the URL cannot be used
     */
    public static DatabaseCredentials of(String url, String user, SecretValue password) {
        Objects.requireNonNull(user, "user");
        Objects.requireNonNull(password, "password");
        return new DatabaseCredentials(DatabaseUrl.parse(url).jdbcUrl(), user, password);
    }

    /**
     * {@return a parser of secrets that say everything} It understands
     *
     * <ul>
     *   <li>{@code postgresql://user:password@host:5432/database?sslmode=require}, and {@code postgres://}, {@code
     *       mysql://}, {@code mariadb://}: user, password and database are percent-decoded, options are kept;
     *   <li>{@code jdbc:postgresql://host/database?user=...&password=...}, and so for every database whose driver takes
     *       options after a question mark: those other than the two are kept;
     *   <li>JSON as Amazon RDS writes it: {@code engine}, {@code host}, {@code port}, {@code username},
     *       {@code password}, {@code dbname}, for each engine of RDS. Other members are ignored.
     * </ul>
     *
     * <p>For JSON with members of other names, or a user and a password in two secrets, compose a URL of them: {@code
     * secrets.composed("database-url", "postgresql://{db#login}:{db#secret}@db:5432/app")}.
     *
     * <p>What it refuses, it refuses by naming the position and the rule, never the content.
     */
    public static Parser<SecretValue, DatabaseCredentials> parser() {
        return new CredentialsParser(null, null);
    }

    /**
     * {@return a parser of secrets that leave out what is configured elsewhere} It understands what {@link #parser()}
     * does, and also a password alone, or JSON with {@code username} and {@code password} only. What a secret says
     * counts more than what is configured; options of the configured URL are kept where JSON names another host.
     *
     * @param jdbcUrl the configured JDBC URL; a user in it counts where {@code user} is null
     * @param user the configured user; null where each secret names one
     * @throws UnusableSecretException if the URL cannot be used
     */
    public static Parser<SecretValue, DatabaseCredentials> parser(String jdbcUrl, @Nullable String user) {
        return new CredentialsParser(DatabaseUrl.parse(jdbcUrl), user);
    }

    /** {@return the JDBC URL, without user and password} Its options may be confidential all the same. */
    public String url() {
        return url;
    }

    /** {@return the user to log in as} */
    public String user() {
        return user;
    }

    /** {@return the password} */
    public SecretValue password() {
        return password;
    }

    /** {@return where the database is: the URL up to its options, fit to be shown} */
    public String target() {
        return DatabaseUrl.target(url);
    }

    /** Where and as whom; neither the password nor the options of the URL. */
    @Override
    public String toString() {
        return "DatabaseCredentials[" + target() + ", user " + user + ", password hidden]";
    }
}
