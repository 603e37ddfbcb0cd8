package manifest

import (
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
)

// defaultTarget is where Prometheus finds the gate of c on this host: where it listens, or the
// host's name if it listens on every address.
func defaultTarget(c *config.Config) string {
	host := c.Listen.Address.Host
	if ip, err := netip.ParseAddr(host); host == "" || (err == nil && ip.IsUnspecified()) {
		if host, err = os.Hostname(); err != nil {
			host = "localhost"
		}
	}
	return net.JoinHostPort(host, port(c))
}

// target reads an element of --target: host:port, or a host with the gate's port.
func target(text string, c *config.Config) (string, error) {
	text = strings.TrimSpace(text)
	wrong := func(wrong, advice string) error {
		return &cli.ConfigError{Thing: "print --target", Value: text, Wrong: wrong, Advice: advice}
	}
	if _, rest, isURL := strings.Cut(text, "://"); isURL {
		rest, _, _ = strings.Cut(rest, "/")
		return "", wrong("a URL; Prometheus takes scheme and path elsewhere", "write "+rest)
	}
	if rest, _, hasPath := strings.Cut(text, "/"); hasPath && rest != "" {
		return "", wrong("a path; the jobs set metrics_path", "write "+rest)
	}
	if _, err := strconv.Atoi(text); err == nil {
		return "", wrong("a number without a host", "write it as in runner-1.example:"+text)
	}
	if _, err := netip.ParseAddr(strings.Trim(text, "[]")); err == nil || !strings.Contains(text, ":") {
		text = net.JoinHostPort(strings.Trim(text, "[]"), port(c))
	}
	host, number, err := net.SplitHostPort(text)
	n, badNumber := strconv.ParseUint(number, 10, 16)
	switch {
	case err != nil || host == "" || strings.ContainsAny(host, " \t/@"):
		return "", wrong("not host:port", "write it as in runner-1.example:"+port(c)+
			", with commas between several")
	case badNumber != nil || n == 0:
		return "", wrong("the port is no number from 1 to 65535", "write "+net.JoinHostPort(host, port(c)))
	}
	return text, nil
}

// checkTargets makes every target a host:port, and returns a comment about those that Prometheus
// cannot reach; empty: none.
func (o *options) checkTargets(c *config.Config) (comment string, err error) {
	if len(o.Targets) == 0 {
		o.Targets = words{defaultTarget(c)}
	}
	var unreachable []string
	for i, text := range o.Targets {
		if o.Targets[i], err = target(text, c); err != nil {
			return "", err
		}
		if host, _, _ := net.SplitHostPort(o.Targets[i]); !isLoopback(host) {
			unreachable = append(unreachable, o.Targets[i])
		}
	}
	if !isLoopback(c.Listen.Address.Host) || len(unreachable) == 0 {
		return "", nil
	}
	return "# Warning: " + config.Prefix + "LISTEN_ADDRESS " + c.Listen.Address.String() +
		" is a loopback address: nobody reaches " + strings.Join(unreachable, ", ") + " there.\n", nil
}

// isLoopback tells whether host, a name or an address, is this host alone.
func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || (err == nil && ip.IsLoopback())
}
