package io.dualkey.examples.resource;

import org.springframework.security.core.annotation.AuthenticationPrincipal;
import org.springframework.security.oauth2.jwt.Jwt;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** What the service is for. */
@RestController
class NotesController {

    @GetMapping("/notes")
    String notes(@AuthenticationPrincipal Jwt token) {
        return "Notes of " + token.getSubject();
    }
}
