package auth

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// maxJWT is the longest token looked at, in bytes.
const maxJWT = 8 << 10

// Errors of the look at a token before any library sees it. They are constant
// texts, because nothing of a token may reach a log.
var (
	errNotJWT    = fmt.Errorf("%w: not a JSON web token", ErrNoCredential)
	errNotOurs   = fmt.Errorf("%w: another issuer's token", ErrNoCredential)
	errTooLong   = errors.New("token is longer than 8 KiB")
	errPayload   = errors.New("token claims are not one JSON object with unique names in canonical base64url")
	errFolded    = errors.New("token has a claim whose name is another's but for case")
	errHeader    = errors.New("token header has a member of the wrong type or case")
	errAlgorithm = errors.New("token is signed with an algorithm that is not configured")
	errCritical  = errors.New("token header demands an extension (crit or b64)")
	errType      = errors.New("token type is neither JWT nor at+jwt")
	errUnsigned  = errors.New("token has an empty or garbled signature")
)

// jwt is a token of the right shape. Nothing in it is proven.
type jwt struct {
	header  object
	claims  object
	payload []byte
	signed  bool // the third part is there and canonical
	alg     string
	kid     string
}

// parseJWT splits a compact JWS (RFC 7515 section 3.1) into its parts: three of
// them, in base64url without padding, spaces or stray bits, the first two JSON
// objects. What is no JSON web token at all is errNotJWT.
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
	t := &jwt{}
	if t.header, err = parseObject(head); err != nil {
		return nil, errNotJWT
	}
	if t.payload, err = decodePart(parts[1]); err != nil {
		return nil, errPayload
	}
	if t.claims, err = parseObject(t.payload); err != nil {
		return nil, errPayload
	}
	if hasFolded(t.claims, "iss", "sub", "aud", "exp", "nbf", "iat", "jti", "email_verified") {
		return nil, errFolded
	}
	_, err = decodePart(parts[2])
	t.signed = err == nil && parts[2] != ""
	return t, nil
}

// decodePart refuses what RFC 4648 section 3.5 calls non-canonical, so that a
// token has one spelling, and the line breaks that encoding/base64 skips.
func decodePart(part string) ([]byte, error) {
	if strings.ContainsAny(part, "\r\n") {
		return nil, errPayload
	}
	return base64.RawURLEncoding.Strict().DecodeString(part)
}

// issuer returns iss, or "" if the token has none.
func (t *jwt) issuer() string {
	iss, _ := t.claims["iss"].(string)
	return iss
}

// checkHeader follows RFC 8725 sections 3.1, 3.11 and RFC 7515 section 4.1.11:
// an algorithm from our list, never the token's choice, no extension that we
// would have to understand, no token made for something else. Members that
// would bring a key along (jku, x5u, jwk, x5c) are nobody's concern: keys come
// from the issuer's key set alone.
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
	if !slices.Contains(algorithms, t.alg) {
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
	if !t.signed {
		return errUnsigned
	}
	return nil
}

// isAccessType knows the types of RFC 7519 section 5.1 and RFC 9068 section
// 2.1; a media type's case and its "application/" do not matter (RFC 7515
// section 4.1.9).
func isAccessType(typ string) bool {
	typ = strings.TrimPrefix(strings.ToLower(typ), "application/")
	return typ == "jwt" || typ == "at+jwt"
}

// optionalString returns obj's string of that name; ok is false if it is there
// and not a string.
func optionalString(obj object, name string) (value string, ok bool) {
	member, there := obj[name]
	if !there {
		return "", true
	}
	value, ok = member.(string)
	return value, ok
}
