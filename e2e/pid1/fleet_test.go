package pid1

import (
	"strings"
	"testing"
)

// localHost makes a playbook run in this machine, as the first of the fleet's hosts.
const localHost = `ansible-playbook() {
	command ansible-playbook --connection local --limit build-01.example.com "$@"
}
`

// oneHost makes the loop over SSH run once, in this machine.
const oneHost = `seq() { echo 01; }
scp() { cp "${@:1:$#-1}" /root/; }
ssh() { shift; "$@" && echo installed; }
`

// readAsPrometheus prints a line of the runner, read with the fleet's certificate of Prometheus.
const readAsPrometheus = `curl -sS --cacert fleet/ca.crt --cert fleet/prometheus.crt --key fleet/prometheus.key \
	--connect-to ::localhost: https://metrics-gate.internal:9253/metrics | grep '{.*runner_name="build-01"'
`

// fleetFiles is a site with the package and the fleet's files, as docs/fleet.md begins.
func fleetFiles(t *testing.T) *site {
	t.Helper()
	s := newSite(t)
	s.run(t, "mv metrics-gate_*.deb metrics-gate.deb")
	s.run(t, sectionBlocks(t, "fleet.md", "One CA for the fleet")[0])
	return s
}

// The playbook of docs/fleet.md ends in a gate that serves the runner, and in a doctor that finds
// no failure. A second run changes nothing. Bad settings are named, and the old gate serves on.
func TestPlaybook(t *testing.T) {
	t.Parallel()
	s := fleetFiles(t)
	playbook := localHost + sectionBlocks(t, "fleet.md", "Install with Ansible")[0]
	s.run(t, playbook)
	s.run(t, readAsPrometheus)
	if out := s.run(t, playbook); !strings.Contains(out, "changed=0 ") {
		t.Errorf("a second run changes something:\n%s", out)
	}
	before := s.mainPID(t)
	s.run(t, `sed -i s/METRICS_ALLOW/METRICS_ALOW/ fleet/build-01.env
		cp fleet/build-02.key fleet/build-01.key
		cp fleet/build-02.crt fleet/build-01.crt`)
	out, err := s.try(playbook + " --diff")
	if err == nil || !strings.Contains(out, "METRICS_GATE_METRICS_ALOW") {
		t.Errorf("bad settings: %v\n%s", err, out)
	}
	if strings.Contains(out, "PRIVATE KEY") {
		t.Error("--diff prints a key")
	}
	s.run(t, readAsPrometheus)
	if after := s.mainPID(t); after != before {
		t.Errorf("process %s became %s", before, after)
	}
}

// The loop of docs/fleet.md ends in a gate that serves the runner, also when it runs again. The
// second run restarts no runner, and changes no other file.
func TestLoop(t *testing.T) {
	t.Parallel()
	s := fleetFiles(t)
	loop := oneHost + sectionBlocks(t, "fleet.md", "Install with a loop")[0]
	s.run(t, loop)
	s.run(t, readAsPrometheus)
	const runner = "systemctl show --property MainPID gitlab-runner\n"
	before := s.run(t, runner+"install -m 0755 /dev/null /etc/metrics-gate/renew")
	if out := s.run(t, loop); !strings.HasSuffix(out, "installed\n") {
		t.Errorf("a second run fails:\n%s", out)
	}
	s.run(t, readAsPrometheus+"test -x /etc/metrics-gate/renew")
	if after := s.run(t, runner); after != before {
		t.Errorf("the runner's %s became %s", before, after)
	}
}
