package pid1

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// installed is a site whose gate runs as after the first section of the document.
func installed(t *testing.T) *site {
	t.Helper()
	s := newSite(t)
	s.section(t, "In six steps")
	return s
}

// The first section ends in a doctor that finds nothing to say, a gate that lets Prometheus read
// and nobody else, and a runner that only the gate reaches.
func TestSixSteps(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	said := s.section(t, "In six steps")
	green(t, said, "process "+s.mainPID(t)+" of unit metrics-gate.service")
	checked := s.section(t, "Whose settings")
	for _, want := range []string{
		"settings of process " + s.mainPID(t) + " of unit metrics-gate.service\n",
		"settings of unit metrics-gate.service\n",
	} {
		if !strings.Contains(checked, want) {
			t.Errorf("check does not say %q:\n%s", want, checked)
		}
	}
	if config := s.run(t, "cat scrape.yml"); !strings.Contains(config, "targets: [pid1:9253]") {
		t.Errorf("print says %s", config)
	}
	if err := s.prometheus().scrape(); err != nil {
		t.Error(err)
	}
	unauthenticated := scraper{client: s.client(nil, true), port: "9253"}
	if err := unauthenticated.scrape(); err == nil {
		t.Error("a client without a certificate is let in")
	}
	for _, user := range []string{"root", "nobody"} {
		if out, err := s.try("runuser -u " + user + " -- curl -sS http://127.0.0.1:9252/metrics"); err == nil {
			t.Errorf("%s reads from the runner: %s", user, out)
		}
	}
	if limit := s.run(t, "grep core /proc/"+s.mainPID(t)+"/limits"); !strings.Contains(
		limit,
		"0                    0",
	) {
		t.Errorf("core dumps: %s", limit)
	}
}

// A renewed certificate is served without a restart, by the hook that the document writes.
func TestRenewal(t *testing.T) {
	t.Parallel()
	s := installed(t)
	before := s.mainPID(t)
	s.section(t, "Renewed certificates")
	s.run(t, `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 60 -subj /CN=renewed \
			-addext subjectAltName=DNS:localhost -keyout privkey.pem -out fullchain.pem
		RENEWED_LINEAGE=/share /etc/metrics-gate/renew
		openssl s_client -connect localhost:9253 </dev/null 2>&1 | grep 'CN = renewed'`)
	if after := s.mainPID(t); after != before {
		t.Errorf("process %s became %s", before, after)
	}
}

// With the socket stopped too the port is closed; with the service alone the gate comes back.
func TestStop(t *testing.T) {
	t.Parallel()
	s := installed(t)
	s.run(t, "systemctl stop metrics-gate.service")
	if err := s.prometheus().scrape(); err != nil {
		t.Errorf("the socket does not start the gate again: %v", err)
	}
	s.section(t, "To stop it")
	if err := s.prometheus().scrape(); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("the port is not closed: %v", err)
	}
}

// The sections about changes work one after the other.
func TestChanges(t *testing.T) {
	t.Parallel()
	s := installed(t)
	works := func(heading string, c scraper) {
		t.Helper()
		s.section(t, heading)
		if err := c.scrape(); err != nil {
			t.Errorf("%s: %v", heading, err)
		}
	}
	works("After a change", s.prometheus())
	works("The address", s.prometheus())
	s.run(t, "! curl -sS --max-time 2 https://127.0.0.1:9253/metrics 2>&1 | grep -v 'Failed to connect'")

	s.startSecondRunner(t)
	second := s.prometheus()
	second.port, second.runner = "9263", "build-02"
	works("Several runners on a host", second)
	s.run(t, "! runuser -u nobody -- curl -sS http://127.0.0.1:9262/metrics")
	if err := s.prometheus().scrape(); err != nil {
		t.Errorf("the first gate: %v", err)
	}

	works("Keys that only root may read", s.prometheus())
	s.run(t, `mkdir /etc/systemd/system/metrics-gate@.service.d
		cp /etc/systemd/system/metrics-gate{,@}.service.d/credentials.conf
		systemctl daemon-reload
		systemctl restart metrics-gate@9263`)
	if err := second.scrape(); err != nil {
		t.Errorf("the drop-in for instances: %v", err)
	}

	s.section(t, "Tokens instead of certificates")
	token, err := os.ReadFile(filepath.Join(s.share, "prometheus.token"))
	if err != nil {
		t.Fatal(err)
	}
	bearer := scraper{
		client: s.client(nil, false),
		port:   "9253",
		token:  strings.TrimSpace(string(token)),
		runner: "build-01",
	}
	if err := bearer.scrape(); err != nil {
		t.Errorf("with the token: %v", err)
	}
	bearer.token = "mg_wrong"
	if err := bearer.scrape(); !errors.Is(err, errStatus(401)) {
		t.Errorf("with a wrong token: %v", err)
	}
}
