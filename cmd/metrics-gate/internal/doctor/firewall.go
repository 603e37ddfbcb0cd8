package doctor

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"regexp"
	"syscall"
	"time"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/tlsconf/safefile"
)

// listening tells whether something on this machine listens at the upstream's loopback address.
func (d *doctor) listening() bool {
	upstream, err := netip.ParseAddrPort(d.upstream())
	if err != nil || !upstream.Addr().IsLoopback() {
		return false
	}
	for _, s := range d.host.listeners(d.runnerPort()) {
		if s.address.Addr() == upstream.Addr() || s.address.Addr().IsUnspecified() {
			return true
		}
	}
	return false
}

// firewall looks whether a rule keeps users other than the gate's from the runner's port. Every
// such user can see that one does; only root, which is surely another user, that none does.
func (d *doctor) firewall(ctx context.Context) []cli.Finding {
	if !d.listening() || d.settings.IsUser() {
		return nil
	}
	dialer := net.Dialer{Timeout: time.Second}
	conn, err := dialer.DialContext(ctx, "tcp", d.upstream())
	if errors.Is(err, syscall.ECONNREFUSED) {
		return []cli.Finding{cli.OK("firewall: port %s refuses other users: only the gate's user is let in",
			d.runnerPort())}
	}
	if err != nil {
		return nil // runner says what is wrong
	}
	_ = conn.Close()
	if d.host.uid != 0 {
		return nil
	}
	do := "systemctl enable --now metrics-gate-firewall"
	if port := d.runnerPort(); port != "9252" {
		do += ", with " + port + " in RUNNER_PORTS of /etc/metrics-gate/firewall.env"
	}
	if path := d.localJobs(); path != "" {
		return []cli.Finding{
			cli.Warn(do, "firewall: no rule keeps CI jobs from port %s, and jobs of this host can reach it "+
				"(%s)", d.runnerPort(), path),
		}
	}
	return []cli.Finding{cli.OK("firewall: no rule keeps local users from port %s; no job is known to run as one",
		d.runnerPort())}
}

// keptOut says why nobody answers where something listens.
func (d *doctor) keptOut(address string) cli.Finding {
	if d.settings.IsUser() {
		return cli.Fail("let the rule name the gate's user: nft list table inet metrics_gate",
			"runner %s: the firewall refuses the gate's user, %d", address, os.Geteuid())
	}
	return cli.Finding{
		Level: cli.LevelOK,
		What:  "runner " + address + ": the firewall refuses this user: only the gate's user is let in",
		Do:    "to ask the runner, run doctor as root, with --unit or --pid or no settings of its own",
	}
}

// localJobs returns the runner's configuration by which jobs reach this host's loopback: a shell
// executor, or containers with the host's network. Empty: none is known.
func (d *doctor) localJobs() (path string) {
	local := regexp.MustCompile(`(?m)^\s*(executor\s*=\s*["']shell["']|network_mode\s*=\s*["']host["'])`)
	for _, path := range d.host.toml {
		text, err := safefile.Read(path, safefile.Rule{MaxBytes: 16 << 20, Public: true})
		if err == nil && local.Match(text) {
			return path
		}
	}
	return ""
}
