package io.dualkey.secrets.aws;

import static com.github.tomakehurst.wiremock.client.WireMock.any;
import static com.github.tomakehurst.wiremock.client.WireMock.anyUrl;
import static com.github.tomakehurst.wiremock.core.WireMockConfiguration.wireMockConfig;

import com.github.tomakehurst.wiremock.WireMockServer;
import com.github.tomakehurst.wiremock.client.ResponseDefinitionBuilder;
import com.github.tomakehurst.wiremock.common.Json;
import com.github.tomakehurst.wiremock.extension.ResponseDefinitionTransformerV2;
import com.github.tomakehurst.wiremock.http.Request;
import com.github.tomakehurst.wiremock.http.ResponseDefinition;
import com.github.tomakehurst.wiremock.stubbing.ServeEvent;
import java.math.BigDecimal;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;

/**
 * Behaves as AWS Secrets Manager does on the wire, as far as reading goes: versions and their labels, dates, permissions
 * for each action, deletion, batches, signatures that are too old, and whatever can go wrong on the way.
 */
final class SecretsManagerStub implements AutoCloseable {

    enum Action {
        DescribeSecret,
        GetSecretValue,
        BatchGetSecretValue
    }

    /** A version; one without content has been announced and not been put yet. */
    private static final class Stored {
        final Instant created;
        byte[] content;
        boolean text = true;

        Stored(Instant created) {
            this.created = created;
        }
    }

    /** A secret; the methods change it as calls of an operator or of a rotation function do. */
    final class Secret {
        private final String name;
        private final String arn;
        private final Map<String, Stored> versions = new LinkedHashMap<>();
        private final Map<String, String> labels = new TreeMap<>();
        private Instant changed;
        private Instant rotated;
        private Instant deleted;

        private Secret(String name) {
            this.name = name;
            this.arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:" + name + "-AbCdEf";
            this.changed = now;
        }

        String arn() {
            return arn;
        }

        /** CreateSecret or PutSecretValue without a stage: the new version is current at once. */
        String put(String value) {
            return put(value.getBytes(StandardCharsets.UTF_8), true);
        }

        String putBinary(byte[] value) {
            return put(value, false);
        }

        private synchronized String put(byte[] value, boolean text) {
            String id = announce();
            fill(id, value, text);
            moveCurrentTo(id);
            labels.remove("AWSPENDING");
            return id;
        }

        /** RotateSecret: a version with a label and without a value. */
        synchronized String announce() {
            String id = UUID.randomUUID().toString();
            versions.put(id, new Stored(now));
            labels.put("AWSPENDING", id);
            changed = now;
            return id;
        }

        /** The createSecret step: PutSecretValue of the announced version. */
        synchronized void fill(String id, String value) {
            fill(id, value.getBytes(StandardCharsets.UTF_8), true);
        }

        private void fill(String id, byte[] value, boolean text) {
            Stored version = versions.get(id);
            version.content = value;
            version.text = text;
            changed = now;
        }

        /** UpdateSecretVersionStage for AWSCURRENT, which takes AWSPREVIOUS along. */
        synchronized void moveCurrentTo(String id) {
            String old = labels.put("AWSCURRENT", id);
            if (old != null) {
                labels.put("AWSPREVIOUS", old);
            }
            changed = now;
        }

        /** The finishSecret step and what the service notes after it; AWSPENDING stays where it is. */
        void finish(String id) {
            moveCurrentTo(id);
            rotationEnded();
        }

        synchronized void rotationEnded() {
            rotated = now;
        }

        synchronized void label(String label, String id) {
            labels.put(label, id);
            changed = now;
        }

        synchronized void removeLabel(String label) {
            labels.remove(label);
            changed = now;
        }

        synchronized void tagged() {
            changed = now;
        }

        synchronized void scheduleDeletion() {
            deleted = now;
        }

        synchronized void restore() {
            deleted = null;
        }

        void vanish() {
            secrets.remove(name);
        }
    }

    private final WireMockServer server;
    private final Map<String, Secret> secrets = new LinkedHashMap<>();
    private final List<String> requests = new CopyOnWriteArrayList<>();
    private final Set<Action> denied = EnumSet.noneOf(Action.class);
    private final Set<String> deniedSecrets = new HashSet<>();
    private volatile boolean onlyCurrentAllowed;
    private volatile boolean keyRefused;
    private volatile Duration skew;
    private volatile Function<Action, ResponseDefinitionBuilder> trouble = action -> null;
    private volatile Instant now = Instant.parse("2026-03-01T10:00:00.123Z");
    private String quoted = "nothing";
    private String interruptedBy = "";
    private Runnable meanwhile = () -> {};

    SecretsManagerStub() {
        server = new WireMockServer(wireMockConfig().dynamicPort().extensions(new Service()));
        server.start();
        server.stubFor(any(anyUrl()));
    }

