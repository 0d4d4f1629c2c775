package io.dualkey.secrets.azure;

import com.azure.core.credential.AccessToken;
import com.azure.core.credential.TokenCredential;
import com.github.tomakehurst.wiremock.WireMockServer;
import com.github.tomakehurst.wiremock.client.ResponseDefinitionBuilder;
import com.github.tomakehurst.wiremock.client.WireMock;
import com.github.tomakehurst.wiremock.core.WireMockConfiguration;
import com.github.tomakehurst.wiremock.extension.ResponseDefinitionTransformerV2;
import com.github.tomakehurst.wiremock.http.Fault;
import com.github.tomakehurst.wiremock.http.HttpHeader;
import com.github.tomakehurst.wiremock.http.Request;
import com.github.tomakehurst.wiremock.http.ResponseDefinition;
import com.github.tomakehurst.wiremock.stubbing.ServeEvent;
import java.net.Socket;
import java.net.http.HttpClient;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedTrustManager;
import reactor.core.publisher.Mono;

/**
 * A key vault on the wire: its secrets API over HTTPS on the loopback, with versions, attributes, pages of 25 by id,
 * permissions, the 401 challenge and the errors as the service words them. It remembers what it was asked.
 */
final class KeyVaultStub implements AutoCloseable {

    static final String TOKEN = "stub-token";
    private static final int PAGE = 25;
    private static final Pattern PATH = Pattern.compile("/secrets/([^/?]+)(?:/([^/?]*))?/?");

    /** One version as the vault has it. */
    record Held(String id, String value, long created, boolean enabled, Long nbf, Long exp) {

        Held enabled(boolean flag) {
            return new Held(id, value, created, flag, nbf, exp);
        }

        Held nbf(Instant time) {
            return new Held(id, value, created, enabled, time.getEpochSecond(), exp);
        }

        Held exp(Instant time) {
            return new Held(id, value, created, enabled, nbf, time.getEpochSecond());
        }
    }

    private final Map<String, List<Held>> secrets = new ConcurrentHashMap<>();
    private final List<String> requests = new CopyOnWriteArrayList<>();
    private final WireMockServer server;

    volatile boolean mayGet = true;
    volatile boolean mayList = true;
    /** Secrets of which this identity may not list the versions. */
    final Set<String> unlistable = ConcurrentHashMap.newKeySet();
    /** Secrets whose lists something on the way refuses. */
    final Set<String> proxied = ConcurrentHashMap.newKeySet();
    /** What happens instead of the right answer; null for nothing. It is given that answer. */
    volatile Function<ResponseDefinitionBuilder, ResponseDefinitionBuilder> trouble;
    /** Which requests the trouble is for. */
    volatile Function<String, Boolean> troubled = request -> true;

    KeyVaultStub() {
        server = new WireMockServer(WireMockConfiguration.options()
                .httpDisabled(true)
                .dynamicHttpsPort()
                .bindAddress("127.0.0.1")
                .http2TlsDisabled(true)
                .disableRequestJournal()
                .extensions(new Answers()));
        server.start();
        server.stubFor(WireMock.any(WireMock.anyUrl()).willReturn(WireMock.ok()));
    }

    String url() {
        return "https://127.0.0.1:" + server.httpsPort();
    }

    static TokenCredential credential() {
        return context -> Mono.just(
                new AccessToken(TOKEN, OffsetDateTime.ofInstant(Instant.now().plusSeconds(86_400), ZoneOffset.UTC)));
    }

    /** The JDK's client, set to trust the stub. */
    static HttpClient.Builder trustingHttp() {
        try {
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, new X509ExtendedTrustManager[] {new TrustTheLoopback()}, new SecureRandom());
            return HttpClient.newBuilder().sslContext(context);
        } catch (GeneralSecurityException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    /** Adds a version; ids sort in no relation to time. */
    String put(String name, String value, Instant created) {
        List<Held> versions = secrets.computeIfAbsent(name, any -> new CopyOnWriteArrayList<>());
        String id = idOf(name, versions.size());
        versions.add(new Held(id, value, created.getEpochSecond(), true, null, null));
        return id;
    }

    /** Adds many at once, a minute apart, the newest at a time. */
    void putMany(String name, int count, Instant newest) {
        List<Held> many = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            many.add(new Held(
                    idOf(name, i), "old-" + i, newest.getEpochSecond() - 60L * (count - 1 - i), true, null, null));
        }
        secrets.put(name, new CopyOnWriteArrayList<>(many));
    }

    private static String idOf(String name, int index) {
        long mixed = (name.hashCode() * 31L + index + 1) * 0x9E3779B97F4A7C15L;
        return "%016x%016x".formatted(mixed, mixed * 0xC2B2AE3D27D4EB4FL);
    }

    /** Oldest first. */
    List<Held> versions(String name) {
        return List.copyOf(secrets.get(name));
    }

    void change(String name, String id, Function<Held, Held> change) {
        secrets.get(name).replaceAll(held -> held.id().equals(id) ? change.apply(held) : held);
    }

    void disable(String name, String id) {
        change(name, id, held -> held.enabled(false));
    }

    void remove(String name, String id) {
        secrets.get(name).removeIf(held -> held.id().equals(id));
    }

    void delete(String name) {
        secrets.remove(name);
    }

    /** The requests since the last call of this, as {@code GET name}, {@code GET name/id} and {@code LIST name}. */
    List<String> requests() {
        List<String> seen = List.copyOf(requests);
        requests.clear();
        return seen;
    }

    void healthy() {
        trouble = null;
        troubled = request -> true;
    }

