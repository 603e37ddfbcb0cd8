package main

import (
	"crypto/tls"
	"fmt"

	"github.com/metrics-gate/metrics-gate/auth"
	"github.com/metrics-gate/metrics-gate/e2e/harness"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

// world is a gate, its runner and the credentials of its clients.
type world struct {
	pki      *harness.PKI
	scrapers []*tls.Config
	ops      *tls.Config
	plain    *tls.Config
	token    string
	tokens   string // the line of the tokens file
	runner   *runner
	gate     *harness.Gate
}

func newWorld(t *bench, o options) *world {
	w := &world{pki: harness.NewPKI(t), runner: newRunner(o.series)}
	w.plain = &tls.Config{RootCAs: w.pki.CA.Pool(), ServerName: "localhost"}
	for i := range o.scrapers {
		w.scrapers = append(w.scrapers, w.client(t, fmt.Sprint("scraper-", i), fmt.Sprint("spiffe://soak/scraper/", i)))
	}
	w.ops = w.client(t, "ops", "spiffe://soak/ops")
	var err error
	if w.token, w.tokens, err = auth.NewToken("soak"); err != nil {
		t.Fatal(err)
	}
	w.pki.Write(t, "tokens", []byte(w.tokens+"\n"))
	w.writeCRL(t, 1)
	server := harness.StartRunner(t, w.runner)
	environ := append(w.pki.Environ(true), "UPSTREAM_URL="+server.Address, "TOKENS_FILE="+w.pki.File("tokens"),
		"TLS_CLIENT_CRL_FILE="+w.pki.File("crl.pem"), "RUNNER_NAME=soak", "LOG_LEVEL=warn",
		"METRICS_ALLOW=uri:spiffe://soak/scraper/*,token:soak,uri:spiffe://soak/ops",
		"PPROF_ALLOW=uri:spiffe://soak/ops", "READ_HEADER_TIMEOUT=2s", "IDLE_TIMEOUT=5s", "UPSTREAM_TIMEOUT=5s")
	if o.limit != "" {
		environ = append(environ, "$GOMEMLIMIT="+o.limit)
	}
	w.gate = harness.StartGate(t, environ...)
	return w
}

// client returns the TLS configuration of a client with a certificate.
func (w *world) client(t *bench, name, uri string) *tls.Config {
	pair := w.pki.Issue(t, name, testca.Options{URIs: []string{uri}})
	c := w.plain.Clone()
	c.Certificates = []tls.Certificate{pair.TLS()}
	return c
}

func (w *world) writeCRL(t *bench, number int64) {
	w.pki.Write(t, "crl.pem", testca.CRLPEM(testca.Must(w.pki.CA.CRL(testca.CRLOptions{Number: number}))))
}