    URI endpoint() {
        return URI.create("http://localhost:" + server.port());
    }

    @Override
    public void close() {
        server.stop();
    }

    synchronized Secret secret(String name) {
        return secrets.computeIfAbsent(name, Secret::new);
    }

    Instant now() {
        return now;
    }

    void pass(Duration time) {
        now = now.plus(time);
    }

    void deny(Action... actions) {
        denied.addAll(List.of(actions));
    }

    void allow(Action... actions) {
        denied.removeAll(List.of(actions));
    }

    /** As a policy does that names its resources. */
    void denySecret(String name) {
        deniedSecrets.add(name);
    }

    /** As a policy does with a condition on secretsmanager:VersionStage. */
    void allowOnlyCurrent() {
        onlyCurrentAllowed = true;
    }

    void refuseKey(boolean refuse) {
        keyRefused = refuse;
    }

    /** The service's clock is ahead of the one here; it refuses what was signed more than five minutes off. */
    void clockAhead(Duration by) {
        skew = by;
    }

    /** Every answer is this one, where it is not null. */
    void trouble(Function<Action, ResponseDefinitionBuilder> answers) {
        trouble = answers;
    }

    void noTrouble() {
        trouble = action -> null;
    }

    /** What somebody does in the moment before a request is answered, once. */
    synchronized void before(String request, Runnable change) {
        interruptedBy = request;
        meanwhile = change;
    }

    /** What the messages of errors quote, as a careless proxy might. */
    void quote(String text) {
        quoted = text;
    }

    /** What was asked since the last call of this: the actions in their order, with the version or label if one was named. */
    List<String> asked() {
        List<String> asked = List.copyOf(requests);
        requests.clear();
        return asked;
    }

    ResponseDefinitionBuilder error(int status, String code) {
        return error(status, code, "it said " + quoted);
    }

    private static ResponseDefinitionBuilder error(int status, String code, String message) {
        return json(status, Map.of("__type", code, "Message", message));
    }

    private static ResponseDefinitionBuilder json(int status, Map<String, ?> body) {
        return ResponseDefinitionBuilder.responseDefinition()
                .withStatus(status)
                .withHeader("Content-Type", "application/x-amz-json-1.1")
                .withHeader("x-amzn-RequestId", "7f2c1d8e-0000-4000-8000-000000000001")
                .withBody(Json.write(body));
    }

    private final class Service implements ResponseDefinitionTransformerV2 {

        @Override
        public String getName() {
            return "secrets-manager";
        }

        @Override
        public ResponseDefinition transform(ServeEvent event) {
            return answer(event.getRequest()).build();
        }
    }

    private synchronized ResponseDefinitionBuilder answer(Request request) {
        String target = request.getHeader("X-Amz-Target");
        if (!request.getMethod().getName().equals("POST")
                || !request.getUrl().equals("/")
                || target == null
                || !target.startsWith("secretsmanager.")
                || !String.valueOf(request.getHeader("Content-Type")).startsWith("application/x-amz-json-1.1")
                || !String.valueOf(request.getHeader("Authorization"))
                        .startsWith("AWS4-HMAC-SHA256 Credential=test/")) {
            requests.add("malformed");
            return error(400, "UnknownOperationException");
        }
        Action action = Action.valueOf(target.substring("secretsmanager.".length()));
        Map<?, ?> body = Json.read(request.getBodyAsString(), Map.class);
        Object version = body.get("VersionId") == null ? body.get("VersionStage") : body.get("VersionId");
        String asked = action + (version == null ? "" : " " + version);
        requests.add(asked);
        if (asked.equals(interruptedBy)) {
            interruptedBy = "";
            meanwhile.run();
        }
        ResponseDefinitionBuilder instead = trouble.apply(action);
        if (instead != null) {
            return instead;
        }
        Duration ahead = skew;
        if (ahead != null) {
            ResponseDefinitionBuilder refused = checkTime(request, Instant.now().plus(ahead));
            if (refused != null) {
                return refused;
            }
        }
        return switch (action) {
            case DescribeSecret -> ofSecret(action, body, this::describe);
            case GetSecretValue -> ofSecret(action, body, secret -> get(secret, body));
            case BatchGetSecretValue -> batch((Collection<?>) body.get("SecretIdList"));
        };
    }

    private ResponseDefinitionBuilder checkTime(Request request, Instant clock) {
        Instant signed = DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'")
                .withZone(ZoneOffset.UTC)
                .parse(request.getHeader("X-Amz-Date"), Instant::from);
        if (Duration.between(signed, clock).abs().compareTo(Duration.ofMinutes(5)) <= 0) {
            return null;
        }
        String date = DateTimeFormatter.RFC_1123_DATE_TIME.format(clock.atZone(ZoneOffset.UTC));
        return error(400, "InvalidSignatureException", "Signature expired: " + quoted)
                .withHeader("Date", date);
    }

