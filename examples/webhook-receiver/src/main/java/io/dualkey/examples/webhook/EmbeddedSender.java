package io.dualkey.examples.webhook;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.time.Instant;
import java.util.HexFormat;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** Stands in for the service that sends webhooks. */
final class EmbeddedSender {

    private final HttpClient http = HttpClient.newHttpClient();
    private final URI receiver;

    EmbeddedSender(URI receiver) {
        this.receiver = receiver;
    }

    /** The header for a body signed at a time. */
    static String sign(String secret, Instant time, String body) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(secret.getBytes(StandardCharsets.UTF_8), "HmacSHA256"));
            byte[] signed = (time.getEpochSecond() + "." + body).getBytes(StandardCharsets.UTF_8);
            return "t=" + time.getEpochSecond() + ",v1=" + HexFormat.of().formatHex(mac.doFinal(signed));
        } catch (GeneralSecurityException impossible) { // every Java platform has it
            throw new IllegalStateException(impossible);
        }
    }

    int send(String secret, String body) throws IOException, InterruptedException {
        return sendSigned(sign(secret, Instant.now(), body), body);
    }

    int sendSigned(String signature, String body) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(receiver)
                .header("Stripe-Signature", signature)
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build();
        return http.send(request, HttpResponse.BodyHandlers.discarding()).statusCode();
    }
}
