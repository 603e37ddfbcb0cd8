package doctor

import (
	"context"
	"net"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/client"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/expiry"
)

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

// fromOutside asks a gate of which no settings are here, and judges what a client of it can.
func (d *doctor) fromOutside(ctx context.Context) []cli.Finding {
	d.config, _ = config.Load(nil) // the defaults
	d.bound()
	v := d.visit(ctx)
	return slices.Concat(d.served(v), d.scraped(v), labelled(v), d.askPrometheus(ctx), []cli.Finding{
		cli.OK("left out: configuration, files, label, runner, exposure, firewall, issuers and limits can be judged " +
			"on the gate's host alone: run metrics-gate doctor there"),
	})
}

// served looks at the certificate that the gate has answered with.
func (d *doctor) served(v *visit) []cli.Finding {
	if v.response == nil || v.response.TLS == nil {
		return nil
	}
	leaf := v.response.TLS.PeerCertificates[0]
	left := leaf.NotAfter.Sub(d.now())
	return append(expiry.Findings([]expiry.Entry{{Role: "server", Subject: leaf.Subject.String(),
		NotAfter: leaf.NotAfter, Days: int(left.Hours() / 24)}}),
		cli.OK("certificate of the gate: for %s, issued by %s, until %s (%s)", strings.Join(client.Names(leaf), ", "),
			leaf.Issuer, leaf.NotAfter.Format(time.DateOnly), cli.HumanDuration(left)))
}

// labelled looks at what the gate has answered.
func labelled(v *visit) []cli.Finding {
	version := runnerVersion(v.body)
	if v.answer() != answerGate || v.response.StatusCode != 200 {
		return nil
	}
	if version == "" {
		return []cli.Finding{cli.Warn("run metrics-gate doctor on the gate's host: is its UPSTREAM_URL a runner?",
			"runner: the exposition is not of a gitlab-runner")}
	}
	name := regexp.MustCompile(`(?m)^gitlab_runner_version_info\{[^\n]*?\brunner_name="([^"\n]*)"`).FindSubmatch(v.body)
	if name == nil {
		return []cli.Finding{cli.OK("runner: version %s, without the label runner_name", version)}
	}
	return []cli.Finding{cli.OK("runner: version %s, every sample gets runner_name=%q", version, name[1])}
}
