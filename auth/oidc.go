package auth

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
)

// verifiedTokens is how many verified tokens of one issuer are remembered.
const verifiedTokens = 1024

// OIDC authenticates the bearer tokens of one OpenID Connect issuer: JSON web
// tokens (RFC 7519) as RFC 8725 and RFC 9068 want them. It is an Authenticator;
// several issuers are several of them in one chain.
type OIDC struct {
	options  OIDCOptions
	policy   claimPolicy
	keys     *keySet
	remote   *remoteKeys // nil with keys from a file
	verifier *oidc.IDTokenVerifier
	verified *cache[verified]

	mu    sync.Mutex // one Reload at a time
	files oidcFiles  // as last read
}

// verified is what is remembered of a token whose signature was checked.
type verified struct {
	id  Identity
	key [32]byte // digest of the key that did it
}

// NewOIDC returns the authenticator of one issuer. It reads the files that o
// names and never asks the issuer, which may be down when the gate starts. The
// error names all that is wrong with o.
func NewOIDC(o OIDCOptions) (*OIDC, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("oidc: %w", err)
	}
	a := &OIDC{
		options:  o,
		verified: newCache[verified](verifiedTokens, o.Now),
		policy: claimPolicy{
			issuer: o.Issuer, audiences: o.Audiences,
			user: o.UsernameClaim, groups: o.GroupsClaim,
			userPrefix: o.UsernamePrefix, groupsPrefix: o.GroupsPrefix,
			maxLifetime: o.MaxLifetime, skew: o.ClockSkew,
		},
		keys: &keySet{
			issuer: o.Issuer, minInterval: o.JWKSMinInterval, maxAge: o.JWKSMaxAge,
			now: o.Now, log: o.Log,
		},
	}
	for _, alg := range o.Algorithms {
		a.keys.algorithms = append(a.keys.algorithms, jose.SignatureAlgorithm(alg))
	}
	if o.JWKSFile == "" {
		a.remote = &remoteKeys{issuer: o.Issuer, tokenFile: o.DiscoveryTokenFile, now: o.Now, parse: a.parseKeys}
		a.keys.source = a.remote
	}
	a.verifier = oidc.NewVerifier(o.Issuer, a.keys, &oidc.Config{
		SupportedSigningAlgs: o.Algorithms,
		SkipClientIDCheck:    true, // claimPolicy checks aud and the times, more strictly
		SkipExpiryCheck:      true,
	})
	if _, err := a.Reload(); err != nil {
		return nil, fmt.Errorf("oidc: %w", err)
	}
	if err := a.register(); err != nil {
		return nil, fmt.Errorf("oidc: issuer %s: %w", o.Issuer, err)
	}
	return a, nil
}

func (a *OIDC) parseKeys(data []byte) (*keyring, error) {
	return parseKeyring(data, a.options.Algorithms, a.options.Now())
}

// Run keeps the issuer's keys fresh in the background until ctx ends. Without
// it keys are asked for when a token needs one.
func (a *OIDC) Run(ctx context.Context) { a.keys.run(ctx) }

// Authenticate returns the identity in r's bearer token. What is no JSON web
// token of this issuer is ErrNoCredential. A token whose key is unknown while
// the issuer cannot be asked is ErrUnavailable, and ErrThrottled is returned
// for one that Admit does not let in; all else that is wrong is a *Refusal. No
// error shows anything of the token.
func (a *OIDC) Authenticate(r *http.Request) (Identity, error) {
	token, err := Bearer(r)
	if err != nil {
		return Identity{}, err
	}
	digest := sha256.Sum256([]byte(token))
	if v, ok := a.verified.get(digest); ok && a.keys.current().has(v.key) {
		return v.id, nil
	}
	t, err := parseJWT(token)
	if err == nil && t.issuer() != a.options.Issuer {
		err = errNotOurs
	}
	if err != nil {
		return Identity{}, a.refuse(err)
	}
	id, until, err := a.inspect(t)
	if err != nil {
		return Identity{}, a.refuse(err)
	}
	if !a.options.Admit(r) {
		return Identity{}, a.refuse(ErrThrottled)
	}
	key, err := a.prove(r.Context(), token, t)
	if err != nil {
		return Identity{}, a.refuse(err)
	}
	a.verified.put(digest, verified{id, key.digest}, until)
	return id, nil
}

// inspect asks all that costs nothing before the signature is looked at, so
// that no bad token ever makes anybody ask the issuer.
func (a *OIDC) inspect(t *jwt) (Identity, time.Time, error) {
	if err := t.checkHeader(a.options.Algorithms); err != nil {
		return Identity{}, time.Time{}, err
	}
	return a.policy.check(t.claims, a.options.Now())
}

// prove checks the signature, and that what was signed is what was inspected.
func (a *OIDC) prove(ctx context.Context, token string, t *jwt) (*publicKey, error) {
	try := &attempt{alg: t.alg, kid: t.kid}
	proven, err := a.verifier.Verify(context.WithValue(ctx, attemptKey{}, try), token)
	if try.err != nil {
		return nil, try.err
	}
	if err != nil || try.key == nil {
		return nil, errPayload // go-oidc's text shows claims
	}
	var payload json.RawMessage
	if err := proven.Claims(&payload); err != nil || !bytes.Equal(payload, t.payload) {
		return nil, errPayload
	}
	return try.key, nil
}

// refuse tells whose token err is about, unless it is about nobody's.
func (a *OIDC) refuse(err error) error {
	if err == errNotJWT || err == errNotOurs {
		return err
	}
	return &Refusal{Method: MethodOIDC, Issuer: a.options.Issuer, Err: err}
}
