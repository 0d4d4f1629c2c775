package io.dualkey.secrets.jwt;

import org.jspecify.annotations.Nullable;

/**
 * Checks the claims of one token (RFC 7519 section 4.1) in one pass and notes what every caller asks for. Not safe for
 * use by several threads.
 */
final class ClaimScan {

    private static final int ISS = JsonCursor.threeLetters("iss");
    private static final int SUB = JsonCursor.threeLetters("sub");
    private static final int AUD = JsonCursor.threeLetters("aud");
    private static final int EXP = JsonCursor.threeLetters("exp");
    private static final int NBF = JsonCursor.threeLetters("nbf");
    private static final int IAT = JsonCursor.threeLetters("iat");
    private static final int JTI = JsonCursor.threeLetters("jti");

    private final JsonCursor json = new JsonCursor();

    private boolean issuerMatches;
    private boolean audiencePresent;
    private boolean audienceMatches;
    private boolean subjectWanted;

    @Nullable
    String subject;

    long expiresAt;
    long notBefore;
    long issuedAt;

    /**
     * Checks claims.
     *
     * @param payload the decoded payload; it may be rewritten
     * @param wantSubject whether to take the subject out, which allocates it
     * @return why they are refused; null if they are not
     */
    @Nullable
    RejectionReason check(byte[] payload, int length, ClaimRules rules, long nowMillis, boolean wantSubject) {
        issuerMatches = false;
        audiencePresent = false;
        audienceMatches = false;
        subjectWanted = wantSubject;
        subject = null;
        expiresAt = JsonCursor.NO_DATE;
        notBefore = JsonCursor.NO_DATE;
        issuedAt = JsonCursor.NO_DATE;
        return read(payload, length, rules) ? judge(rules, nowMillis) : RejectionReason.MALFORMED_CLAIMS;
    }

    private boolean read(byte[] payload, int length, ClaimRules rules) {
        json.reset(payload, length);
        if (json.next() != JsonCursor.BEGIN_OBJECT) {
            return false;
        }
        int token = json.next();
        while (token == JsonCursor.NAME) {
            if (!member(rules)) {
                return false;
            }
            token = json.nextMember();
        }
        return token == JsonCursor.END_OBJECT && json.next() == JsonCursor.END;
    }

    /** Reads the value of the member whose name was just read; false if it must not be like that. */
    private boolean member(ClaimRules rules) {
        int name = json.threeLetters(); // all registered claims that are looked at have three
        if (name == EXP) {
            expiresAt = date();
            return expiresAt != JsonCursor.NO_DATE;
        } else if (name == IAT) {
            issuedAt = date();
            return issuedAt != JsonCursor.NO_DATE;
        } else if (name == NBF) {
            notBefore = date();
            return notBefore != JsonCursor.NO_DATE;
        } else if (name == SUB) {
            int value = json.nextValue();
            if (value == JsonCursor.STRING && subjectWanted) {
                subject = json.string(value);
            }
            return value == JsonCursor.STRING;
        } else if (name == ISS) {
            boolean text = json.nextValue() == JsonCursor.STRING;
            issuerMatches = text && rules.issuer != null && json.is(rules.issuer);
            return text;
        } else if (name == AUD) {
            audiencePresent = true;
            return audience(rules);
        } else if (name == JTI) {
            return json.nextValue() == JsonCursor.STRING;
        }
        return json.skip(json.nextValue());
    }

    private long date() {
        return json.next() == JsonCursor.NUMBER ? json.dateMillis() : JsonCursor.NO_DATE;
    }

    private boolean audience(ClaimRules rules) {
        int value = json.next();
        if (value == JsonCursor.STRING) {
            matchAudience(rules);
            return true;
        }
        if (value != JsonCursor.BEGIN_ARRAY) {
            return false;
        }
        value = json.next();
        while (value == JsonCursor.STRING) {
            matchAudience(rules);
            value = json.next();
        }
        return value == JsonCursor.END_ARRAY;
    }

    private void matchAudience(ClaimRules rules) {
        for (byte[] audience : rules.audiences) {
            audienceMatches |= json.is(audience);
        }
    }

    private @Nullable RejectionReason judge(ClaimRules rules, long now) {
        RejectionReason refusal = rules.refusalAt(now, expiresAt, notBefore, issuedAt);
        if (refusal != null) {
            return refusal;
        }
        if (rules.issuer != null && !issuerMatches) {
            return RejectionReason.WRONG_ISSUER;
        }
        // RFC 7519 section 4.1.3: whoever does not find itself in an audience that is present must refuse.
        boolean audienceWanted = rules.audiences.length > 0 || (audiencePresent && !rules.anyAudience);
        return audienceWanted && !audienceMatches ? RejectionReason.WRONG_AUDIENCE : null;
    }
}
