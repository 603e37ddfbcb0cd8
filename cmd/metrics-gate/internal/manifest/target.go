package manifest

import (
	"net"
	"net/netip"
	"os"
	"regexp"
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
		return &cli.ConfigError{Thing: "print --target", Value: cli.HideURL(text), Wrong: wrong, Advice: advice}
	}
	if _, rest, isURL := strings.Cut(text, "://"); isURL {
		return "", wrong("a URL; Prometheus takes scheme and path elsewhere", "write "+bareTarget(rest))
	}
	if rest, _, hasPath := strings.Cut(text, "/"); hasPath && rest != "" {
		return "", wrong("a path; the jobs set metrics_path", "write "+bareTarget(text))
	}
	if _, err := strconv.Atoi(text); err == nil {
		return "", wrong("a number without a host", "write it as in runner-1.example:"+text)
	}
	if bare := strings.Trim(text, "[]"); isHost(bare) {
		text = net.JoinHostPort(bare, port(c))
	}
	host, number, err := net.SplitHostPort(text)
	n, badNumber := strconv.ParseUint(number, 10, 16)
	switch {
	case err != nil || !isHost(host):
		return "", wrong("not host:port", "write it as in runner-1.example:"+port(c)+
			", with commas between several")
	case badNumber != nil || n == 0:
		return "", wrong("the port is no number from 1 to 65535", "write "+net.JoinHostPort(host, port(c)))
	}
	return text, nil
}

// bareTarget is the host and port of a URL without its scheme: no password is left.
func bareTarget(rest string) string {
	rest = rest[strings.LastIndex(rest, "@")+1:]
	if i := strings.IndexAny(rest, "/?#&"); i >= 0 {
		rest = rest[:i]
	}
	return cli.HideToken(rest)
}

// isHost tells whether host is a name or an address, and nothing that ends a line of what is printed.
func isHost(host string) bool {
	name := regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?\.?$`)
	ip, err := netip.ParseAddr(host)
	return name.MatchString(host) || (err == nil && (ip.Zone() == "" || name.MatchString(ip.Zone())))
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
