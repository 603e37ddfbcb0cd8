package provider

import (
	"context"
	"crypto/subtle"
	"errors"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// storage implements the part of op.Storage that client credentials need. The rest of the
// embedded interface is nil and would panic.
type storage struct {
	op.Storage
	options Options

	mu   sync.Mutex
	keys []key // the last one signs
	made int   // keys ever made
	ids  int   // tokens ever minted
}

var errUnknownClient = errors.New("unknown client or wrong secret")

func (*storage) Health(context.Context) error { return nil }

// ClientCredentials implements op.ClientCredentialsStorage.
func (s *storage) ClientCredentials(_ context.Context, id, secret string) (op.Client, error) {
	known, ok := s.options.Clients[id]
	if !ok || subtle.ConstantTimeCompare([]byte(known.Secret), []byte(secret)) != 1 {
		return nil, errUnknownClient
	}
	return client{id: id}, nil
}

// ClientCredentialsTokenRequest implements op.ClientCredentialsStorage.
func (s *storage) ClientCredentialsTokenRequest(_ context.Context, id string, scopes []string) (op.TokenRequest,
	error) {
	return request{subject: id, audience: s.options.Audience, scopes: scopes}, nil
}

// CreateAccessToken returns the id and the expiry of a new token.
func (s *storage) CreateAccessToken(context.Context, op.TokenRequest) (string, time.Time, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ids++
	return "token-" + strconv.Itoa(s.ids), time.Now().Add(s.options.Lifetime), nil
}

// GetPrivateClaimsFromScopes adds the groups claim.
func (s *storage) GetPrivateClaimsFromScopes(_ context.Context, _, id string, _ []string) (map[string]any, error) {
	if groups := s.options.Clients[id].Groups; len(groups) > 0 {
		return map[string]any{"groups": groups}, nil
	}
	return nil, nil
}

func (s *storage) SigningKey(context.Context) (op.SigningKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.keys) == 0 {
		return nil, errors.New("no key")
	}
	return signing{s.keys[len(s.keys)-1]}, nil
}

func (s *storage) SignatureAlgorithms(context.Context) ([]jose.SignatureAlgorithm, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var algorithms []jose.SignatureAlgorithm
	for _, k := range s.keys {
		if !slices.Contains(algorithms, k.algorithm) {
			algorithms = append(algorithms, k.algorithm)
		}
	}
	return algorithms, nil
}

func (s *storage) KeySet(context.Context) ([]op.Key, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	keys := []op.Key{}
	for _, k := range s.keys {
		keys = append(keys, published{k})
	}
	return keys, nil
}

// request is a granted client_credentials request.
type request struct {
	subject          string
	audience, scopes []string
}

func (r request) GetSubject() string    { return r.subject }
func (r request) GetAudience() []string { return r.audience }
func (r request) GetScopes() []string   { return r.scopes }

// client implements the part of op.Client that client credentials need, with JWT access
// tokens.
type client struct {
	op.Client
	id string
}

func (c client) GetID() string                     { return c.id }
func (client) GrantTypes() []oidc.GrantType        { return []oidc.GrantType{oidc.GrantTypeClientCredentials} }
func (client) AccessTokenType() op.AccessTokenType { return op.AccessTokenTypeJWT }
func (client) AuthMethod() oidc.AuthMethod         { return oidc.AuthMethodBasic }
func (client) ApplicationType() op.ApplicationType { return op.ApplicationTypeWeb }
func (client) IsScopeAllowed(string) bool          { return true }
func (client) ClockSkew() time.Duration            { return 0 }
func (client) RestrictAdditionalAccessTokenScopes() func([]string) []string {
	return func(scopes []string) []string { return scopes }
}
