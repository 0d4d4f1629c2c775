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

    /*
     * The form that issuers write most is read here, in local variables, which takes half the time: names and strings of
     * ASCII without escapes, integers, and nothing in between. Nothing is refused here. Whatever is not of that form is
     * left to the cursor, which is told of the rest, and alone says whether a name is there twice.
     */
    private boolean read(byte[] text, int end, ClaimRules rules) {
        json.reset(text, end);
        if (json.next() != JsonCursor.BEGIN_OBJECT) {
            return false;
        }
        int at = json.position() - 1;
        byte separator = '{';
        while (true) {
            // `at` is where the separator should be, and the cursor stands where next() would read a name.
            int from = at + 2;
            boolean opened = from < end && text[at] == separator && text[at + 1] == '"';
            int to = opened ? JsonCursor.special(text, from, end) : end;
            if (to + 1 < end && text[to] == '"' && text[to + 1] == ':') {
                if (!json.plainName(from, to)) {
                    return false;
                }
                at = to + 2;
            } else {
                int token = json.next();
                if (token != JsonCursor.NAME) {
                    return token == JsonCursor.END_OBJECT && json.next() == JsonCursor.END;
                }
                at = json.position();
            }
            int name = json.threeLetters(); // all registered claims that are looked at have three

            byte first = at < end ? text[at] : 0;
            int value;
            if (first == '"') {
                to = JsonCursor.special(text, at + 1, end);
                value = to < end && text[to] == '"' ? json.plainString(at + 1, to) : json.next();
            } else if (first >= '1' && first <= '9') {
                to = JsonCursor.digitsEnd(text, at + 1, end);
                value = to < end && (text[to] == ',' || text[to] == '}') ? json.plainInteger(at, to) : json.next();
            } else {
                value = json.next();
            }
            if (!claim(name, value, rules)) {
                return false;
            }
            at = json.position();
            separator = ',';
        }
    }

    /** Takes in a claim of which the first token of the value was read; false if it must not be like that. */
    private boolean claim(int name, int value, ClaimRules rules) {
        if (name == EXP) {
            expiresAt = date(value);
            return expiresAt != JsonCursor.NO_DATE;
        } else if (name == IAT) {
            issuedAt = date(value);
            return issuedAt != JsonCursor.NO_DATE;
        } else if (name == NBF) {
            notBefore = date(value);
            return notBefore != JsonCursor.NO_DATE;
        } else if (name == SUB) {
            if (value == JsonCursor.STRING && subjectWanted) {
                subject = json.string(value);
            }
            return value == JsonCursor.STRING;
        } else if (name == ISS) {
            boolean text = value == JsonCursor.STRING;
            issuerMatches = text && rules.issuer != null && json.is(rules.issuer);
            return text;
        } else if (name == AUD) {
            audiencePresent = true;
            return audience(value, rules);
        } else if (name == JTI) {
            return value == JsonCursor.STRING;
        }
        return json.skip(value);
    }

    private long date(int value) {
        return value == JsonCursor.NUMBER ? json.dateMillis() : JsonCursor.NO_DATE;
    }

    private boolean audience(int first, ClaimRules rules) {
        int value = first;
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
