package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"time"

	"github.com/metrics-gate/metrics-gate/auth"
	"github.com/metrics-gate/metrics-gate/tlsconf"
)

// authentication compares the kinds of credentials on one gate in the steady state, and
// the cost of each authenticator without the network.
func (b *bench) authentication(ctx context.Context) error {
	secret, line, err := auth.NewToken("bench")
	if err != nil {
		return err
	}
	i, err := newIssuer(b.dir)
	if err != nil {
		return err
	}
	tokens := filepath.Join(b.dir, "tokens")
	if err := os.WriteFile(tokens, []byte(line+"\n"), 0o600); err != nil {
		return err
	}
	scrape, err := b.kinds(ctx, tokens, secret, i)
	if err != nil {
		return err
	}
	return b.stages(tokens, secret, i, scrape)
}

// kinds scrapes one gate with each credential. It returns the CPU of a scrape with a
// certificate.
func (b *bench) kinds(ctx context.Context, tokens, secret string, i *issuer) (float64, error) {
	runner, address, err := b.startRunner(ctx, rolePlain, 300)
	if err != nil {
		return 0, err
	}
	defer runner.stop()
	environ := append(i.environ(), "METRICS_GATE_TOKENS_FILE="+tokens)
	p, listen, err := b.startTarget(ctx, b.targets[0], address, environ...)
	if err != nil {
		return 0, err
	}
	defer p.stop()
	jwt, err := i.mint("ES256")
	if err != nil {
		return 0, err
	}
	with := func(name, credential string) contestant {
		c := contestant{name: name, labels: true, pid: p.cmd.Process.Pid, runner: runner.cmd.Process.Pid, plan: plan{
			Address: listen, Header: []string{accept, acceptIdentity}, Connections: 1, Anonymous: credential != ""}}
		if credential != "" {
			c.plan.Header = append(c.plan.Header, "Authorization: Bearer "+credential)
		}
		return c
	}
	s := scenario{title: "authentication", series: 300, scrapes: 400, rounds: 9}
	if b.options.quick {
		s.scrapes, s.rounds = 130, 3
	}
	all, err := b.rounds(s,
		[]contestant{with("certificate", ""), with("static token", secret), with("OIDC token, seen before", jwt)})
	if err != nil {
		return 0, err
	}
	b.report.printf("\n### authentication\n\nOne gate, 300 series, identity: %d rounds of %d scrapes.\n\n", s.rounds,
		s.scrapes)
	b.report.printf("| | CPU of a scrape, µs | against a certificate | median latency, µs |\n|---|---:|---:|---:|\n")
	for _, f := range all {
		b.report.printf("| %s | %.0f | %.2f | %.0f |\n", f.name, median(f.proxy), ratio(f.proxy, all[0].proxy),
			median(f.median))
	}
	return median(all[0].proxy), nil
}

// stages measures authentication and authorization alone, in this process.
func (b *bench) stages(tokens, secret string, i *issuer, scrape float64) error {
	list, certificate, err := b.authenticators(tokens, i)
	if err != nil {
		return err
	}
	policy, err := auth.ParsePolicy("dns:" + clientName + ",token:bench,user:bench")
	if err != nil {
		return err
	}
	o := auth.Options{Log: slog.New(slog.DiscardHandler), Metrics: auth.NewMetrics(nil)}
	through := auth.Authenticate(auth.NewChain(list...),
		o)(auth.Authorize(policy, "metrics", o)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	b.report.printf("\nAuthentication and authorization by themselves:\n\n| | µs | of a scrape |\n|---|---:|---:|\n")
	bearer := func(token string) *http.Request {
		r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
		r.TLS = &tls.ConnectionState{}
		r.Header.Set("Authorization", "Bearer "+token)
		return r
	}
	steady := func(name string, r *http.Request) {
		µs := each(20000, func(int) { through.ServeHTTP(httptest.NewRecorder(), r) }) - each(20000,
			func(int) { httptest.NewRecorder() })
		b.report.printf("| %s | %.2f | %.1f %% |\n", name, µs, 100*µs/scrape)
		b.report.bar("authentication, "+name, 100*µs/scrape, 3, "% of a scrape")
	}
	jwt, err := i.mint("ES256")
	if err != nil {
		return err
	}
	steady("certificate", certificate)
	steady("static token", bearer(secret))
	steady("OIDC token, seen before", bearer(jwt))
	for _, algorithm := range []string{"ES256", "RS256"} {
		var fresh []*http.Request
		for range 200 {
			token, err := i.mint(algorithm)
			if err != nil {
				return err
			}
			fresh = append(fresh, bearer(token))
		}
		failed := 0
		began := time.Now() // once: a token that was verified before is another case
		for _, r := range fresh {
			w := httptest.NewRecorder()
			if through.ServeHTTP(w, r); w.Code != http.StatusOK {
				failed++
			}
		}
		µs := float64(time.Since(began).Nanoseconds()) / 1e3 / float64(len(fresh))
		if failed > 0 {
			return fmt.Errorf("%d of %d new %s tokens were refused", failed, len(fresh), algorithm)
		}
		b.report.printf("| OIDC token, first time, %s | %.0f | %.0f %% |\n", algorithm, µs, 100*µs/scrape)
	}
	return nil
}

// authenticators returns the gate's authenticators in its order, and a request with a
// certificate.
func (b *bench) authenticators(tokens string, i *issuer) ([]auth.Authenticator, *http.Request, error) {
	static, err := auth.LoadTokens(tokens)
	if err != nil {
		return nil, nil, err
	}
	oidc, err := auth.NewOIDC(auth.OIDCOptions{Issuer: i.url, Audiences: []string{"metrics"}, JWKSFile: i.keys})
	if err != nil {
		return nil, nil, err
	}
	trust, err := tlsconf.New(tlsconf.Files{
		Cert: b.pki.file("server.pem"), Key: b.pki.file("server-key.pem"), ClientCA: b.pki.file("ca.pem"),
		ClientAuth: tlsconf.Optional, MinVersion: tls.VersionTLS13,
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, nil, err
	}
	leaf, err := x509.ParseCertificate(b.pki.scrape.Certificate[0])
	if err != nil {
		return nil, nil, err
	}
	chains, err := leaf.Verify(x509.VerifyOptions{Roots: b.pki.pool,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	if err != nil {
		return nil, nil, err
	}
	r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	r.TLS = &tls.ConnectionState{PeerCertificates: chains[0][:1], VerifiedChains: chains}
	return []auth.Authenticator{static, oidc, auth.NewCertificate(trust.Verify)}, r, nil
}

// each returns the time of one call in µs, the minimum of three runs.
func each(n int, call func(int)) float64 {
	least := 0.0
	for range 3 {
		began := time.Now()
		for i := range n {
			call(i)
		}
		if µs := float64(time.Since(began).Nanoseconds()) / 1e3 / float64(n); least == 0 || µs < least {
			least = µs
		}
	}
	return least
}
