package io.dualkey.secrets.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.dualkey.secrets.InMemoryStore;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.jwt.JwtSigner;
import io.dualkey.secrets.jwt.JwtVerifier;
import io.dualkey.secrets.jwt.KeyFormat;
import io.dualkey.secrets.jwt.VerifiedJwt;
import jakarta.servlet.DispatcherType;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.mock.web.MockFilterChain;
import org.springframework.mock.web.MockHttpServletRequest;
import org.springframework.mock.web.MockHttpServletResponse;

class JwtFilterTest {

    private static final String KEY = "a-key-for-tests-of-at-least-32-bytes";

    private final InMemoryStore store = new InMemoryStore();
    private final SecretSource source = SecretSource.from(store);
    private final JwtSigner signer =
            JwtSigner.hs256(source.secret("jwt"), KeyFormat.TEXT).build();
    private final JwtFilter filter = new JwtFilter(
            JwtVerifier.hs256(source.secret("jwt"), KeyFormat.TEXT).build(), "api");

    private final MockHttpServletRequest request = new MockHttpServletRequest("GET", "/orders");
    private final MockHttpServletResponse response = new MockHttpServletResponse();
    private final MockFilterChain chain = new MockFilterChain();

    @BeforeEach
    void start() {
        store.put("jwt", KEY);
        source.start(Duration.ofSeconds(10));
    }

