package docs

import (
	"encoding/json"
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

// findings runs doctor --json against g and returns its findings.
func (p *setup) findings(t *testing.T, g *harness.Gate, code int, args ...string) []map[string]string {
	t.Helper()
	q := *p
	q.environ = append(append([]string(nil), p.environ...), "LISTEN_ADDRESS="+g.Address, "ADMIN_ADDRESS="+g.Admin)
	var report struct {
		OK       bool
		Findings []map[string]string
	}
	if err := json.Unmarshal([]byte(q.gate(t, code, append([]string{"doctor", "--json"}, args...)...)),
		&report); err != nil {
		t.Fatal(err)
	}
	if report.OK != (code == 0) {
		t.Errorf("ok is %v and the exit code %d", report.OK, code)
	}
	return report.Findings
}

// want fails the test unless a finding has the level and contains the text.
func want(t *testing.T, findings []map[string]string, level, text string) {
	t.Helper()
	for _, f := range findings {
		if f["level"] == level && strings.Contains(f["what"]+": "+f["advice"], text) {
			return
		}
	}
	t.Errorf("no %s %q in %v", level, text, findings)
}

func TestDoctorOfAHealthyGate(t *testing.T) {
	runner := harness.StartRunner(t, harness.Replay(t))
	p := newSetup(t, runner.Address)
	p.Issue(t, "server",
		testca.Options{DNSNames: []string{"localhost"}, IPs: []string{"127.0.0.1"},
			NotAfter: time.Now().Add(90 * 24 * time.Hour)})
	gate := harness.StartGate(t, p.environ...)
	certificate := []string{"--ca", p.File("ca.pem"), "--cert", p.File("prometheus.pem"), "--key",
		p.File("prometheus-key.pem")}
	for name, credentials := range map[string][]string{"certificate": certificate,
		"token": {"--ca", p.File("ca.pem"), "--token-file", p.File("token")}} {
		found := p.findings(t, gate, 0, credentials...)
		want(t, found, "ok", "version 19.3.0")
		want(t, found, "ok", "200 with these credentials")
		want(t, found, "ok", "78 samples of the runner already have runner_name")
		want(t, found, "ok", "admin listener")
		if t.Failed() {
			t.Fatal(name)
		}
	}
}

// doctor finds a runner that listens on all addresses: by its listener, by its process
// and, if the machine has another address, by a connection to it.
func TestDoctorOfAnExposedRunner(t *testing.T) {
	ln, err := net.Listen("tcp4", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	harness.StartRunnerOn(t, ln, harness.Replay(t))
	p := newSetup(t, "127.0.0.1:"+port)
	gate := harness.StartGate(t, p.environ...)
	found := p.findings(t, gate, 1)
	want(t, found, "fail", "listener: 0.0.0.0:"+port)
	want(t, found, "fail", "docs.test, process")
	want(t, found, "fail", `listen_address = "127.0.0.1:`+port+`"`)
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && !n.IP.IsLoopback() {
			want(t, found, "fail",
				"the runner answers on "+net.JoinHostPort(n.IP.String(),
					port)+" without any credential, so the gate is bypassed")
		}
	}
}

func TestDoctorOfWrongCredentials(t *testing.T) {
	runner := harness.StartRunner(t, harness.Replay(t))
	p, foreign := newSetup(t, runner.Address), newSetup(t, runner.Address)
	gate := harness.StartGate(t, p.environ...)
	want(t, p.findings(t, gate, 1, "--ca", p.File("ca.pem"), "--token-file", foreign.File("token")), "fail",
		"401, the gate does not know these credentials")
	want(t, p.findings(t, gate, 1, "--ca", foreign.File("ca.pem"), "--token-file", p.File("token")), "fail",
		"another CA than --ca")
	want(t,
		p.findings(t, gate, 1, "--ca", p.File("ca.pem"), "--cert", foreign.File("prometheus.pem"), "--key",
			foreign.File("prometheus-key.pem")), "fail", "https://")
	runner.Close()
	want(t, p.findings(t, gate, 1, "--ca", p.File("ca.pem"), "--token-file", p.File("token")), "fail",
		"nothing listens there")
}

// doctor prints the runner's version and the scrape interval that the gate observes.
func TestDoctorSeesTheInterval(t *testing.T) {
	runner := harness.StartRunner(t, harness.Replay(t))
	p := newSetup(t, runner.Address)
	gate := harness.StartGate(t, p.environ...)
	for range 3 {
		out, err := exec.Command("curl", "--silent", "--show-error", "--fail", "--output", "/dev/null", "--cacert",
			p.File("ca.pem"), "--cert", p.File("prometheus.pem"),
			"--key", p.File("prometheus-key.pem"), "https://"+gate.Address+"/metrics").CombinedOutput()
		if err != nil {
			t.Fatalf("%v %s", err, out)
		}
	}
	want(t, p.findings(t, gate, 0), "ok", "a scrape every ")
}
