package pid1

import (
	"strings"
	"testing"
)

// mainPID is the process of the gate.
func (s *site) mainPID(t *testing.T) string {
	t.Helper()
	return strings.TrimSpace(s.run(t, "systemctl show --value --property MainPID metrics-gate"))
}

// Two scrapers lose nothing while the gate restarts, is upgraded, reloads, stands still and is
// killed. Only a scrape that is in flight at the moment of a SIGKILL may be lost: between holds
// the scrapers for that moment.
func TestNoScrapeIsLost(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		between bool
		script  string
		restart bool // a new process serves afterwards
	}{
		{"restart", false, "systemctl restart metrics-gate", true},
		{"upgrade", false, "dpkg -i next.deb && metrics-gate version | grep -F 1.2.4", true},
		{"reload", false, "systemctl reload metrics-gate", false},
		{"SIGSTOP and SIGCONT", false, "pkill -STOP -x metrics-gate; sleep 1; pkill -CONT -x metrics-gate", false},
		{"SIGKILL", true, "systemctl kill --signal=KILL metrics-gate", true},
		{"SIGSTOP until the watchdog acts", true, `pid=$(systemctl show --value --property MainPID metrics-gate)
			kill -STOP $pid
			timeout 20 tail --pid=$pid -f /dev/null`, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := installed(t)
			s.run(t, `mkdir /etc/systemd/system/metrics-gate.service.d
				printf '[Service]\nWatchdogSec=3s\n' > /etc/systemd/system/metrics-gate.service.d/watchdog.conf
				systemctl daemon-reload
				systemctl restart metrics-gate`)
			before := s.mainPID(t)
			running := s.keepScraping(t)
			s.run(t, "sleep 0.5") // some scrapes before
			if test.between {
				running.between.Lock()
			}
			s.run(t, test.script)
			if test.between {
				running.between.Unlock()
			}
			s.run(t, "sleep 1") // and after
			running.stop()
			if after := s.mainPID(t); (after != before) != test.restart {
				t.Errorf("process %s became %s", before, after)
			}
		})
	}
}

// A bad file, or a bad setting, is found by the reload: the old process goes on.
func TestReloadFindsBadFiles(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]string{
		"key":         "echo bad > /etc/metrics-gate/tls.key",
		"certificate": "head -c 300 server.pem > /etc/metrics-gate/tls.crt",
		"setting":     "echo METRICS_GATE_METRICS_ALOW=token:x >> /etc/metrics-gate/metrics-gate.env",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := installed(t)
			before := s.mainPID(t)
			s.run(t, script)
			if out, err := s.try("systemctl reload metrics-gate && systemctl restart metrics-gate"); err == nil {
				t.Errorf("the reload succeeds: %s", out)
			}
			if after := s.mainPID(t); after != before {
				t.Errorf("process %s became %s", before, after)
			}
			if err := s.prometheus().scrape(); err != nil {
				t.Error(err)
			}
			journal := s.run(t, "journalctl --sync; journalctl -q -u metrics-gate")
			if !strings.Contains(journal, "metrics-gate: METRICS_GATE_") {
				t.Errorf("the journal does not say what is bad:\n%s", journal)
			}
		})
	}
}
