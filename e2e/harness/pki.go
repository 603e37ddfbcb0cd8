package harness

import (
	"crypto/tls"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

// PKI is a CA and a server certificate for loopback, in files.
type PKI struct {
	Dir string
	CA  *testca.CA
}

// NewPKI writes ca.pem, server.pem and server-key.pem to a temporary directory of the test.
func NewPKI(t testing.TB) *PKI {
	t.Helper()
	ca, err := testca.NewCA(testca.Options{CommonName: "e2e"})
	if err != nil {
		t.Fatal(err)
	}
	p := &PKI{Dir: t.TempDir(), CA: ca}
	p.Write(t, "ca.pem", ca.CertPEM())
	p.Issue(t, "server", testca.Options{DNSNames: []string{"localhost"}, IPs: []string{"127.0.0.1"}})
	return p
}

// File returns the path of a file in p's directory.
func (p *PKI) File(name string) string { return filepath.Join(p.Dir, name) }

// Write replaces a file by rename, so that a reader never sees half of it.
func (p *PKI) Write(t testing.TB, name string, content []byte) {
	t.Helper()
	if err := os.WriteFile(p.File(name+".new"), content, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(p.File(name+".new"), p.File(name)); err != nil {
		t.Fatal(err)
	}
}

// Issue writes name.pem and name-key.pem.
func (p *PKI) Issue(t testing.TB, name string, o testca.Options) *testca.Pair {
	t.Helper()
	pair, err := p.CA.Issue(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := pair.WriteFiles(p.File(name+".pem"), p.File(name+"-key.pem")); err != nil {
		t.Fatal(err)
	}
	return pair
}

// Environ returns the gate's TLS variables, those for client certificates on request.
func (p *PKI) Environ(clientCertificates bool) []string {
	e := []string{"TLS_CERT_FILE=" + p.File("server.pem"), "TLS_KEY_FILE=" + p.File("server-key.pem")}
	if clientCertificates {
		e = append(e, "TLS_CLIENT_CA_FILE="+p.File("ca.pem"))
	}
	return e
}

// Client returns a client that trusts p's CA and presents pair, unless it is nil.
func (p *PKI) Client(pair *testca.Pair) *http.Client {
	config := &tls.Config{RootCAs: p.CA.Pool()}
	if pair != nil {
		config.Certificates = []tls.Certificate{pair.TLS()}
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: config}, Timeout: 30 * time.Second}
}

// Status returns the status of a GET request for url, with token as bearer token unless it is "".
func Status(t testing.TB, c *http.Client, url, token string) int {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	return response.StatusCode
}
