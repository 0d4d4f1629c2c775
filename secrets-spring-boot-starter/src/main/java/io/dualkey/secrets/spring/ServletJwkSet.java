package io.dualkey.secrets.spring;

import io.dualkey.secrets.SecretUnavailableException;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnWebApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.http.CacheControl;
import org.springframework.http.HttpStatus;
import org.springframework.web.servlet.function.RouterFunction;
import org.springframework.web.servlet.function.RouterFunctions;
import org.springframework.web.servlet.function.ServerResponse;

/** The JWK Set where requests have threads of their own. */
@Configuration(proxyBeanMethods = false)
@ConditionalOnWebApplication(type = ConditionalOnWebApplication.Type.SERVLET)
@ConditionalOnClass(RouterFunction.class)
final class ServletJwkSet {

    @Bean
    RouterFunction<ServerResponse> dualkeyJwkSetRoute(JwkSet keys) {
        return RouterFunctions.route().GET(keys.path(), request -> answer(keys)).build();
    }

    private static ServerResponse answer(JwkSet keys) {
        try {
            return ServerResponse.ok()
                    .contentType(JwkSet.TYPE)
                    .cacheControl(keys.cacheControl())
                    .body(keys.document());
        } catch (SecretUnavailableException noKey) { // health tells why, and clients need not know
            return ServerResponse.status(HttpStatus.SERVICE_UNAVAILABLE)
                    .cacheControl(CacheControl.noStore())
                    .build();
        }
    }
}
