package io.dualkey.secrets.spring;

import io.dualkey.secrets.jdbc.CredentialPhase;
import io.dualkey.secrets.jdbc.CredentialStatus;
import io.dualkey.secrets.jdbc.DataSourceStatus;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Which database users are in use and which can be dropped, for operators. Names of users are shown, and no password. */
final class DatabaseDetails {

    private DatabaseDetails() {}

    /** What there is about the data sources that log in with a secret; nothing if none does. */
    static Map<String, Object> of(String secret, List<DataSourceRotation> rotations) {
        List<Map<String, Object>> credentials = new ArrayList<>();
        long failedLogins = 0;
        boolean heldOff = false;
        boolean any = false;
        for (DataSourceRotation rotation : rotations) {
            if (rotation.secret().equals(secret)) {
                any = true;
                DataSourceStatus status = rotation.status();
                status.summary().forEach(one -> credentials.add(describe(rotation.dataSource(), one, status)));
                failedLogins += status.failedLogins();
                heldOff |= status.heldOff();
            }
        }
        return any ? Map.of("credentials", credentials, "failedLogins", failedLogins, "heldOff", heldOff) : Map.of();
    }

    private static Map<String, Object> describe(String dataSource, CredentialStatus one, DataSourceStatus all) {
        Map<String, Object> details = new LinkedHashMap<>();
        details.put("dataSource", dataSource);
        details.put("user", one.user());
        details.put("version", one.version());
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