    @AfterEach
    void close() {
        source.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"Bearer ", "bearer ", "BEARER ", "Bearer  ", "Bearer\t"})
    void aGoodTokenPassesWhateverTheCaseOfTheScheme(String scheme) throws Exception {
        request.addHeader("Authorization", scheme + token());
        run();

        HttpServletRequest passed = (HttpServletRequest) Objects.requireNonNull(chain.getRequest());
        assertThat(response.getStatus()).isEqualTo(200);
        assertThat(passed.getUserPrincipal()).isInstanceOfSatisfying(JwtPrincipal.class, principal -> {
            assertThat(principal.getName()).isEqualTo("alice");
            assertThat(principal.token().subject()).contains("alice");
            assertThat(principal.toString()).doesNotContain("alice");
        });
        assertThat(passed.getAttribute(JwtPrincipal.TOKEN_ATTRIBUTE)).isInstanceOf(VerifiedJwt.class);
        assertThat(passed.getRemoteUser()).isEqualTo("alice");
        assertThat(passed.getAuthType()).isEqualTo("Bearer");
        assertThat(response.getHeaderNames()).isEmpty();
    }

    @Test
    void aTokenWithoutSubjectHasAnEmptyName() throws Exception {
        request.addHeader("Authorization", "Bearer " + signer.sign(Map.of()));
        run();

        HttpServletRequest passed = (HttpServletRequest) Objects.requireNonNull(chain.getRequest());
        assertThat(passed.getUserPrincipal().getName()).isEmpty();
    }

    @Test
    void aRequestWithoutTokenIsChallengedWithoutAnError() throws Exception {
        run();

        refused(401, "Bearer realm=\"api\"");
    }

    @ParameterizedTest
    @ValueSource(strings = {"Basic YWxpY2U6c2VjcmV0", "Bearerx abc", "Digest username=\"a\"", ""})
    void anotherSchemeIsNoToken(String header) throws Exception {
        request.addHeader("Authorization", header);
        run();

        refused(401, "Bearer realm=\"api\"");
    }

    @Test
    void tokensInTheQueryAreNotLookedAt() throws Exception {
        request.setQueryString("access_token=" + token());
        request.addParameter("access_token", token());
        run();

        refused(401, "Bearer realm=\"api\"");
    }

    @Test
    void aTokenSignedWithAnotherKeyIsInvalid() throws Exception {
        String token = token();
        request.addHeader("Authorization", "Bearer " + token.substring(0, token.length() - 5) + "AAAAA");
        run();

        refused(
                401,
                "Bearer realm=\"api\", error=\"invalid_token\","
                        + " error_description=\"the token is refused: its signature cannot be verified\"");
    }

    @Test
    void anExpiredTokenIsInvalid() throws Exception {
        JwtSigner yesterday = JwtSigner.hs256(source.secret("jwt"), KeyFormat.TEXT)
                .clock(Clock.offset(Clock.systemUTC(), Duration.ofDays(-1)))
                .build();
        request.addHeader("Authorization", "Bearer " + yesterday.sign(Map.of("sub", "alice")));
        run();

        refused(
                401,
                "Bearer realm=\"api\", error=\"invalid_token\","
                        + " error_description=\"the token is refused: it has expired\"");
    }

    @ParameterizedTest
    @ValueSource(strings = {"canary", "a.b.c", "a.b.c\"", "\u00e4.b.c", "canary\\"})
    void aMalformedTokenIsInvalidAndNotRepeated(String token) throws Exception {
        request.addHeader("Authorization", "Bearer " + token);
        run();

        assertThat(response.getStatus()).isEqualTo(401);
        assertThat(response.getHeader("WWW-Authenticate"))
                .startsWith("Bearer realm=\"api\", error=\"invalid_token\", ")
                .doesNotContain(token);
    }

    @ParameterizedTest
    @ValueSource(strings = {"Bearer", "Bearer ", "Bearer a.b.c d.e.f", "Bearer a.b.c, Bearer d.e.f", "Bearer a.b.c,"})
    void aMalformedHeaderIsABadRequest(String header) throws Exception {
        request.addHeader("Authorization", header);
        run();

        badRequest();
    }

    @Test
    void twoHeadersAreABadRequest() throws Exception {
        request.addHeader("Authorization", "Bearer " + token());
        request.addHeader("Authorization", "Bearer " + token());
        run();

        badRequest();
    }

    @Test
    void withoutAnyKeyNobodyIsToBlameButTheService() throws Exception {
        request.addHeader("Authorization", "Bearer " + token());
        try (SecretSource cold = SecretSource.from(store)) {
            JwtVerifier keyless =
                    JwtVerifier.hs256(cold.secret("jwt"), KeyFormat.TEXT).build();
            new JwtFilter(keyless, "api").doFilter(request, response, chain);
        }

        assertThat(response.getStatus()).isEqualTo(503);
        assertThat(response.getHeader("Cache-Control")).isEqualTo("no-store");
        assertThat(response.getHeader("WWW-Authenticate")).isNull();
        assertThat(chain.getRequest()).isNull();
    }

    @Test
    void anAsynchronousDispatchKeepsThePrincipal() throws Exception {
        request.addHeader("Authorization", "Bearer " + token());
        run();

        request.removeHeader("Authorization");
        request.setDispatcherType(DispatcherType.ASYNC);
        MockFilterChain dispatched = new MockFilterChain();
        filter.doFilter(request, response, dispatched);

        HttpServletRequest passed = (HttpServletRequest) Objects.requireNonNull(dispatched.getRequest());
        assertThat(passed.getUserPrincipal().getName()).isEqualTo("alice");
    }

    @Test
    void quotesTheRealm() throws Exception {
        JwtVerifier verifier =
                JwtVerifier.hs256(source.secret("jwt"), KeyFormat.TEXT).build();
        new JwtFilter(verifier, "the \"new\" api").doFilter(request, response, chain);

        refused(401, "Bearer realm=\"the \\\"new\\\" api\"");
    }

    private String token() {
        return signer.sign(Map.of("sub", "alice"));
    }

    private void run() throws ServletException, IOException {
        filter.doFilter(request, response, chain);
    }

    private void badRequest() {
        assertThat(response.getStatus()).isEqualTo(400);
        assertThat(response.getHeader("WWW-Authenticate"))
                .startsWith("Bearer realm=\"api\", error=\"invalid_request\", error_description=");
        assertThat(chain.getRequest()).isNull();
    }

    private void refused(int status, String challenge) throws IOException {
        assertThat(response.getStatus()).isEqualTo(status);
        assertThat(response.getHeader("WWW-Authenticate")).isEqualTo(challenge);
        assertThat(response.getHeader("Cache-Control")).isEqualTo("no-store");
        assertThat(response.getContentAsString()).isEmpty();
        assertThat(chain.getRequest()).isNull();
    }
}
