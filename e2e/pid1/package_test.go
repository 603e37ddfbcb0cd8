package pid1

import (
	"strings"
	"testing"
)

// A package that has its certificates, and in which nobody has named an identity, refuses to
// start and says what is missing.
func TestFreshPackageLetsNobodyIn(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.run(t, `
		dpkg -i metrics-gate_*.deb
		install -m 0644 server.pem /etc/metrics-gate/tls.crt
		install -m 0640 -g metrics-gate server-key.pem /etc/metrics-gate/tls.key
		install -m 0644 clients.pem /etc/metrics-gate/client-ca.crt`)
	if out, err := s.try("systemctl start metrics-gate"); err == nil {
		t.Errorf("the gate starts: %s", out)
	}
	const want = "METRICS_GATE_METRICS_ALLOW: not set: nobody may read /metrics"
	if journal := s.run(t, "journalctl --sync; journalctl -q -u metrics-gate"); !strings.Contains(journal, want) {
		t.Errorf("the journal has no %q:\n%s", want, journal)
	}
}

// Purge removes the links that enabled the units and their instances, and no key. A package that
// is installed again works with the settings that are written again.
func TestPurgeAndReinstall(t *testing.T) {
	t.Parallel()
	s := installed(t)
	s.startSecondRunner(t)
	s.section(t, "Several runners on a host")
	out := s.run(t, "dpkg --purge metrics-gate 2>&1")
	if !strings.Contains(out, "/etc/metrics-gate/tls.key") {
		t.Errorf("purge does not say that the key stays: %s", out)
	}
	left := s.run(
		t,
		"find /etc/systemd /usr/lib /usr/share -name '*metrics-gate*' ! -path '*/gitlab-runner.service.d/*'",
	)
	if left != "" {
		t.Errorf("left behind:\n%s", left)
	}
	if running := s.run(t, "systemctl list-units --plain --no-legend 'metrics-gate*'"); running != "" {
		t.Errorf("still there:\n%s", running)
	}
	if _, err := s.try("nft list table inet metrics_gate"); err == nil {
		t.Error("the firewall's table is left behind")
	}
	s.section(t, "In six steps")
	if err := s.prometheus().scrape(); err != nil {
		t.Errorf("after the second installation: %v", err)
	}
}

// An upgrade to a version that refuses the settings leaves the old process running.
func TestUpgradeWithBadSettings(t *testing.T) {
	t.Parallel()
	s := installed(t)
	before := s.mainPID(t)
	s.run(t, "echo METRICS_GATE_METRICS_ALOW=token:x >> /etc/metrics-gate/metrics-gate.env")
	out := s.run(t, "dpkg -i next.deb 2>&1")
	if !strings.Contains(out, "metrics-gate.service: the new version refuses its settings") {
		t.Errorf("the upgrade says: %s", out)
	}
	if after := s.mainPID(t); after != before {
		t.Errorf("process %s became %s", before, after)
	}
	if err := s.prometheus().scrape(); err != nil {
		t.Error(err)
	}
}
