package auth

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	_ "crypto/sha256" // for crypto.Hash
	_ "crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
)

// Errors of a signature check.
var (
	errSignature = errors.New("token signature does not verify with the key that its kid names")
	errMisfit    = errors.New("token algorithm does not fit the key that its kid names")
	errNoKey     = fmt.Errorf("token is signed with no key of the issuer: %w", ErrUnknown)
)

// verify checks t's signature with the keys that its kid selects and returns the key. A kid
// selects the keys that have it or else, since a set can be without kids, those that have
// none. Without a kid all keys are tried.
func (r *keyring) verify(t *jwt) (*publicKey, error) {
	keys, named := r.named(t.kid)
	err := errMisfit
	if !named {
		keys, err = r.anonymous(t.kid), errNoKey
	}
	for _, key := range keys {
		if !key.fits(t.alg) {
			continue
		}
		if key.verifies(t.alg, []byte(t.signed), t.signature) {
			return key, nil
		}
		if named {
			err = errSignature
		}
	}
	return nil, err
}

// named returns the keys with kid. A set can have several of one kid.
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

// anonymous returns the keys that a token with that unknown or empty kid can mean.
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

// fits reports whether a signature by alg can be this key's: an alg of the key must be the
// same (RFC 8725 section 3.1), its type and curve the algorithm's.
func (k *publicKey) fits(alg string) bool {
	alg = canonicalAlgorithm(alg)
	if k.Algorithm != "" && canonicalAlgorithm(k.Algorithm) != alg {
		return false
	}
	switch key := k.Key.(type) {
	case *rsa.PublicKey:
		return strings.HasPrefix(alg, "RS") || strings.HasPrefix(alg, "PS")
	case *ecdsa.PublicKey:
		curves := map[string]string{"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
		return curves[alg] == key.Curve.Params().Name
	case ed25519.PublicKey:
		return alg == "EdDSA"
	}
	return false
}

// verifies checks a signature over signed by alg, which fits k (RFC 7518 sections 3.3 to 3.5,
// RFC 8037 section 3.1). go-jose checks a signature only over a header that it has parsed, and
// refuses a token for members of it that are not used.
func (k *publicKey) verifies(alg string, signed, signature []byte) bool {
	if key, ok := k.Key.(ed25519.PublicKey); ok {
		return ed25519.Verify(key, signed, signature)
	}
	hash := map[string]crypto.Hash{"256": crypto.SHA256, "384": crypto.SHA384, "512": crypto.SHA512}[alg[2:]]
	h := hash.New()
	h.Write(signed)
	digest := h.Sum(nil)
	switch key := k.Key.(type) {
	case *rsa.PublicKey:
		if strings.HasPrefix(alg, "PS") {
			salt := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}
			return rsa.VerifyPSS(key, hash, digest, signature, salt) == nil
		}
		return rsa.VerifyPKCS1v15(key, hash, digest, signature) == nil
	case *ecdsa.PublicKey:
		size := (key.Curve.Params().BitSize + 7) / 8
		if len(signature) != 2*size {
			return false
		}
		r, s := new(big.Int).SetBytes(signature[:size]), new(big.Int).SetBytes(signature[size:])
		return ecdsa.Verify(key, digest, r, s)
	}
	return false
}

// errVerifier is the error of a token that passes the checks of this package and not those of
// go-oidc, whose own text quotes claims.
var errVerifier = errors.New("token is not accepted by the OpenID Connect verifier")

// verify has go-oidc verify t, which inspect has passed, and returns the key that signed it.
//
// go-oidc sees only what it needs: a header of alg and kid, and the registered claims. It
// would refuse a good token for other members that it cannot read (x5c, jwk, nonce,
// _claim_sources), although nothing here uses them.
func (a *OIDC) verify(ctx context.Context, t *jwt) (*publicKey, error) {
	token, err := t.stripped()
	if err != nil {
		return nil, err
	}
	keys := &tokenKeys{set: a.keys, token: t}
	verifier := oidc.NewVerifier(a.options.Issuer, keys, &oidc.Config{
		SupportedSigningAlgs: a.options.Algorithms,
		Now:                  a.options.Now,
		SkipClientIDCheck:    true, // claimPolicy knows several audiences
		SkipExpiryCheck:      true, // claimPolicy has the configured leeway; go-oidc has none, or five minutes
	})
	_, err = verifier.Verify(ctx, token)
	switch {
	case keys.err != nil:
		return nil, keys.err
	case err != nil || keys.key == nil:
		return nil, errVerifier
	}
	return keys.key, nil
}

// stripped returns the token with a header of alg and kid alone. checkHeader must have passed.
func (t *jwt) stripped() (string, error) {
	header := object{"alg": canonicalAlgorithm(t.alg)}
	if t.kid != "" {
		header["kid"] = t.kid
	}
	data, err := json.Marshal(header)
	if err != nil {
		return "", err
	}
	encode := base64.RawURLEncoding.EncodeToString
	payload := t.signed[strings.IndexByte(t.signed, '.'):]
	return encode(data) + payload + "." + encode(t.signature), nil
}

// tokenKeys is the oidc.KeySet of one token.
type tokenKeys struct {
	set   *keySet
	token *jwt
	key   *publicKey // that verified the token
	err   error      // why none did
}

// VerifySignature implements oidc.KeySet. It checks the signature over the original header and
// payload, not over the stripped token that go-oidc passes, and returns the registered claims.
func (k *tokenKeys) VerifySignature(ctx context.Context, _ string) ([]byte, error) {
	if k.key, k.err = k.set.verify(ctx, k.token); k.err != nil {
		return nil, k.err
	}
	registered := object{}
	for _, name := range []string{"iss", "sub", "aud", "exp", "nbf", "iat"} {
		if value, there := k.token.claims[name]; there {
			registered[name] = value
		}
	}
	return json.Marshal(registered)
}
