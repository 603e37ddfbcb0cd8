package windows_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

// site is the settings of one gate, its files and its runner. The files belong to this
// machine; Windows finds them on drive Z.
type site struct {
	pki            *harness.PKI
	runner         *harness.Runner
	prometheus     *testca.Pair
	address, admin string
	token          string
	environ        []string
}

func newSite(t *testing.T, w *wine) *site {
	t.Helper()
	s := &site{pki: harness.NewPKI(t), address: harness.FreeAddress(t), admin: harness.FreeAddress(t)}
	s.prometheus = s.pki.Issue(t, "client", testca.Options{DNSNames: []string{"prometheus.example.com"}})
	s.runner = harness.StartRunner(t, harness.Replay(t))
	s.newToken(t, w)
	for _, setting := range []string{
		"LISTEN_ADDRESS=" + s.address, "ADMIN_ADDRESS=" + s.admin, "UPSTREAM_URL=" + s.runner.Address,
		"TLS_CERT_FILE=" + windowsPath(s.pki.File("server.pem")),
		"TLS_KEY_FILE=" + windowsPath(s.pki.File("server-key.pem")),
		"TLS_CLIENT_CA_FILE=" + windowsPath(s.pki.File("ca.pem")),
		"TOKENS_FILE=" + windowsPath(s.pki.File("tokens")),
		"METRICS_ALLOW=dns:prometheus.example.com,token:prometheus",
		"RUNNER_NAME=build-01",
	} {
		s.environ = append(s.environ, "METRICS_GATE_"+setting)
	}
	return s
}

// newToken has the program make a token, and makes it the only one of the tokens file.
func (s *site) newToken(t *testing.T, w *wine) {
	t.Helper()
	said := w.run(t, w.exe, "token", "prometheus")
	// A comment, the token, a comment, the line of the file.
	lines := strings.Split(said.stdout, "\n")
	if said.code != 0 || len(lines) < 4 {
		t.Fatalf("token: %+v", said)
	}
	s.token = lines[1]
	s.pki.Write(t, "tokens", []byte(lines[3]+"\n"))
}

// envFile writes the settings, with those in more instead of or besides its own.
func (s *site) envFile(t *testing.T, more ...string) string {
	t.Helper()
	path := filepath.Join(s.pki.Dir, "gate.env")
	text := "# settings of the gate\r\n" + strings.Join(append(s.environ, more...), "\r\n") + "\r\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return windowsPath(path)
}

// status is what /metrics answers to a token and a certificate; either may be missing.
func (s *site) status(t *testing.T, pair *testca.Pair, token string) int {
	t.Helper()
	client := s.pki.Client(pair)
	defer client.CloseIdleConnections()
	return harness.Status(t, client, fmt.Sprintf("https://%s/metrics", s.address), token)
}
