package io.dualkey.secrets.spring;

import io.dualkey.secrets.Registration;
import io.dualkey.secrets.jdbc.CredentialStatus;
import io.dualkey.secrets.jdbc.DataSourceStatus;
import io.dualkey.secrets.jdbc.RotatingDataSource;
import java.util.function.Consumer;

/**
 * How the credentials of a connection pool rotate: a bean for operators' code, which wants to know whether the database user
 * that was replaced can be dropped. Where there are several, each has the name of its data source as its qualifier.
 *
 * <pre>{@code
 * if (rotation.status().isSafeToDrop("app_v1")) {
 *     admin.execute("drop owned by app_v1; drop user app_v1");
 * }
 * }</pre>
 *
 * <p>It stands for the {@link RotatingDataSource} underneath the pool, which is itself no bean: a second {@code DataSource} bean
 * would double whatever Spring Boot does for each of them. Safe for use by several threads.
 */
public final class DataSourceRotation {

    private final String dataSource;
    private final String secret;
    private final RotatingDataSource database;

    DataSourceRotation(String dataSource, String secret, RotatingDataSource database) {
        this.dataSource = dataSource;
        this.secret = secret;
        this.database = database;
    }

    RotatingDataSource database() {
        return database;
    }

    /** {@return the name of the bean that is the data source} */
    public String dataSource() {
        return dataSource;
    }

    /** {@return the name of the secret that the pool logs in with} */
    public String secret() {
        return secret;
    }

    /** {@return how things stand, without I/O} */
    public DataSourceStatus status() {
        return database.status();
    }

    /**
     * Calls a listener each time that a version of the credentials enters a phase, see {@link RotatingDataSource#onChange}.
     *
     * @param listener receives how that version stands
     * @return to end the registration
     */
    public Registration onChange(Consumer<? super CredentialStatus> listener) {
        return database.onChange(listener);
    }

    /** The names of the bean and of the secret. */
    @Override
    public String toString() {
        return "DataSourceRotation[" + dataSource + ", secret " + secret + "]";
    }
}