    private ResponseDefinitionBuilder ofSecret(
            Action action, Map<?, ?> body, Function<Secret, ResponseDefinitionBuilder> answer) {
        Secret secret = find(String.valueOf(body.get("SecretId")));
        if (denied.contains(action) || (secret != null && deniedSecrets.contains(secret.name))) {
            return error(400, "AccessDeniedException");
        }
        if (secret == null) {
            return error(400, "ResourceNotFoundException", "Secrets Manager can't find the specified secret.");
        }
        return answer.apply(secret);
    }

    private Secret find(String id) {
        for (Secret secret : secrets.values()) {
            if (id.equals(secret.name)
                    || id.equals(secret.arn)
                    || id.equals(secret.arn.substring(0, secret.arn.length() - 7))) {
                return secret;
            }
        }
        return null;
    }

    private ResponseDefinitionBuilder describe(Secret secret) {
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("ARN", secret.arn);
        body.put("Name", secret.name);
        body.put("LastChangedDate", seconds(secret.changed));
        if (secret.rotated != null) {
            body.put("LastRotatedDate", seconds(secret.rotated));
        }
        if (secret.deleted != null) {
            body.put("DeletedDate", seconds(secret.deleted));
        }
        Map<String, List<String>> stages = new LinkedHashMap<>();
        secret.labels.forEach((label, id) ->
                stages.computeIfAbsent(id, key -> new ArrayList<>()).add(label));
        if (!stages.isEmpty()) {
            body.put("VersionIdsToStages", stages);
        }
        return json(200, body);
    }

    private ResponseDefinitionBuilder get(Secret secret, Map<?, ?> body) {
        String stage = body.get("VersionStage") == null ? "AWSCURRENT" : String.valueOf(body.get("VersionStage"));
        Object id = body.get("VersionId");
        if (onlyCurrentAllowed
                && !(stage.equals("AWSCURRENT") && (id == null || id.equals(secret.labels.get(stage))))) {
            return error(400, "AccessDeniedException");
        }
        if (secret.deleted != null) {
            return error(
                    400,
                    "InvalidRequestException",
                    "You can't perform this operation on the secret because it was marked for deletion.");
        }
        Object wanted = id == null ? secret.labels.get(stage) : id;
        Stored version = wanted == null ? null : secret.versions.get(wanted.toString());
        if (version == null || version.content == null) {
            String what = id == null ? "staging label: " + stage : "VersionId: " + id;
            return error(
                    400,
                    "ResourceNotFoundException",
                    "Secrets Manager can't find the specified secret value for " + what);
        }
        if (keyRefused) {
            return error(400, "DecryptionFailure");
        }
        return json(200, value(secret, wanted.toString(), version));
    }

    private static Map<String, Object> value(Secret secret, String id, Stored version) {
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("ARN", secret.arn);
        body.put("CreatedDate", seconds(version.created));
        body.put("Name", secret.name);
        if (version.text) {
            body.put("SecretString", new String(version.content, StandardCharsets.UTF_8));
        } else {
            body.put("SecretBinary", Base64.getEncoder().encodeToString(version.content));
        }
        body.put("VersionId", id);
        body.put(
                "VersionStages",
                secret.labels.keySet().stream()
                        .filter(label -> id.equals(secret.labels.get(label)))
                        .toList());
        return body;
    }

    private ResponseDefinitionBuilder batch(Collection<?> ids) {
        if (denied.contains(Action.BatchGetSecretValue)) {
            return error(400, "AccessDeniedException");
        }
        if (ids.size() > 20) {
            return error(400, "InvalidParameterException");
        }
        List<Map<String, Object>> values = new ArrayList<>();
        List<Map<String, Object>> errors = new ArrayList<>();
        for (Object id : ids) {
            Secret secret = find(id.toString());
            String current = secret == null ? null : secret.labels.get("AWSCURRENT");
            Stored version = current == null ? null : secret.versions.get(current);
            String problem = denied.contains(Action.GetSecretValue)
                            || (secret != null && deniedSecrets.contains(secret.name))
                    ? "AccessDeniedException"
                    : secret != null && secret.deleted != null
                            ? "InvalidRequestException"
                            : version == null ? "ResourceNotFoundException" : keyRefused ? "DecryptionFailure" : null;
            if (problem == null) {
                values.add(value(secret, current, version));
            } else {
                errors.add(Map.of("SecretId", id, "ErrorCode", problem, "Message", "it said " + quoted));
            }
        }
        return json(200, Map.of("SecretValues", values, "Errors", errors));
    }

    private static BigDecimal seconds(Instant time) {
        return BigDecimal.valueOf(time.toEpochMilli(), 3);
    }
}
