package check

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/expiry"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

// The text has everything that the JSON has.
func TestCheckText(t *testing.T) {
	var out bytes.Buffer
	r := &checkReport{
		OK: true, Configuration: []config.Setting{{Name: config.Prefix + "A", Value: "a\x1b", Default: false},
			{Name: config.Prefix + "LONGER", Value: "b", Default: true}},
		Authentication: []string{"certificate", "token"},
		Authorization: []config.RouteRights{{Routes: "/metrics", Variable: "V", Allow: []string{"dns:a", "token:b"}},
			{Routes: "/debug/pprof/", Variable: "W", Allow: nil}},
		Expiry: []expiry.Entry{{Role: "server", Subject: "CN=a\n",
			NotAfter: time.Date(2027, 1, 2, 3, 4, 5, 0, time.UTC), Days: 1},
			{Role: "crl", Subject: "CN=b", NotAfter: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Days: -1},
			{Role: "client_ca", Subject: "CN=c", NotAfter: time.Date(2028, 1, 2, 3, 4, 5, 0, time.UTC), Days: 100}},
		Warnings: []cli.Finding{cli.Warn("fix it", "something")},
	}
	if err := r.print(&out); err != nil {
		t.Fatal(err)
	}
	const want = `A       a 
LONGER  b  (default)

authentication  certificate, token
/metrics        dns:a
                token:b
/debug/pprof/   nobody

server     until 2027-01-02T03:04:05Z  1 day     CN=a 
crl        until 2026-01-02T03:04:05Z  expired   CN=b
client_ca  until 2028-01-02T03:04:05Z  100 days  CN=c

warn  something: fix it
configuration: loads, but has expired: crl CN=b
`
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

// The decision is the first and the last that one sees.
func TestCheckEndsWithTheDecision(t *testing.T) {
	var out bytes.Buffer
	r := &checkReport{OK: true, Decision: &decisionReport{As: []string{"dns:a"}, Path: "/metrics", Status: 403,
		Why: "no pattern"}}
	if err := r.print(&out); err != nil {
		t.Fatal(err)
	}
	const line = "GET /metrics as dns:a: 403 Forbidden\n"
	if got := out.String(); !strings.HasPrefix(got, line) ||
		!strings.HasSuffix(got, "\nconfiguration: ok\ndecision: "+line) {
		t.Error(got)
	}
}

// Revocation lists are among what ends.
func TestCheckShowsRevocationLists(t *testing.T) {
	dir := t.TempDir()
	ca := testca.Must(testca.NewCA(testca.Options{CommonName: "listed"}))
	list := testca.Must(ca.CRL(testca.CRLOptions{NextUpdate: time.Now().Add(10 * time.Hour)}))
	for name, content := range map[string][]byte{"ca.pem": ca.CertPEM(), "list.pem": testca.CRLPEM(list)} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	code, stdout, stderr := checked(t, []string{config.Prefix + "TLS_CLIENT_CA_FILE=" + filepath.Join(dir, "ca.pem"),
		config.Prefix + "TLS_CLIENT_CRL_FILE=" + filepath.Join(dir, "list.pem")})
	if code != 0 || !strings.Contains(stdout, "\ncrl ") || !strings.Contains(stdout, "warn  crl CN=listed expires on") {
		t.Errorf("%d\n%s%s", code, stdout, stderr)
	}
}
