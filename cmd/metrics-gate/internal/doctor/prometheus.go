package doctor

import (
	"context"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strconv"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/promdoctor"
)

// askPrometheus asks the Prometheus of --prometheus, if it is given, about this gate.
func (d *doctor) askPrometheus(ctx context.Context) []cli.Finding {
	return promdoctor.Examine(ctx, d.prometheus, d.asTarget(), d.userAgent())
}

// asTarget says by what Prometheus' targets of this gate are recognized: by the address of
// --url, or else by every address of the listener.
func (d *doctor) asTarget() promdoctor.Gate {
	listen := d.config.Listen.Address
	g := promdoctor.Gate{
		Port: strconv.Itoa(int(listen.Port)), RunnerPort: d.runnerPort(), LabelName: d.config.Label.Name,
		Plain: d.config.TLS.InsecureHTTP, Lines: d.config.PrometheusLines(),
	}
	if name, err := d.config.RunnerName(); err == nil && !d.outside {
		g.RunnerName = name
	}
	if u, err := url.Parse(d.url); d.url != "" && err == nil && u.Port() != "" {
		g.Hosts, g.Port = []string{u.Hostname()}, u.Port()
		return g
	}
	ip, err := netip.ParseAddr(listen.Host)
	switch {
	case listen.Host == "" || (err == nil && ip.IsUnspecified()):
		for _, address := range d.host.addresses() {
			g.Hosts = append(g.Hosts, address.WithZone("").String())
		}
		if name, err := os.Hostname(); err == nil {
			g.Hosts = append(g.Hosts, name)
		}
		g.LocalHosts = []string{"localhost", "127.0.0.1", net.IPv6loopback.String()}
	case listen.Host == "localhost" || ip.IsLoopback():
		g.LocalHosts = []string{listen.Host}
	default:
		g.Hosts = []string{listen.Host}
	}
	return g
}
