package auth

import (
	"errors"
	"fmt"
	"net/http"
)

type chain struct {
	certificates []Authenticator // asked always: a presented one that is bad refuses
	bearers      []Authenticator // asked until one knows the token
	none         error           // says which credentials there could be
}

// NewChain returns the Authenticator that asks each in turn until one knows the
// credential; with none it refuses everyone. A bearer token beside a
// certificate is the identity, but either of them refuses the request when it
// is bad. Since an Authorization header is a credential presented, it refuses
// too when nobody knows the token.
func NewChain(authenticators ...Authenticator) Authenticator {
	var c chain
	for _, a := range authenticators {
		if _, ok := a.(*Certificate); ok {
			c.certificates = append(c.certificates, a)
		} else {
			c.bearers = append(c.bearers, a)
		}
	}
	switch {
	case len(c.bearers) == 0:
		c.none = fmt.Errorf("%w: present a client certificate", ErrNoCredential)
	case len(c.certificates) == 0:
		c.none = fmt.Errorf("%w: send Authorization: Bearer and a token", ErrNoCredential)
	default:
		c.none = fmt.Errorf("%w: present a client certificate, or send Authorization: Bearer and a token", ErrNoCredential)
	}
	return &c
}

// Authenticate implements Authenticator.
func (c *chain) Authenticate(r *http.Request) (Identity, error) {
	certificate, err := ask(c.certificates, r)
	if err != nil && !errors.Is(err, ErrNoCredential) {
		return Identity{}, err
	}
	_, syntax := Bearer(r)
	if errors.Is(syntax, ErrNoCredential) {
		if err == nil {
			return certificate, nil
		}
		return c.credentialless(r)
	}
	if syntax != nil {
		return Identity{}, &Refusal{Method: MethodNone, Err: syntax}
	}
	id, err := ask(c.bearers, r)
	if errors.Is(err, ErrNoCredential) {
		return Identity{}, &Refusal{Method: MethodNone, Err: c.unknown()}
	}
	return id, err
}

// credentialless asks the rest about a request with neither certificate nor
// Authorization header: an Authenticator of another package may still know it.
func (c *chain) credentialless(r *http.Request) (Identity, error) {
	id, err := ask(c.bearers, r)
	if errors.Is(err, ErrNoCredential) {
		err = c.none
	}
	return id, err
}

// unknown is the error of a token that nobody knows. It must not wrap ErrNoCredential.
func (c *chain) unknown() error {
	if len(c.bearers) == 0 {
		return fmt.Errorf("%w bearer token: no method for bearer tokens is on; send no Authorization header", ErrUnknown)
	}
	return fmt.Errorf("%w bearer token: no static token and no issuer here knows it", ErrUnknown)
}

// ask returns the first answer that is not ErrNoCredential.
func ask(authenticators []Authenticator, r *http.Request) (Identity, error) {
	for _, a := range authenticators {
		id, err := a.Authenticate(r)
		if err == nil || !errors.Is(err, ErrNoCredential) {
			return id, err
		}
	}
	return Identity{}, ErrNoCredential
}
