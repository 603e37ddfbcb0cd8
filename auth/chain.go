package auth

import (
	"errors"
	"fmt"
	"net/http"
)

type first struct {
	certificates []Authenticator // asked always: a presented one that is bad refuses
	bearers      []Authenticator // asked until one knows the token
	none         error           // says which credentials there could be
}

// First returns the Authenticator that asks each in turn until one knows the
// credential; with none it refuses everyone. A bearer token beside a
// certificate is the identity, but either of them refuses the request when it
// is bad. Since an Authorization header is a credential presented, it refuses
// too when nobody knows the token.
func First(authenticators ...Authenticator) Authenticator {
	var f first
	for _, a := range authenticators {
		if _, ok := a.(*Certificate); ok {
			f.certificates = append(f.certificates, a)
		} else {
			f.bearers = append(f.bearers, a)
		}
	}
	switch {
	case len(f.bearers) == 0:
		f.none = fmt.Errorf("%w: present a client certificate", ErrNoCredential)
	case len(f.certificates) == 0:
		f.none = fmt.Errorf("%w: send Authorization: Bearer and a token", ErrNoCredential)
	default:
		f.none = fmt.Errorf("%w: present a client certificate, or send Authorization: Bearer and a token", ErrNoCredential)
	}
	return &f
}

// Authenticate implements Authenticator.
func (f *first) Authenticate(r *http.Request) (Identity, error) {
	certificate, err := ask(f.certificates, r)
	if err != nil && !errors.Is(err, ErrNoCredential) {
		return Identity{}, err
	}
	_, syntax := Bearer(r)
	if errors.Is(syntax, ErrNoCredential) {
		if err == nil {
			return certificate, nil
		}
		return f.credentialless(r)
	}
	if syntax != nil {
		return Identity{}, &Refusal{Method: MethodNone, Err: syntax}
	}
	id, err := ask(f.bearers, r)
	if errors.Is(err, ErrNoCredential) {
		return Identity{}, &Refusal{Method: MethodNone, Err: f.unknown()}
	}
	return id, err
}

// credentialless asks the rest about a request with neither certificate nor
// Authorization header: an Authenticator of another package may still know it.
func (f *first) credentialless(r *http.Request) (Identity, error) {
	id, err := ask(f.bearers, r)
	if errors.Is(err, ErrNoCredential) {
		err = f.none
	}
	return id, err
}

// unknown is the error of a token that nobody knows. It must not wrap ErrNoCredential.
func (f *first) unknown() error {
	if len(f.bearers) == 0 {
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
