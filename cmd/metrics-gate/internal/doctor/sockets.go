package doctor

import (
	"context"
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/proxy/sockerr"
	"github.com/metrics-gate/metrics-gate/tlsconf/safefile"
)

// socket is a TCP listener as /proc shows it.
type socket struct {
	address netip.AddrPort
	uid     string
	inode   string
}

// listeningState is TCP_LISTEN in /proc/net/tcp.
const listeningState = "0A"

// parseSockets reads the listeners of /proc/net/tcp or tcp6.
func parseSockets(text string) []socket {
	var list []socket
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 10 || f[3] != listeningState {
			continue
		}
		if address, ok := parseProcAddress(f[1]); ok {
			list = append(list, socket{address, f[7], f[9]})
		}
	}
	return list
}

// parseProcAddress reads "0100007F:2424": the address in words of 4 bytes, each in the
// order of the machine (little-endian wherever the gate is built for), and the port.
func parseProcAddress(s string) (netip.AddrPort, bool) {
	host, portText, ok := strings.Cut(s, ":")
	raw, err := hex.DecodeString(host)
	port, portErr := strconv.ParseUint(portText, 16, 16)
	if !ok || err != nil || portErr != nil || len(raw)%4 != 0 {
		return netip.AddrPort{}, false
	}
	for word := range slices.Chunk(raw, 4) {
		slices.Reverse(word)
	}
	address, ok := netip.AddrFromSlice(raw)
	return netip.AddrPortFrom(address.Unmap(), uint16(port)), ok
}

// owner names the process that holds a socket, if this user may see it.
func (h *host) owner(s socket) (name, pid string) {
	descriptors, _ := filepath.Glob(filepath.Join(h.proc, "[0-9]*", "fd", "*"))
	for _, fd := range descriptors {
		if target, err := os.Readlink(fd); err == nil && target == "socket:["+s.inode+"]" {
			dir := filepath.Dir(filepath.Dir(fd))
			comm, _ := os.ReadFile(filepath.Join(dir, "comm")) //permit:os.ReadFile of /proc
			return strings.TrimSpace(string(comm)), filepath.Base(dir)
		}
	}
	return "", ""
}

// held says who holds a socket, as far as this user may see.
func (h *host) held(s socket) string {
	if name, pid := h.owner(s); pid != "" {
		return fmt.Sprintf("%s, process %s, uid %s", name, pid, s.uid)
	}
	return "uid " + s.uid
}

// listeners are the sockets that listen on port, of both families.
func (h *host) listeners(port string) []socket {
	var list []socket
	for _, name := range []string{"tcp", "tcp6"} {
		text, err := os.ReadFile(filepath.Join(h.proc, "net", name)) //permit:os.ReadFile of /proc
		if err != nil {
			continue
		}
		for _, s := range parseSockets(string(text)) {
			if strconv.Itoa(int(s.address.Port())) == port {
				list = append(list, s)
			}
		}
	}
	return list
}

// sockets says who listens on the runner's port, and where.
func (d *doctor) sockets() []cli.Finding {
	upstream, err := netip.ParseAddrPort(d.upstream())
	if err != nil || !upstream.Addr().IsLoopback() {
		return nil
	}
	var found []cli.Finding
	for _, s := range d.host.listeners(d.runnerPort()) {
		held := d.host.held(s)
		bind := `bind it to loopback: listen_address = "127.0.0.1:` + d.runnerPort() + `"`
		switch address := s.address.Addr(); {
		case address == upstream.Addr():
			found = append(found, cli.OK("listener: %s is held by %s", s.address, held))
		case address.IsUnspecified():
			found = append(found, cli.Fail(bind, "listener: %s (%s) takes connections on every address", s.address,
				held))
		case address.IsLoopback():
			found = append(found, cli.Warn("see what it is; the gate asks "+upstream.String()+" alone",
				"listener: %s (%s) has the runner's port on another loopback address", s.address, held))
		default:
			found = append(found, cli.Fail(bind, "listener: %s (%s) is reachable from outside", s.address, held))
		}
	}
	return found
}

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
	if sockerr.KindOf(err) == sockerr.Refused {
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
	do := "run doctor as root, with --unit or --pid or no settings of its own"
	switch {
	case d.settings.RootOnly:
		do = "start the gate: until then only root can read its credentials, and the rule refuses root"
	case d.host.uid == 0:
		do = "name the gate with --unit or --pid: doctor becomes its user"
	}
	return cli.Finding{
		Level: cli.LevelOK,
		What:  "runner " + address + ": the firewall refuses this user: only the gate's user is let in",
		Do:    "to ask the runner, " + do,
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