    @Override
    public void close() {
        server.stop();
    }

    private ResponseDefinitionBuilder answer(Request request, Matcher path, boolean list) {
        String name = path.group(1);
        if (list && proxied.contains(name)) {
            return WireMock.aResponse().withStatus(403).withBody("<html>Access denied by the gateway</html>");
        }
        if (list ? !mayList || unlistable.contains(name) : !mayGet) {
            return error(403, "Forbidden", "Caller is not authorized to perform action.", "ForbiddenByRbac");
        }
        List<Held> versions = secrets.getOrDefault(name, List.of());
        if (list) {
            return page(request, name, versions);
        }
        String id = path.group(2);
        Held held = id == null || id.isEmpty() ? latest(versions) : find(versions, id);
        if (held == null) {
            return error(
                    404,
                    "SecretNotFound",
                    "A secret with (name/id) " + name + " was not found in this key vault. If you recently deleted this"
                            + " secret you may be able to recover it using the correct recovery command.",
                    null);
        }
        if (!held.enabled()) {
            return error(403, "Forbidden", "Operation get is not allowed on a disabled secret.", "SecretDisabled");
        }
        return json(200, "{\"value\":\"" + held.value() + "\"," + item(name, held) + "}");
    }

    private static Held latest(List<Held> versions) {
        Held latest = null;
        for (Held held : versions) { // of one second, the one put last
            if (latest == null || held.created() >= latest.created()) {
                latest = held;
            }
        }
        return latest;
    }

    private static Held find(List<Held> versions, String id) {
        return versions.stream()
                .filter(held -> held.id().equals(id))
                .findFirst()
                .orElse(null);
    }

    private ResponseDefinitionBuilder page(Request request, String name, List<Held> versions) {
        List<Held> byId =
                versions.stream().sorted(Comparator.comparing(Held::id)).toList();
        int from = request.queryParameter("$skiptoken").isPresent()
                ? Integer.parseInt(request.queryParameter("$skiptoken").firstValue())
                : 0;
        int to = Math.min(from + PAGE, byId.size());
        List<String> items = byId.subList(from, to).stream()
                .map(held -> "{" + item(name, held) + "}")
                .toList();
        String version = request.queryParameter("api-version").firstValue();
        String next = to == byId.size()
                ? "null"
                : "\"" + url() + "/secrets/" + name + "/versions?api-version=" + version + "&$skiptoken=" + to
                        + "&maxresults=25\"";
        return json(200, "{\"value\":[" + String.join(",", items) + "],\"nextLink\":" + next + "}");
    }

    private String item(String name, Held held) {
        return "\"id\":\"" + url() + "/secrets/" + name + "/" + held.id() + "\",\"attributes\":{\"enabled\":"
                + held.enabled() + (held.nbf() == null ? "" : ",\"nbf\":" + held.nbf())
                + (held.exp() == null ? "" : ",\"exp\":" + held.exp()) + ",\"created\":" + held.created()
                + ",\"updated\":" + held.created()
                + ",\"recoveryLevel\":\"Recoverable+Purgeable\",\"recoverableDays\":90},\"tags\":{}";
    }

    static ResponseDefinitionBuilder json(int status, String body) {
        return new ResponseDefinitionBuilder()
                .withStatus(status)
                .withHeader("Content-Type", "application/json; charset=utf-8")
                .withBody(body);
    }

    static ResponseDefinitionBuilder error(int status, String code, String message, String inner) {
        return json(
                status,
                "{\"error\":{\"code\":\"" + code + "\",\"message\":\"" + message + "\""
                        + (inner == null ? "" : ",\"innererror\":{\"code\":\"" + inner + "\"}") + "}}");
    }

    static ResponseDefinitionBuilder challenge() {
        return error(401, "Unauthorized", "AKV10000: Request is missing a Bearer or PoP token.", null)
                .withHeader(
                        "WWW-Authenticate",
                        "Bearer authorization=\"https://login.example.com/tenant\","
                                + " resource=\"https://vault.example.com\"");
    }

    static ResponseDefinitionBuilder fault(Fault fault) {
        return new ResponseDefinitionBuilder().withFault(fault);
    }

    /** Answers each request from what the vault holds. */
    private final class Answers implements ResponseDefinitionTransformerV2 {

        @Override
        public ResponseDefinition transform(ServeEvent event) {
            Request request = event.getRequest();
            Matcher path = PATH.matcher(request.getUrl().split("\\?", 2)[0]);
            if (!path.matches() || !request.queryParameter("api-version").isPresent()) {
                return error(400, "BadParameter", "The request URI contains an invalid name or version.", null)
                        .build();
            }
            boolean list = "versions".equals(path.group(2));
            boolean unversioned = path.group(2) == null || path.group(2).isEmpty();
            String seen =
                    list ? "LIST " + path.group(1) : "GET " + path.group(1) + (unversioned ? "" : "/" + path.group(2));
            HttpHeader authorization = request.header("Authorization");
            if (!authorization.isPresent() || !authorization.firstValue().equals("Bearer " + TOKEN)) {
                requests.add("401 " + seen);
                return challenge().build();
            }
            requests.add(seen);
            ResponseDefinitionBuilder answer = answer(request, path, list);
            var instead = trouble;
            return (instead != null && troubled.apply(seen) ? instead.apply(answer) : answer).build();
        }

        @Override
        public String getName() {
            return "key-vault";
        }
    }

    /** The stub's certificate names nobody; it is only ever met on the loopback. */
    private static final class TrustTheLoopback extends X509ExtendedTrustManager {

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
