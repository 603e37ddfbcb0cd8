package auth

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// maxBearer is the longest bearer token looked at, in bytes.
const maxBearer = 8 << 10

// ErrBadAuthorization is the error of an Authorization header that is not one bearer token. It
// does not wrap ErrNoCredential: a request with such a header is refused.
var ErrBadAuthorization = errors.New("authorization header is not one bearer token")

// Bearer returns the bearer token of r's only Authorization header, of at most 8 KiB. Its
// syntax is that of RFC 6750 section 2.1 with the scheme in any case (RFC 9110 section 11.1).
// No such header is ErrNoCredential. Two of them, another scheme and anything else are
// ErrBadAuthorization. Cookies, the query and other headers are ignored. The error shows
// nothing of the header.
func Bearer(r *http.Request) (token string, err error) {
	values := r.Header["Authorization"]
	switch len(values) {
	case 0:
		return "", ErrNoCredential
	case 1:
		return parseBearer(values[0])
	}
	return "", fmt.Errorf("%w: %d headers; send one", ErrBadAuthorization, len(values))
}

func parseBearer(value string) (string, error) {
	const scheme = "Bearer"
	if len(value) <= len(scheme) || value[len(scheme)] != ' ' || !strings.EqualFold(value[:len(scheme)], scheme) {
		return "", fmt.Errorf("%w: want \"Bearer\", a space and the token", ErrBadAuthorization)
	}
	token := strings.TrimLeft(value[len(scheme):], " ")
	if len(token) > maxBearer {
		return "", fmt.Errorf("%w: token of %d bytes, at most %d", ErrBadAuthorization, len(token), maxBearer)
	}
	if !isB64Token(token) {
		return "", fmt.Errorf("%w: token is empty or has characters that no bearer token has", ErrBadAuthorization)
	}
	return token, nil
}

// isB64Token reports whether s is a b64token: 1*( ALPHA / DIGIT / "-" / "." /
// "_" / "~" / "+" / "/" ) *"=".
func isB64Token(s string) bool {
	s = strings.TrimRight(s, "=")
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '-', c == '.', c == '_', c == '~', c == '+', c == '/':
		default:
			return false
		}
	}
	return s != ""
}
