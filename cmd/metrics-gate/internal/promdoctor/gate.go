package promdoctor

import (
	"cmp"
	"net"
	"net/url"
	"slices"
	"strings"
)

// Paths of a gate that Prometheus scrapes.
const (
	runnerPath = "/metrics"
	gatePath   = "/gate/metrics"
)

// Gate says by what Prometheus' targets of a gate are recognized.
type Gate struct {
	Hosts      []string // names and addresses of the gate's host
	Port       string   // of the gate's public listener
	RunnerPort string   // of the runner's own listener
	LabelName  string   // the label that the gate adds
	RunnerName string   // its value
	Plain      bool     // the gate serves plain HTTP
	Lines      string   // of a job, with a credential that the gate accepts; empty if unknown
	LocalHosts []string // further hosts if Prometheus is on this machine
}

// lines are g.Lines, or those of every gate.
func (g *Gate) lines() string {
	return cmp.Or(g.Lines, "authorization: {credentials_file: token} or "+
		"tls_config: {ca_file: ca.crt, cert_file: tls.crt, key_file: tls.key}")
}

// hostPort splits the address of a target's URL, with the scheme's port if it has none.
func hostPort(scrapeURL string) (host, port string) {
	u, err := url.Parse(scrapeURL)
	if err != nil {
		return "", ""
	}
	if port = u.Port(); port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return u.Hostname(), port
}

// path returns the path of a target's URL.
func path(scrapeURL string) string {
	u, err := url.Parse(scrapeURL)
	if err != nil {
		return ""
	}
	return u.Path
}

// hasHost reports whether host is one of the gate's. A name also matches with a domain after it.
func (g *Gate) hasHost(host string) bool {
	return slices.ContainsFunc(g.Hosts, func(own string) bool {
		if ip := net.ParseIP(own); ip != nil {
			return ip.Equal(net.ParseIP(host))
		}
		host, own := strings.ToLower(host), strings.ToLower(own)
		return own != "" && (host == own || strings.HasPrefix(host, own+"."))
	})
}

// hasAddress reports whether address, host:port, is the gate's.
func (g *Gate) hasAddress(address string) bool {
	host, port, err := net.SplitHostPort(address)
	return err == nil && port == g.Port && g.hasHost(host)
}

// series identifies the series of a target.
type series struct{ job, instance string }

// own returns the targets of the gate: those at its address, those with its runner's name
// as a label, and those whose stored series have this name.
func (g *Gate) own(active []target, named []series) []target {
	var own []target
	for _, t := range active {
		host, port := hostPort(t.ScrapeURL)
		switch {
		case port == g.RunnerPort && port != g.Port:
		case port == g.Port && g.hasHost(host),
			g.RunnerName != "" && t.Labels[g.LabelName] == g.RunnerName,
			slices.Contains(named, series{t.Labels["job"], t.Labels["instance"]}):
			own = append(own, t)
		}
	}
	return own
}

// onHost returns the targets on the gate's host, or on the host of one of own, with the
// given port.
func (g *Gate) onHost(active, own []target, port string) []target {
	var found []target
	for _, t := range active {
		host, p := hostPort(t.ScrapeURL)
		near := slices.ContainsFunc(own, func(o target) bool {
			h, _ := hostPort(o.ScrapeURL)
			return h == host
		})
		if p == port && (near || g.hasHost(host)) {
			found = append(found, t)
		}
	}
	return found
}
