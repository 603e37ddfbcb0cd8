package auth

import (
	"errors"
	"fmt"

	"github.com/go-jose/go-jose/v4"
)

// Errors of a signature check.
var (
	errSignature = errors.New("token signature does not verify with the key it names")
	errMisfit    = errors.New("token algorithm does not fit the key it names")
	errNoKey     = fmt.Errorf("token is signed with no key of the issuer: %w", ErrUnknown)
)

// verify checks jws with the keys that kid selects and returns the payload and
// the key. errNoKey means that a newer ring may know better; the other errors
// are final, so that a bad signature never makes anybody ask the issuer.
//
// A kid selects the keys that bear it or else, since a set may be without kids
// altogether, those that bear none. Without a kid all keys are tried.
func (r *keyring) verify(jws *jose.JSONWebSignature, alg, kid string) ([]byte, *publicKey, error) {
	keys, named := r.named(kid)
	if !named {
		keys = r.anonymous(kid)
	}
	err := errNoKey
	if named {
		err = errMisfit
	}
	for _, key := range keys {
		if !key.fits(alg) {
			continue
		}
		payload, bad := jws.Verify(key.Key)
		if bad == nil {
			return payload, key, nil
		}
		if named {
			err = errSignature
		}
	}
	return nil, nil, err
}

// named returns the keys that bear kid; sets are not obliged to have unique ones.
func (r *keyring) named(kid string) (keys []*publicKey, ok bool) {
	if r == nil || kid == "" {
		return nil, false
	}
	for i := range r.keys {
		if r.keys[i].KeyID == kid {
			keys = append(keys, &r.keys[i])
		}
	}
	return keys, len(keys) > 0
}

// anonymous returns the keys that a token with that unknown or empty kid could mean.
func (r *keyring) anonymous(kid string) (keys []*publicKey) {
	if r == nil {
		return nil
	}
	for i := range r.keys {
		if kid == "" || r.keys[i].KeyID == "" {
			keys = append(keys, &r.keys[i])
		}
	}
	return keys
}
