package doctor

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/client"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/status"
)

// running asks the gate that runs, if one does, on its admin listener: whether it is ready, what
// it says that wants attention, and whether it runs with the settings that doctor has.
func (d *doctor) running(ctx context.Context) []cli.Finding {
	base := d.admin()
	if base == "" {
		return nil
	}
	response, body, err := d.fetch(ctx, client.New(doctorTimeout), base+"/readyz", 1<<10)
	if err != nil {
		return []cli.Finding{cli.Warn("start the gate, or set "+config.Prefix+"ADMIN_ADDRESS as it is set there",
			"admin listener %s: no answer", base)}
	}
	found := []cli.Finding{cli.OK("admin listener %s: ready", base)}
	if response.StatusCode != http.StatusOK {
		why, do, _ := strings.Cut(strings.TrimSpace(string(body)), "\n")
		found[0] = cli.Fail(cmp.Or(do, "see the gate's log"), "admin listener %s: not ready: %s", base, why)
	}
	report, err := d.status(ctx, base)
	if err != nil {
		return found
	}
	if report.NotReady != "" {
		found = nil // the page says the same
	}
	return slices.Concat(found, d.otherSettings(report), d.attention(report), observedLimits(report))
}

// otherSettings tells of a gate that runs with another runner or name than the settings say.
func (d *doctor) otherSettings(r *status.Report) []cli.Finding {
	const do = "restart the gate: settings take effect at a start; or see that no other gate has its ADMIN_ADDRESS"
	var found []cli.Finding
	name, err := d.config.RunnerName()
	if err == nil && d.config.Label.RunnerNameFile == "" && name != r.Runner.Name { // a file is loaded by itself
		found = append(
			found,
			cli.Warn(do, runningGate+"it gives every sample %s=%q, and these settings %q", r.Label,
				r.Runner.Name, name),
		)
	}
	if own := cli.HideSecrets(d.config.Upstream.URL.String()); own != "" && own != r.Upstream {
		found = append(found, cli.Warn(do, runningGate+"its runner is at %s, and that of these settings at %s",
			r.Upstream, own))
	}
	return found
}

// runningGate begins what the gate says of itself.
const runningGate = "running gate: "

// attention is what the gate's own status page says. Refusals of this machine alone are those that
// doctor leaves without credentials, and do not mean that nobody gets in.
func (d *doctor) attention(r *status.Report) []cli.Finding {
	nobody, _ := r.NobodyGetsIn()
	elsewhere := slices.ContainsFunc(r.Refused, func(refused status.Refusal) bool {
		peer, err := netip.ParseAddrPort(refused.Remote)
		own := peer.Addr().Unmap()
		return err != nil || !(own.IsLoopback() || slices.Contains(d.host.addresses(), own))
	})
	var found []cli.Finding
	for _, f := range r.Findings {
		if f.What == nobody.What && !elsewhere {
			continue
		}
		f.What = runningGate + f.What
		found = append(found, f)
	}
	return found
}

// notSaid leaves out what the rest says of the files that a gate has loaded.
func notSaid(running, rest []cli.Finding) []cli.Finding {
	return slices.DeleteFunc(running, func(f cli.Finding) bool {
		return slices.ContainsFunc(rest, func(other cli.Finding) bool { return f.What == runningGate+other.What })
	})
}

// admin is the base URL of the admin listener; empty if it is off.
func (d *doctor) admin() string {
	address := d.config.Process.AdminAddress
	if address.Off || address.Port == 0 {
		return ""
	}
	return "http://" + address.DialAddress()
}

// status reads the status page as JSON; there is none beyond loopback.
func (d *doctor) status(ctx context.Context, base string) (*status.Report, error) {
	client := client.New(doctorTimeout)
	client.Transport = status.AcceptJSON{RoundTripper: client.Transport}
	response, body, err := d.fetch(ctx, client, base+"/", 1<<20)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", base, response.Status)
	}
	var report status.Report
	return &report, json.Unmarshal(body, &report)
}

// observedLimits says whether scrapes were refused for coming too fast, and that no limit is near.
// One that is near is among the page's findings.
func observedLimits(r *status.Report) []cli.Finding {
	var found []cli.Finding
	near := false
	for _, l := range r.Limits {
		near = near || l.Near()
	}
	for _, refused := range r.Refusals {
		if refused.Limiter == status.LimiterIdentity {
			found = append(found, cli.Warn("raise "+config.Prefix+"RATE_LIMIT and "+config.Prefix+
				"RATE_BURST, or scrape less often", "limits: %d requests of known callers came too fast",
				refused.Times))
		}
	}
	if len(found) == 0 && !near {
		found = append(found, cli.OK("limits: %s", seen(r)))
	}
	return found
}

// seen says how often the callers come.
func seen(r *status.Report) string {
	if len(r.Scrapes) < 2 {
		return "none is near (too few scrapes yet to tell the interval)"
	}
	took := r.Scrapes[0].At.Sub(r.Scrapes[len(r.Scrapes)-1].At) / time.Duration(len(r.Scrapes)-1)
	return "none is near; a scrape every " + cli.HumanDuration(took)
}
