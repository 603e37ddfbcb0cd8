package deploy

import (
	"regexp"
	"strings"
	"testing"
)

// TestFirewall: on a host with a shell executor, jobs and root are kept from the runner's port
// by the nftables rule, other hosts by loopback, and the gate answers Prometheus.
func TestFirewall(t *testing.T) {
	passwd, uid := sysusers(t)
	host, prometheus := newNetns(t, "host"), newNetns(t, "prom")
	connect(t, &host, &prometheus, 1, "prom")
	s := newSite(t, host, uid)
	const runner, job = "http://127.0.0.1:9252/metrics", 65534

	if got := s.curl(t, host, job, runner); got != "200" {
		t.Errorf("without the rule a job gets %s: this test shows nothing", got)
	}
	load := firewallCommand(t, passwd)
	for range 2 { // the second time it replaces itself
		good(t, "ip", append([]string{"netns", "exec", host.name}, load...)...)
	}
	for user, want := range map[uint32]string{job: "exit 7", 0: "exit 7", uid: "200"} {
		if got := s.curl(t, host, user, runner); got != want {
			t.Errorf("user %d gets %s from the runner, not %s", user, got, want)
		}
	}
	if got := s.scrape(t, prometheus, host.address); got != "200" {
		t.Errorf("Prometheus gets %s from the gate", got)
	}
	if got := prometheus.dial(t, host.address+":9252"); got != "refused" {
		t.Errorf("another host's connection to the runner is %s", got)
	}
	rules := good(t, "ip", "netns", "exec", host.name, tool(t, "nft"), "list", "table", "inet", "metrics_gate")
	if n := strings.Count(rules, "reject"); n != 1 ||
		!regexp.MustCompile(`counter packets [1-9]`).MatchString(rules) {
		t.Errorf("%d rules, or none was hit:\n%s", n, rules)
	}
}

// firewallCommand loads the rule as metrics-gate-firewall.service does: not as root, with one
// capability; the package's user is known to it.
func firewallCommand(t *testing.T, passwd string) []string {
	t.Helper()
	unit := directives(t, "metrics-gate-firewall.service")
	for _, want := range []string{
		"DynamicUser=yes", "AmbientCapabilities=CAP_NET_ADMIN", "Environment=RUNNER_PORTS=9252",
		`ExecStart=/usr/sbin/nft -D "ports={ ${RUNNER_PORTS} }" -f /usr/share/metrics-gate/metrics-gate.nft`,
	} {
		if !strings.Contains("\n"+strings.Join(unit, "\n")+"\n", "\n"+want+"\n") {
			t.Fatalf("the unit lacks %q", want)
		}
	}
	const script = `mount --bind "$1" /etc/passwd
		exec setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all,+net_admin \
			--ambient-caps=-all,+net_admin --bounding-set=-all,+net_admin "$2" -D "ports={ 9252 }" -f "$3"`
	return []string{"sh", "-ec", script, "sh", passwd, tool(t, "nft"), source("deploy/systemd/metrics-gate.nft")}
}
