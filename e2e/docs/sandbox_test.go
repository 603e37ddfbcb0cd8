package docs

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/auth"
	"github.com/metrics-gate/metrics-gate/e2e/harness"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

// newSandbox starts a machine with what the reader of a page has: a runner on its port,
// certificates and a token at the documented paths, metrics-gate in the PATH, and a checkout.
// http://ca.example.com serves the reader's folder.
func newSandbox(t *testing.T) *machine {
	t.Helper()
	harness.Binary(t)
	home := t.TempDir()
	writeReadersFiles(t, home)
	m := startMachine(t, home)
	harness.StartRunnerOn(t, m.listen(t, "127.0.0.1:9252"), withProfiles(harness.Replay(t)))
	harness.StartRunnerOn(t, m.listen(t, "127.0.0.1:80"), http.FileServer(http.Dir(filepath.Join(home, "reader"))))
	return m
}

// writeReadersFiles creates the files of the sandbox.
func writeReadersFiles(t *testing.T, home string) {
	t.Helper()
	for _, folder := range []string{"bin", "gate", "scraper", "reader"} {
		if err := os.MkdirAll(filepath.Join(home, folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	ca := testca.Must(testca.NewCA(testca.Options{CommonName: "documents"}))
	month := time.Now().Add(30 * 24 * time.Hour)
	write := func(name string, content []byte, mode os.FileMode) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(home, name), content, mode); err != nil {
			t.Fatal(err)
		}
	}
	issue := func(folder string, o testca.Options) {
		t.Helper()
		pair := testca.Must(ca.Issue(o))
		if err := pair.WriteFiles(filepath.Join(home, folder, "tls.crt"),
			filepath.Join(home, folder, "tls.key")); err != nil {
			t.Fatal(err)
		}
	}
	issue("gate", testca.Options{
		DNSNames: []string{"localhost", "build-01.example.com", "build-02.example.com", "metrics-gate.internal"},
		IPs:      []string{"127.0.0.1"}, NotAfter: month,
	})
	issue("scraper",
		testca.Options{CommonName: "prometheus", DNSNames: []string{"prometheus.example.com"}, NotAfter: month})
	for _, name := range []string{"scraper/ca.crt", "gate/client-ca.crt", "gate/api-ca.crt"} {
		write(name, ca.CertPEM(), 0o600)
	}
	write("gate/client-ca.crl", testca.CRLPEM(testca.Must(ca.CRL(testca.CRLOptions{NextUpdate: month}))), 0o600)
	write("gate/api-token", []byte("api-token"), 0o600)
	secret, line, err := auth.NewToken("prometheus")
	if err != nil {
		t.Fatal(err)
	}
	write("scraper/token", []byte(secret), 0o600)
	write("gate/tokens", []byte(line+"\n"), 0o600)
	for name, script := range standIns() {
		write("bin/"+name, []byte("#!/bin/bash\n"+script), 0o700)
	}
	for _, name := range []string{"server.pem", "server-key.pem", "clients.pem", "your-values.yaml",
		"metrics-gate.deb"} {
		write("reader/"+name, []byte("# "+name+"\n"), 0o600)
	}
	for link, target := range map[string]string{
		"bin/metrics-gate": "bin/metrics-gate-e2e", "reader/deploy": "deploy", "reader/Dockerfile": "Dockerfile",
	} {
		if err := os.Symlink(filepath.Join("/srv/metrics-gate", target), filepath.Join(home, link)); err != nil {
			t.Fatal(err)
		}
	}
}
