package io.dualkey.examples.rotation.service;

import io.dualkey.secrets.spring.JwtPrincipal;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RestController;

/** The web interface of the guestbook. A request that gets here carries a token that has been verified. */
@RestController
class GuestbookController {

    private final Guestbook guestbook;

    GuestbookController(Guestbook guestbook) {
        this.guestbook = guestbook;
    }

    @PostMapping("/entries")
    Guestbook.Page sign(JwtPrincipal visitor) {
        return guestbook.sign(visitor.getName());
    }
}
