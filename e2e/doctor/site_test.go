package doctor

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/auth"
	"github.com/metrics-gate/metrics-gate/e2e/harness"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

// site is a gate on a loopback address of its own, its runner, and the two jobs of a
// Prometheus that scrape it. A fault changes it before anything starts.
type site struct {
	*harness.PKI
	name     string
	host     string // of the gate
	port     string
	environ  []string // of the gate, without the prefix
	runner   http.Handler
	upstream string // host:port of the runner

	// The jobs.
	scheme string
	tls    []string // fields of tls_config
	fields []string // more fields of both jobs
	target string   // host:port
	paths  []string // a job each
	more   string   // further jobs

	stopped bool // the gate does not run
}

// newSite returns a site without a fault. number makes its address unique.
func newSite(t *testing.T, name string, number int) *site {
	t.Helper()
	s := &site{PKI: harness.NewPKI(t), name: name, host: fmt.Sprintf("127.0.%d.1", number), runner: harness.Replay(t),
		scheme: "https", paths: []string{"/metrics", "/gate/metrics"}}
	_, s.port, _ = net.SplitHostPort(harness.FreeAddress(t))
	s.target = net.JoinHostPort(s.host, s.port)
	s.Issue(t, "server", testca.Options{DNSNames: []string{"gate.example"}, IPs: []string{s.host}})
	s.Issue(t, "prometheus", testca.Options{DNSNames: []string{"prometheus.example"}})
	s.tls = []string{"ca_file: " + s.File("ca.pem"), "cert_file: " + s.File("prometheus.pem"),
		"key_file: " + s.File("prometheus-key.pem")}
	s.environ = append(s.Environ(true), "RUNNER_NAME="+name, "LISTEN_ADDRESS="+s.target, "UPSTREAM_TIMEOUT=3s",
		"METRICS_ALLOW=dns:prometheus.example", "MAX_CONNECTIONS=64")
	return s
}

// bearer replaces the client certificate by a static token.
func (s *site) bearer(t *testing.T) {
	t.Helper()
	secret, line, err := auth.NewToken("prometheus")
	if err != nil {
		t.Fatal(err)
	}
	s.Write(t, "token", []byte(secret))
	s.Write(t, "tokens", []byte(line+"\n"))
	s.environ = append(s.Environ(false), "RUNNER_NAME="+s.name, "LISTEN_ADDRESS="+s.target, "UPSTREAM_TIMEOUT=3s",
		"TOKENS_FILE="+s.File("tokens"), "METRICS_ALLOW=token:prometheus")
	s.tls = s.tls[:1]
	s.fields = append(s.fields, "authorization: {credentials_file: "+s.File("token")+"}")
}

// start runs the runner and the gate.
func (s *site) start(t *testing.T) {
	t.Helper()
	if s.upstream == "" {
		s.upstream = harness.StartRunner(t, s.runner).Address
	}
	s.environ = append(s.environ, "UPSTREAM_URL="+s.upstream)
	if s.stopped {
		s.environ = append(s.environ, "ADMIN_ADDRESS=off")
		return
	}
	gate := harness.LaunchGate(t, s.environ...)
	s.environ = append(s.environ, "ADMIN_ADDRESS="+gate.Admin)
}

// jobs returns the scrape configurations of the site.
func (s *site) jobs() string {
	var b strings.Builder
	for i, path := range s.paths {
		fmt.Fprintf(&b, "- job_name: %s-%d\n  scheme: %s\n  metrics_path: %s\n", s.name, i, s.scheme, path)
		if s.scheme == "https" {
			fmt.Fprintf(&b, "  tls_config: {%s}\n", strings.Join(s.tls, ", "))
		}
		for _, field := range s.fields {
			fmt.Fprintf(&b, "  %s\n", field)
		}
		if !strings.Contains(strings.Join(s.fields, "\n"), "static_configs") {
			fmt.Fprintf(&b, "  static_configs: [{targets: ['%s']}]\n", s.target)
		}
	}
	return b.String() + s.more
}

// globals begin every configuration of the tests.
const globals = "global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 5s}\n"

// loadRules is the configuration that loads the project's alerts.
func loadRules(t *testing.T) string {
	t.Helper()
	path := filepath.Join(harness.Root(), "deploy", "monitoring", "rules.yaml")
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err)
	}
	return "rule_files: [" + path + "]\n"
}
