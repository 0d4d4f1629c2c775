package io.dualkey.secrets.spring;

import io.dualkey.secrets.SecretUnavailableException;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnWebApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.http.CacheControl;
import org.springframework.http.HttpStatus;
import org.springframework.web.reactive.function.server.RouterFunction;
import org.springframework.web.reactive.function.server.RouterFunctions;
import org.springframework.web.reactive.function.server.ServerResponse;
import reactor.core.publisher.Mono;

/** The JWK Set where requests share an event loop; the keys are in memory, so nothing waits. */
@Configuration(proxyBeanMethods = false)
@ConditionalOnWebApplication(type = ConditionalOnWebApplication.Type.REACTIVE)
@ConditionalOnClass(RouterFunction.class)
final class ReactiveJwkSet {

    @Bean
    RouterFunction<ServerResponse> dualkeyJwkSetRoute(JwkSet keys) {
        return RouterFunctions.route().GET(keys.path(), request -> answer(keys)).build();
    }

    private static Mono<ServerResponse> answer(JwkSet keys) {
        try {
            return ServerResponse.ok()
                    .contentType(JwkSet.TYPE)
                    .cacheControl(keys.cacheControl())
                    .bodyValue(keys.document());
        } catch (SecretUnavailableException noKey) { // health tells why, and clients need not know
            return ServerResponse.status(HttpStatus.SERVICE_UNAVAILABLE)
                    .cacheControl(CacheControl.noStore())
                    .build();
        }
    }
}
