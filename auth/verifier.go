package auth

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
)

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
