// Package provider runs a real OpenID provider (zitadel/oidc) on loopback for
// tests. It mints JWT access tokens with the client credentials grant, rotates its keys,
// and can stop and restart on the same port.
package provider

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/zitadel/oidc/v3/pkg/op"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
)

// Options configures a Provider. The zero value works.
type Options struct {
	Certificate *tls.Certificate  // for 127.0.0.1; default: one of a throwaway CA
	CA          []byte            // PEM of the CA of Certificate
	Clients     map[string]Client // by client id; default "prometheus" with the secret "secret" and group "scrapers"
	Audience    []string          // aud of every token; default "metrics-gate"
	Lifetime    time.Duration     // exp − iat; default one hour
	Algorithm   string            // of the first key; default RS256
}

// Client may request tokens. Its id becomes sub.
type Client struct {
	Secret string
	Groups []string // the groups claim; empty: no such claim
}

// Provider is a running OpenID provider. Its methods are safe for concurrent use.
type Provider struct {
	store       *storage
	handler     http.Handler
	certificate tls.Certificate
	ca          []byte
	address     string // host:port, the same after a restart

	discoveries, keyFetches, tokens atomic.Int64

	mu     sync.Mutex
	server *http.Server // nil while stopped
	broken http.HandlerFunc
}

// Start starts a provider on a free port of 127.0.0.1. Stop it when done.
func Start(o Options) (*Provider, error) {
	if o.Clients == nil {
		o.Clients = map[string]Client{"prometheus": {Secret: "secret", Groups: []string{"scrapers"}}}
	}
	if o.Audience == nil {
		o.Audience = []string{"metrics-gate"}
	}
	if o.Lifetime == 0 {
		o.Lifetime = time.Hour
	}
	if o.Algorithm == "" {
		o.Algorithm = "RS256"
	}
	p := &Provider{store: &storage{options: o}, address: "127.0.0.1:0"}
	if err := p.certify(o.Certificate, o.CA); err != nil {
		return nil, err
	}
	if _, err := p.Rotate(o.Algorithm); err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", p.address)
	if err != nil {
		return nil, err
	}
	p.address = listener.Addr().String()
	handler, err := op.NewProvider(&op.Config{}, p.store, op.StaticIssuer(p.Issuer()),
		op.WithLogger(slog.New(slog.NewTextHandler(io.Discard, nil))))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("provider: %w", err), listener.Close())
	}
	p.handler = handler
	p.serve(listener)
	return p, nil
}

// Issuer returns the issuer's URL.
func (p *Provider) Issuer() string { return "https://" + p.address }

// TokenURL returns the address of the client credentials grant.
func (p *Provider) TokenURL() string { return p.Issuer() + "/oauth/token" }

// CA returns the PEM of the CA of the provider's certificate.
func (p *Provider) CA() []byte { return p.ca }

// Requests returns the number of requests for discovery document, keys and tokens.
func (p *Provider) Requests() (discoveries, keys, tokens int64) {
	return p.discoveries.Load(), p.keyFetches.Load(), p.tokens.Load()
}

// Stop closes the port and every connection.
func (p *Provider) Stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.server != nil {
		_ = p.server.Close()
		p.server = nil
	}
}

// Restart opens the same port again after Stop.
func (p *Provider) Restart() error {
	p.Stop()
	return harness.Poll(5*time.Second, func() error {
		listener, err := net.Listen("tcp", p.address)
		if err == nil {
			p.serve(listener)
		}
		return err
	})
}

// Break answers every request with handler, until it is called with nil.
func (p *Provider) Break(handler http.HandlerFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.broken = handler
}

func (p *Provider) serve(listener net.Listener) {
	server := &http.Server{
		Handler:           http.HandlerFunc(p.answer),
		ErrorLog:          log.New(io.Discard, "", 0),
		ReadHeaderTimeout: 10 * time.Second,
	}
	config := &tls.Config{Certificates: []tls.Certificate{p.certificate}, MinVersion: tls.VersionTLS12}
	p.mu.Lock()
	p.server = server
	p.mu.Unlock()
	go func() { _ = server.Serve(tls.NewListener(listener, config)) }()
}

func (p *Provider) answer(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		p.discoveries.Add(1)
	case "/keys":
		p.keyFetches.Add(1)
	case "/oauth/token":
		p.tokens.Add(1)
	}
	p.mu.Lock()
	broken := p.broken
	p.mu.Unlock()
	if broken != nil {
		broken(w, r)
		return
	}
	p.handler.ServeHTTP(w, r)
}
