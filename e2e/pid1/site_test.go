package pid1

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

// packages are the Debian packages of this checkout in two versions, the later one second.
var packages = sync.OnceValues(func() ([2]string, error) {
	var files [2]string
	for i, version := range []string{"1.2.3", "1.2.4"} {
		content, err := release(version)
		if err != nil {
			return files, err
		}
		files[i] = content
	}
	return files, nil
})

// release builds a package of this checkout and returns its content.
func release(version string) (string, error) {
	dir, err := os.MkdirTemp("", "metrics-gate-pid1-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	cmd := exec.Command(filepath.Join(harness.Root(), ".ci", "release"), dir)
	cmd.Env = append(os.Environ(), "VERSION="+version, "TARGETS=linux/"+runtime.GOARCH, "IMAGE=no")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf(".ci/release: %w\n%s", err, out)
	}
	found, err := filepath.Glob(filepath.Join(dir, "*.deb"))
	if err != nil || len(found) != 1 {
		return "", fmt.Errorf("%d packages: %w", len(found), err)
	}
	content, err := os.ReadFile(found[0])
	return string(content), err
}

// site is a machine with a runner and the files that docs/systemd.md begins with, and a second
// host that scrapes it: a network namespace in the machine, joined to it by 192.0.2.0/24.
type site struct {
	*machine
	pki  *harness.PKI
	pair *testca.Pair // of Prometheus
}

// runnerUnit is what `gitlab-runner install` writes, as far as it matters here.
const runnerUnit = `[Unit]
Description=GitLab Runner
After=network.target

[Service]
Environment=` + role + `=runner
EnvironmentFile=-/etc/sysconfig/gitlab-runner
ExecStart=/share/stand-in
Restart=always
RestartSec=120

[Install]
WantedBy=multi-user.target
`

func newSite(t *testing.T) *site {
	t.Helper()
	debs, err := packages()
	if err != nil {
		t.Fatal(err)
	}
	year := time.Now().AddDate(1, 0, 0) // doctor warns of certificates that expire soon
	ca, err := testca.NewCA(testca.Options{CommonName: "e2e", NotAfter: year})
	if err != nil {
		t.Fatal(err)
	}
	s := &site{machine: boot(t), pki: &harness.PKI{Dir: t.TempDir(), CA: ca}}
	s.pki.Write(t, "ca.pem", ca.CertPEM())
	s.pki.Issue(t, "server", testca.Options{
		DNSNames: []string{"localhost"}, IPs: []string{"192.0.2.1"}, NotAfter: year,
	})
	s.pair = s.pki.Issue(t, "prometheus", testca.Options{DNSNames: []string{"prometheus.example.com"}, NotAfter: year})
	files := map[string]string{"server.pem": "server.pem", "server-key.pem": "server-key.pem", "ca.pem": "clients.pem"}
	for from, to := range files {
		content, err := os.ReadFile(s.pki.File(from))
		if err != nil {
			t.Fatal(err)
		}
		s.write(t, to, string(content), 0o600)
	}
	s.write(t, "metrics-gate_1.2.3_"+runtime.GOARCH+".deb", debs[0], 0o644)
	s.write(t, "next.deb", debs[1], 0o644)
	s.write(t, "gitlab-runner.service", runnerUnit, 0o644)
	s.run(t, `
		cp gitlab-runner.service /etc/systemd/system/
		systemctl enable --now gitlab-runner
		ip netns add scraper
		ip link add gate0 type veth peer name eth0 netns scraper
		ip addr add 192.0.2.1/24 dev gate0
		ip link set gate0 up
		ip -n scraper addr add 192.0.2.2/24 dev eth0
		ip -n scraper link set eth0 up`)
	return s
}

// prometheus is a scraper on the second host that keeps its connection.
func (s *site) prometheus() scraper {
	return scraper{client: s.client(s.pair, false), port: "9253", runner: "build-01"}
}
