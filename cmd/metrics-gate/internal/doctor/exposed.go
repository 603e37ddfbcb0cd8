package doctor

import (
	"context"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/client"
)

// localAddresses are this machine's addresses but loopback, with their zones.
func localAddresses() []netip.Addr {
	interfaces, err := net.Interfaces()
	if err != nil {
		return nil
	}
	var list []netip.Addr
	for _, i := range interfaces {
		addresses, err := i.Addrs()
		if err != nil {
			continue
		}
		for _, a := range addresses {
			network, isNetwork := a.(*net.IPNet)
			if !isNetwork {
				continue
			}
			addr, fine := netip.AddrFromSlice(network.IP)
			if !fine || addr.IsLoopback() {
				continue
			}
			addr = addr.Unmap()
			if addr.IsLinkLocalUnicast() && addr.Is6() {
				addr = addr.WithZone(i.Name)
			}
			list = append(list, addr)
		}
	}
	return list
}

// isHere tells whether a host's name or address is this machine's.
func (h *host) isHere(ctx context.Context, name string) bool {
	if own, err := os.Hostname(); name == "localhost" || (err == nil && strings.EqualFold(name, own)) {
		return true
	}
	addresses := []netip.Addr{}
	if ip, err := netip.ParseAddr(name); err == nil {
		addresses = append(addresses, ip.Unmap())
	} else {
		ctx, cancel := context.WithTimeout(ctx, doctorTimeout)
		defer cancel()
		addresses, _ = net.DefaultResolver.LookupNetIP(ctx, "ip", name)
	}
	return slices.ContainsFunc(addresses, func(a netip.Addr) bool {
		return a.Unmap().IsLoopback() || slices.Contains(h.addresses(), a.Unmap())
	})
}

// exposure dials the runner's port on every address of this machine but loopback:
// who gets an answer there needs no gate.
func (d *doctor) exposure(ctx context.Context) []cli.Finding {
	upstream, err := netip.ParseAddrPort(d.upstream())
	if err == nil && !upstream.Addr().IsLoopback() {
		return []cli.Finding{cli.Warn("see that a firewall or network policy lets only the gate reach it",
			"exposure: the runner is on %s, which is not loopback", upstream)}
	}
	addresses := d.host.addresses()
	open := make([]*cli.Finding, len(addresses))
	var asked sync.WaitGroup
	for i, address := range addresses {
		asked.Go(func() { open[i] = d.exposed(ctx, address) })
	}
	asked.Wait()
	var found []cli.Finding
	for _, f := range open {
		if f != nil {
			found = append(found, *f)
		}
	}
	if len(found) == 0 {
		found = append(found, cli.OK("exposure: port %s answers on none of this machine's %d other addresses",
			d.runnerPort(), len(addresses)))
	}
	return found
}

// exposed looks whether the runner answers on address.
func (d *doctor) exposed(ctx context.Context, address netip.Addr) *cli.Finding {
	target := net.JoinHostPort(address.String(), d.runnerPort())
	dialer := net.Dialer{Timeout: time.Second}
	conn, err := dialer.DialContext(ctx, "tcp", target)
	if err != nil {
		return nil
	}
	_ = conn.Close()
	host := strings.ReplaceAll(net.JoinHostPort(address.String(), d.runnerPort()), "%", "%25")
	_, body, err := d.fetch(ctx, client.New(doctorTimeout), "http://"+host+"/metrics", d.config.Upstream.MaxBytes)
	if err == nil && (runnerVersion(body) != "" || strings.Contains(string(body), "gitlab_runner_")) {
		f := cli.Fail(`set listen_address = "127.0.0.1:`+d.runnerPort()+
			`" in config.toml (or LISTEN_ADDRESS) and restart the runner`,
			"exposure: the runner answers on %s without any credential, so the gate is bypassed", target)
		return &f
	}
	f := cli.Warn("see what it is: the runner's port should be closed on other addresses",
		"exposure: something listens on %s", target)
	return &f
}
