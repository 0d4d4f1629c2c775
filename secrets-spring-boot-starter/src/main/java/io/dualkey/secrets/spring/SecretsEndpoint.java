package io.dualkey.secrets.spring;

import io.dualkey.secrets.RefreshCause;
import io.dualkey.secrets.Role;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.SecretStatus;
import io.dualkey.secrets.SecretStatus.VersionStatus;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.actuate.endpoint.Access;
import org.springframework.boot.actuate.endpoint.annotation.Endpoint;
import org.springframework.boot.actuate.endpoint.annotation.ReadOperation;
import org.springframework.boot.actuate.endpoint.annotation.Selector;
import org.springframework.boot.actuate.endpoint.annotation.WriteOperation;

/**
 * What operators see of secrets: metadata only, from cached state. A refresh is a write operation, which is off unless {@code
 * management.endpoint.secrets.access=unrestricted}.
 */
@Endpoint(id = "secrets", defaultAccess = Access.READ_ONLY)
final class SecretsEndpoint {

    private final SecretSource source;
    private final SecretNames names;
    private final List<SecretEndpointDetails> details;

    SecretsEndpoint(SecretSource source, SecretNames names, List<SecretEndpointDetails> details) {
        this.source = source;
        this.names = names;
        this.details = details;
    }

    @ReadOperation
    Map<String, Object> secrets() {
        Map<String, Object> all = new LinkedHashMap<>();
        source.statuses().forEach(status -> all.put(names.aliasOf(status.name()), describe(status)));
        return Map.of("secrets", all, "storeCalls", source.calls());
    }

    @ReadOperation
    @Nullable
    Map<String, Object> secret(@Selector String name) {
        return source.status(names.nameOf(name)).map(this::describe).orElse(null);
    }

    /** Asks the store at once, as an operator does who has just written to it. */
    @WriteOperation
    @Nullable
    CompletableFuture<Map<String, String>> refresh(@Selector String name) {
        return source.find(names.nameOf(name))
                .map(secret -> secret.refresh(RefreshCause.OPERATOR)
                        .thenApply(ended -> Map.of("result", ended.name().toLowerCase(Locale.ROOT))))
                .orElse(null);
    }

    private Map<String, Object> describe(SecretStatus status) {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("state", lower(status.state()));
        put(map, "reason", status.detail().isEmpty() ? null : status.detail());
        map.put("store", status.store());
        status.outcome().ifPresent(outcome -> map.put("lastOutcome", lower(outcome)));
        put(map, "lastCheck", status.lastCheck().map(Object::toString).orElse(null));
        put(map, "lastSuccess", status.lastSuccess().map(Object::toString).orElse(null));
        put(map, "nextCheck", status.nextCheck().map(Object::toString).orElse(null));
        put(map, "warnings", status.warnings().isEmpty() ? null : status.warnings());
        put(map, "rotationDue", status.rotationDue().map(Object::toString).orElse(null));
        List<Map<String, Object>> versions = new ArrayList<>();
        status.versions().forEach(version -> versions.add(describe(version)));
        map.put("versions", versions);
        Map<String, Object> lastUsed = new LinkedHashMap<>();
        for (Role role : Role.values()) {
            Instant last = status.lastUses().get(role);
            put(lastUsed, lower(role), last == null ? null : last.toString());
        }
        map.put("lastUsed", lastUsed);
        details.forEach(part -> map.putAll(part.of(status.name())));
        return map;
    }

    private static Map<String, Object> describe(VersionStatus version) {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("id", version.id());
        map.put("role", lower(version.role()));
        put(map, "activatedAt", version.activatedAt().map(Object::toString).orElse(null));
        put(map, "acceptedUntil", version.acceptedUntil().map(Object::toString).orElse(null));
        map.put("uses", version.uses());
        return map;
    }

    private static void put(Map<String, Object> map, String key, @Nullable Object value) {
        if (value != null) {
            map.put(key, value);
        }
    }

    private static String lower(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }
}
