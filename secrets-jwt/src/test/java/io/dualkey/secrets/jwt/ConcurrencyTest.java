package io.dualkey.secrets.jwt;

import static org.assertj.core.api.Assertions.assertThat;

import io.dualkey.secrets.InMemoryStore;
import io.dualkey.secrets.SecretSource;
import io.dualkey.secrets.jwt.JwtResult.Rejected;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

class ConcurrencyTest {

    @Test
    void refusesNoTokenWhileTheKeyRotatesUnderLoad() throws Exception {
        InMemoryStore store = new InMemoryStore();
        store.put("k", Tokens.base64(Tokens.hmacKey(0)));
        try (SecretSource source = SecretSource.builder(store)
                .refreshInterval(Duration.ofMillis(10))
                .build()) {
            var secret = source.secret("k");
            JwtVerifier verifier = JwtVerifier.hs256(secret, KeyFormat.BASE64).build();
            JwtSigner signer = JwtSigner.hs256(secret, KeyFormat.BASE64)
                    .propagation(Duration.ofMillis(200))
                    .build();
            source.start(Duration.ofSeconds(30));

            AtomicBoolean stop = new AtomicBoolean();
            ExecutorService pool = Executors.newFixedThreadPool(8);
            try {
                List<Future<List<RejectionReason>>> clients = new ArrayList<>();
                for (int i = 0; i < 8; i++) {
                    String subject = "client-" + i;
                    clients.add(pool.submit(() -> {
                        List<RejectionReason> refused = new ArrayList<>();
                        String kept = signer.sign(Map.of("sub", subject));
                        int count = 0;
                        while (!stop.get()) {
                            String fresh = signer.sign(Map.of("sub", subject));
                            for (String token : new String[] {kept, fresh}) {
                                JwtResult result = verifier.check(token);
                                if (result instanceof Rejected rejected) {
                                    refused.add(rejected.reason());
                                } else {
                                    assertThat(((VerifiedJwt) result).subject()).contains(subject);
                                }
                            }
                            kept = count++ % 100 == 0 ? fresh : kept;
                        }
                        return refused;
                    }));
                }
                for (int rotation = 1; rotation <= 5; rotation++) {
                    String version = store.put("k", Tokens.base64(Tokens.hmacKey(rotation)));
                    Awaitility.await()
                            .until(() -> verifier.verify(signer.sign(Map.of()))
                                    .keyVersion()
                                    .equals(version));
                }
                stop.set(true);
                for (Future<List<RejectionReason>> client : clients) {
                    assertThat(client.get()).isEmpty();
                }
            } finally {
                stop.set(true);
                pool.shutdownNow();
            }
        }
    }

    @Test
    void aPoolNeverHandsOutAnObjectTwice() throws Exception {
        Pool<AtomicBoolean> objects = new Pool<>(AtomicBoolean::new);
        ExecutorService threads = Executors.newFixedThreadPool(8);
        try {
            List<Future<?>> users = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                users.add(threads.submit(() -> {
                    for (int n = 0; n < 20_000; n++) {
                        AtomicBoolean inUse = objects.acquire();
                        assertThat(inUse.compareAndSet(false, true)).isTrue();
                        inUse.set(false);
                        objects.release(inUse);
                    }
                }));
            }
            for (Future<?> user : users) {
                user.get();
            }
        } finally {
            threads.shutdownNow();
        }
    }
}
