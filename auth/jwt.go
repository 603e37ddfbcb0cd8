package auth

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"
)

// maxJWT is the longest token looked at, in bytes.
const maxJWT = 8 << 10

// Errors of a token's form. They are constant texts: nothing of a token may reach a log but
// the claims and header members that Refusal.Details names.
var (
	errNotJWT      = fmt.Errorf("%w: not a JSON web token", ErrNoCredential)
	errOtherIssuer = fmt.Errorf("%w: token of another issuer", ErrNoCredential)
	errTooLong     = errors.New("token is longer than 8 KiB")
	errPayload     = errors.New("token claims are not one JSON object with unique names in canonical base64url")
	errFolded      = errors.New("token has a claim whose name differs from a registered one in case only")
	errHeader      = errors.New("token header has a member of the wrong type or case")
	errAlgorithm   = errors.New("token is signed with an algorithm that is not configured")
	errCritical    = errors.New("token header demands an extension (crit or b64)")
	errType        = errors.New("token type (typ) is not JWT, at+jwt or JOSE")
	errUnsigned    = errors.New("token has an empty or malformed signature")
)

// jwt is a token of the right form. Nothing in it is verified.
type jwt struct {
	header    object
	claims    object
	signed    string // what the signature is over: the first two parts
	signature []byte // nil if the third part is empty or not canonical
	alg       string // set by checkHeader
	kid       string // set by checkHeader
}

// parseJWT splits a compact JWS (RFC 7515 section 3.1) into its three parts. Each must be
// canonical base64url without padding, the first two of JSON objects. A token that is no JSON
// web token at all is errNotJWT.
func parseJWT(token string) (*jwt, error) {
	if len(token) > maxJWT {
		return nil, errTooLong
	}
	if strings.Count(token, ".") != 2 {
		return nil, errNotJWT
	}
	parts := strings.Split(token, ".")
	head, err := decodePart(parts[0])
	if err != nil {
		return nil, errNotJWT
	}
	t := &jwt{signed: token[:len(parts[0])+1+len(parts[1])]}
	if t.header, err = parseObject(head); err != nil {
		return nil, errNotJWT
	}
	payload, err := decodePart(parts[1])
	if err != nil {
		return nil, errPayload
	}
	if t.claims, err = parseObject(payload); err != nil {
		return nil, errPayload
	}
	if hasFolded(t.claims, "iss", "sub", "aud", "exp", "nbf", "iat", "jti", "cnf", "email_verified", "_claim_names") {
		return nil, errFolded
	}
	if signature, err := decodePart(parts[2]); err == nil && len(signature) > 0 {
		t.signature = signature
	}
	return t, nil
}

// decodePart refuses base64url that is not canonical (RFC 4648 section 3.5), so that a token
// has one spelling, and the line breaks that encoding/base64 skips.
func decodePart(part string) ([]byte, error) {
	if strings.ContainsAny(part, "\r\n") {
		return nil, errPayload
	}
	return base64.RawURLEncoding.Strict().DecodeString(part)
}

// issuer returns iss, or "" if the token has none that is a string.
func (t *jwt) issuer() string {
	iss, _ := t.claims["iss"].(string)
	return iss
}

// checkHeader follows RFC 8725 sections 3.1 and 3.11 and RFC 7515 section 4.1.11: the
// algorithm is a configured one, there is no extension, and the token is not one for another
// purpose. All other members are ignored, also those that name a key (jku, x5u, jwk, x5c):
// keys come from the issuer's key set only.
func (t *jwt) checkHeader(algorithms []string) error {
	if hasFolded(t.header, "alg", "kid", "typ", "crit", "b64") {
		return errHeader
	}
	var ok [3]bool
	var typ string
	t.alg, ok[0] = optionalString(t.header, "alg")
	t.kid, ok[1] = optionalString(t.header, "kid")
	typ, ok[2] = optionalString(t.header, "typ")
	if ok != [3]bool{true, true, true} {
		return errHeader
	}
	if !slices.Contains(algorithms, canonicalAlgorithm(t.alg)) {
		return errAlgorithm
	}
	for _, name := range []string{"crit", "b64"} {
		if _, there := t.header[name]; there {
			return errCritical
		}
	}
	if _, there := t.header["typ"]; there && !isAccessType(typ) {
		return errType
	}
	if t.signature == nil {
		return errUnsigned
	}
	return nil
}

// canonicalAlgorithm returns EdDSA for Ed25519: RFC 9864 section 2.2 gives the first name to
// what the second one means here, and tokens and keys have either.
func canonicalAlgorithm(alg string) string {
	if alg == "Ed25519" {
		return "EdDSA"
	}
	return alg
}

// isAccessType accepts the types of RFC 7519 section 5.1 and RFC 9068 section 2.1, and that
// of any compact JWS. A media type's case and its "application/" do not matter (RFC 7515
// section 4.1.9).
func isAccessType(typ string) bool {
	typ = strings.TrimPrefix(strings.ToLower(typ), "application/")
	return typ == "jwt" || typ == "at+jwt" || typ == "jose"
}

// optionalString returns obj's string of that name; ok is false if there is a member of that
// name that is not a string.
func optionalString(obj object, name string) (value string, ok bool) {
	member, there := obj[name]
	if !there {
		return "", true
	}
	value, ok = member.(string)
	return value, ok
}

// details returns what the token states and a refusal may show in a log.
func (t *jwt) details() []slog.Attr {
	alg, _ := optionalString(t.header, "alg")
	kid, _ := optionalString(t.header, "kid")
	audience, _ := stringOrStrings(t.claims["aud"])
	attrs := appendString(nil, keyPresentedIssuer, t.issuer())
	attrs = appendString(attrs, keyPresentedAudience, clipList(audience))
	attrs = appendString(attrs, keyAlgorithm, alg)
	attrs = appendString(attrs, keyKeyID, kid)
	for _, name := range []string{"iat", "nbf", "exp"} {
		if at, ok := numericDate(t.claims[name]); ok {
			attrs = append(attrs, slog.String(name, at.UTC().Format(time.RFC3339)))
		} else if number, ok := t.claims[name].(json.Number); ok {
			attrs = appendString(attrs, name, number.String())
		}
	}
	return attrs
}
