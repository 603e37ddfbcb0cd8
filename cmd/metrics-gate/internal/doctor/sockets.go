package doctor

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
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
