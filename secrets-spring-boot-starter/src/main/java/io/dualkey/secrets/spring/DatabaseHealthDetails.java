package io.dualkey.secrets.spring;

import java.util.List;
import org.springframework.boot.health.contributor.Health;

/** Which database users are in use and which can be dropped, as details of health. */
final class DatabaseHealthDetails implements SecretHealthDetails {

    private final PoolPostProcessor pools;

    DatabaseHealthDetails(PoolPostProcessor pools) {
        this.pools = pools;
    }

    @Override
    public void addTo(String secret, Health.Builder health) {
        List<DataSourceRotation> rotations = pools.rotations();
        boolean unproven = rotations.stream()
                .filter(one -> one.secret().equals(secret))
                .anyMatch(one -> one.status().current().isEmpty());
        if (unproven) {
            health.down().withDetail("login", "no credentials have been proven by a login yet");
        }
        DatabaseDetails.of(secret, rotations).forEach(health::withDetail);
    }

    /** A replaced user counts for as long as connections of it are left, whatever the grace period. */
    @Override
    public boolean acceptsPrevious(String secret) {
        return pools.rotations().stream().noneMatch(one -> one.secret().equals(secret));
    }
}
