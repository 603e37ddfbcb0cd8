package pid1

import (
	"strings"
	"testing"
)

// The table is there again after all that takes it away, and a flush by somebody else is logged.
func TestFirewallComesBack(t *testing.T) {
	t.Parallel()
	s := installed(t)
	s.run(t, `cd /etc/systemd/system
		mkdir metrics-gate-firewall.timer.d
		printf '[Timer]\nOnActiveSec=1s\nOnUnitInactiveSec=1s\nAccuracySec=100ms\n' \
			> metrics-gate-firewall.timer.d/soon.conf
		systemctl daemon-reload
		systemctl try-restart metrics-gate-firewall.timer # active by its service
		systemctl start nftables`)
	const back = "timeout 10 sh -c 'until nft list table inet metrics_gate >/dev/null 2>&1; do sleep 0.1; done'"
	for _, script := range []string{
		"systemctl restart nftables", "systemctl reload nftables",
		"systemctl stop nftables", "systemctl start nftables",
		"nft flush ruleset", "systemctl stop metrics-gate-firewall",
	} {
		if out, err := s.try(script + "\n" + back); err != nil {
			t.Errorf("after %q the table is gone: %v\n%s\n%s", script, err, out, s.run(t, "journalctl -q -n 20"))
		}
		const active = "timeout 10 sh -c 'until systemctl is-active metrics-gate-firewall; do sleep 0.1; done'"
		if out, err := s.try(active); err != nil {
			t.Errorf("after %q the unit stays %s", script, out)
		}
	}
	journal := s.run(t, "journalctl --sync; journalctl -q -p warning -u metrics-gate-firewall-restore")
	if !strings.Contains(journal, "somebody flushed it") {
		t.Errorf("nobody is told of the flush: %s", journal)
	}
	s.section(t, "What the firewall does")
	if out, err := s.try("sleep 2; nft list table inet metrics_gate"); err == nil {
		t.Errorf("the table cannot be taken down:\n%s", out)
	}
}
