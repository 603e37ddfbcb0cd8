package auth

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
)

// chain asks several authenticators.
type chain struct {
	certificates []Authenticator // always asked: a certificate that is presented and bad refuses
	bearers      []Authenticator // asked in turn until one accepts or refuses the token
	noCredential error           // says which credentials there could be
	unknownToken error           // the error of a token that no authenticator accepts or refuses
}

// NewChain returns the Authenticator that asks each in turn until one accepts or refuses the
// credential; with none it refuses everyone. With a bearer token and a certificate the token
// is the identity, but either of them refuses the request when it is bad. A token that no
// authenticator knows refuses too.
func NewChain(authenticators ...Authenticator) Authenticator {
	c := &chain{
		unknownToken: fmt.Errorf("%w bearer token: it is no static token and not from a configured issuer", ErrUnknown),
	}
	for _, a := range authenticators {
		if _, ok := a.(*Certificate); ok {
			c.certificates = append(c.certificates, a)
		} else {
			c.bearers = append(c.bearers, a)
		}
	}
	switch {
	case len(c.bearers) == 0:
		c.noCredential = fmt.Errorf("%w: present a client certificate", ErrNoCredential)
		c.unknownToken = fmt.Errorf(
			"%w bearer token: no method for bearer tokens is on; send no Authorization header",
			ErrUnknown,
		)
	case len(c.certificates) == 0:
		c.noCredential = fmt.Errorf("%w: send Authorization: Bearer and a token", ErrNoCredential)
	default:
		c.noCredential = fmt.Errorf("%w: present a client certificate, or send Authorization: Bearer and a token",
			ErrNoCredential)
	}
	return c
}

// Authenticate implements Authenticator.
func (c *chain) Authenticate(r *http.Request) (Identity, error) {
	certificate, err := ask(c.certificates, r, nil)
	if err != nil && !errors.Is(err, ErrNoCredential) {
		return Identity{}, err
	}
	_, syntax := Bearer(r)
	if errors.Is(syntax, ErrNoCredential) {
		if err == nil {
			return certificate, nil
		}
		return c.withoutHeader(r)
	}
	if syntax != nil {
		return Identity{}, &Refusal{Method: MethodNone, Err: syntax}
	}
	var others []*Refusal
	id, err := ask(c.bearers, r, &others)
	if errors.Is(err, ErrNoCredential) {
		return Identity{}, c.unknown(others)
	}
	return id, err
}

// withoutHeader asks the rest about a request with neither certificate nor Authorization
// header: an Authenticator of another package can use something else.
func (c *chain) withoutHeader(r *http.Request) (Identity, error) {
	id, err := ask(c.bearers, r, nil)
	if errors.Is(err, ErrNoCredential) {
		err = c.noCredential
	}
	return id, err
}

// unknown refuses a token that each authenticator left to the next. others say what they
// expected instead. The result must not wrap ErrNoCredential.
func (c *chain) unknown(others []*Refusal) *Refusal {
	refusal := &Refusal{Method: MethodNone, Err: c.unknownToken}
	var expected []string
	for _, other := range others {
		for _, attr := range other.Details {
			if attr.Key == keyExpectedIssuer {
				expected = append(expected, attr.Value.String())
			}
		}
	}
	if len(others) == 0 {
		return refusal
	}
	refusal.Issuer, refusal.Subject = others[0].Issuer, others[0].Subject
	for _, attr := range others[0].Details {
		if attr.Key == keyExpectedIssuer {
			attr = slog.String(keyExpectedIssuer, strings.Join(expected, ", "))
		}
		refusal.Details = append(refusal.Details, attr)
	}
	return refusal
}

// ask returns the first answer that is not ErrNoCredential. The refusals among the answers
// that are, it appends to others.
func ask(authenticators []Authenticator, r *http.Request, others *[]*Refusal) (Identity, error) {
	for _, a := range authenticators {
		id, err := a.Authenticate(r)
		if err == nil || !errors.Is(err, ErrNoCredential) {
			return id, err
		}
		var refusal *Refusal
		if others != nil && errors.As(err, &refusal) {
			*others = append(*others, refusal)
		}
	}
	return Identity{}, ErrNoCredential
}

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
