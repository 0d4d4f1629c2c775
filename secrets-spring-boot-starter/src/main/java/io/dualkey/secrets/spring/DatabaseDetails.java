package io.dualkey.secrets.spring;

import io.dualkey.secrets.jdbc.CredentialPhase;
import io.dualkey.secrets.jdbc.CredentialStatus;
import io.dualkey.secrets.jdbc.DataSourceStatus;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Which database users are in use and which can be dropped, for operators. Names of users are shown, and no password. */
final class DatabaseDetails {

    private DatabaseDetails() {}

    static Map<String, Object> of(DataSourceStatus status) {
        List<Map<String, Object>> credentials =
                status.summary().stream().map(one -> describe(one, status)).toList();
        return Map.of("credentials", credentials, "failedLogins", status.failedLogins(), "heldOff", status.heldOff());
    }

    private static Map<String, Object> describe(CredentialStatus one, DataSourceStatus all) {
        Map<String, Object> details = new LinkedHashMap<>();
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
