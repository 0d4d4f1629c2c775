package io.dualkey.secrets.spring;

import io.dualkey.secrets.jdbc.DataSourceStatus;
import org.springframework.boot.health.contributor.Health;

/** Which database users are in use and which can be dropped, as details of health. */
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
        DatabaseDetails.of(status).forEach(health::withDetail);
    }

    /** A replaced user counts for as long as connections of it are left, whatever the grace period. */
    @Override
    public boolean acceptsPrevious(String secret) {
        return !secret.equals(rotation.secret());
    }
}
