package server_test

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/gatetest"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

// manyCAs are 600 CAs in PEM. A certificate request holds 64 KiB (RFC 8446 section 4.2.4);
// their names are longer.
func manyCAs() []byte {
	var all []byte
	for i := range 600 {
		name := fmt.Sprintf("%0120d", i)
		all = append(all, testca.Must(testca.NewCA(testca.Options{CommonName: name})).CertPEM()...)
	}
	return all
}

// A client passes where the names of the client CAs do not fit into the certificate request:
// after a start with them, and after a reload.
func TestClientOfOneOfManyCAs(t *testing.T) {
	f := gatetest.Start(t, gatetest.Exposes("up 1\n"))
	bundle := filepath.Join(f.Dir, "ca.pem")
	own, err := os.ReadFile(bundle)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(bundle, slices.Concat(own, manyCAs()), 0o600); err != nil {
		t.Fatal(err)
	}
	f.Signals <- syscall.SIGHUP
	f.WaitFor(t, 0, "msg=reloaded what=tls")
	for range 3 {
		if response, body := f.Ask(t, f.Client(t, true), "GET", "/metrics"); response.StatusCode != 200 {
			t.Errorf("after the reload: %d %s", response.StatusCode, body)
		}
	}

	started := gatetest.Start(t, gatetest.Exposes("up 1\n"), config.Prefix+"TLS_CLIENT_CA_FILE="+bundle,
		config.Prefix+"TOKENS_FILE="+filepath.Join(f.Dir, "tokens"))
	pair, err := tls.LoadX509KeyPair(filepath.Join(f.Dir, "client.pem"), filepath.Join(f.Dir, "client-key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	c := started.Client(t, false)
	c.Transport.(*http.Transport).TLSClientConfig.Certificates = []tls.Certificate{pair}
	for range 3 { // the third is one that repeats
		if response, body := started.Ask(t, c, "GET", "/metrics"); response.StatusCode != 200 {
			t.Errorf("after the start: %d %s", response.StatusCode, body)
		}
	}
}

// The refusal of a certificate on an open connection says what to change.
func TestRefusedCertificateTeaches(t *testing.T) {
	f := gatetest.Start(t, gatetest.Exposes("up 1\n"))
	c := f.Client(t, true)
	f.Ask(t, c, "GET", "/metrics")
	other := testca.Must(testca.NewCA(testca.Options{CommonName: "other"})).CertPEM()
	if err := os.WriteFile(filepath.Join(f.Dir, "ca.pem"), other, 0o600); err != nil {
		t.Fatal(err)
	}
	f.Signals <- syscall.SIGHUP
	before := len(f.WaitFor(t, 0, "msg=reloaded what=tls"))
	if response, _ := f.Ask(t, c, "GET", "/metrics"); response.StatusCode != 401 {
		t.Fatalf("%d, want 401", response.StatusCode)
	}
	said := f.WaitFor(t, before, "authentication refused")
	for _, want := range []string{"reason=unknown", "subject=dns:prometheus.demo", "serial=", `advice="add the CA`} {
		if !strings.Contains(said, want) {
			t.Errorf("no %q in\n%s", want, said)
		}
	}
}

// A client that refuses an expired certificate is not told to change its CA file.
func TestExpiredCertificateTeaches(t *testing.T) {
	ca := testca.Must(testca.NewCA(testca.Options{CommonName: "server CA"}))
	old := testca.Must(ca.Issue(testca.Options{CommonName: "gate", DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(-time.Hour)}))
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "gate.pem"), filepath.Join(dir, "gate-key.pem")
	for path, content := range map[string][]byte{cert: old.CertPEM(), key: testca.Must(old.KeyPEM())} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f := gatetest.Start(t, gatetest.Exposes("up 1\n"), config.Prefix+"TLS_CERT_FILE="+cert,
		config.Prefix+"TLS_KEY_FILE="+key)
	shake(t, f, func(c *tls.Config) { c.RootCAs = ca.Pool() })
	said := f.WaitFor(t, 0, "handshake failed")
	if !strings.Contains(said, `advice="the gate's own certificate is expired: renew METRICS_GATE_TLS_CERT_FILE`) {
		t.Error(said)
	}
}

// A certificate with a few days left is told of as soon as it is loaded.
func TestLoadedCertificateExpiresSoon(t *testing.T) {
	f := gatetest.Start(t, gatetest.Exposes("up 1\n"))
	ca := testca.Must(testca.NewCA(testca.Options{CommonName: "server CA"}))
	pair := testca.Must(ca.Issue(testca.Options{CommonName: "five days", DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(5 * 24 * time.Hour)}))
	replace(t, f, "server.pem", string(pair.CertPEM()))
	replace(t, f, "server-key.pem", string(testca.Must(pair.KeyPEM())))
	f.Signals <- syscall.SIGHUP
	said := f.WaitFor(t, 0, "expires soon")
	if !strings.Contains(said, `subject="CN=five days`) {
		t.Error(said)
	}
}
