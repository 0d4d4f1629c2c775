package io.dualkey.secrets.spring;

import io.dualkey.secrets.jdbc.CredentialPhase;
import io.dualkey.secrets.jdbc.CredentialStatus;
import io.dualkey.secrets.jdbc.DataSourceStatus;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.springframework.boot.health.contributor.Health;

/** Which database users are in use and which can be dropped. Names of users are shown, as details only. */
final class DatabaseHealthDetails implements SecretHealthDetails {

    private final DataSourceRotation rotation;

    DatabaseHealthDetails(DataSourceRotation rotation) {
        this.rotation = rotation;
    }

    @Override
    public void addTo(String secret, Health.Builder health) {
        if (!secret.equals(rotation.secret())) {
            return;
        }
        DataSourceStatus status = rotation.status();
        if (status.current().isEmpty()) {
            health.down().withDetail("login", "no credentials have been proven by a login yet");
        }
        health.withDetail("credentials", credentials(status));
        health.withDetail("failedLogins", status.failedLogins());
    }

    private static List<Map<String, Object>> credentials(DataSourceStatus status) {
        return status.credentials().stream().map(one -> describe(one, status)).toList();
    }

    private static Map<String, Object> describe(CredentialStatus one, DataSourceStatus all) {
        Map<String, Object> details = new LinkedHashMap<>();
        details.put("user", one.user());
        details.put("target", one.target());
        details.put("phase", one.phase().name().toLowerCase(Locale.ROOT).replace('_', '-'));
        details.put("connections", one.connections());
        one.serverSessions().ifPresent(count -> details.put("serverSessions", count));
        if (one.phase() != CredentialPhase.CURRENT) {
            details.put("safeToDrop", all.isSafeToDrop(one.user()));
        }
        return details;
    }
}
