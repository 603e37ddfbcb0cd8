package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/client"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/status"
)

// running asks the gate that runs, if one does, on its admin listener: whether it is
// ready, and whether its limits leave room for the scrapes that it sees.
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
		found[0] = cli.Fail("see the gate's log", "admin listener %s: not ready: %s", base,
			strings.TrimSpace(string(body)))
	}
	report, err := d.status(ctx, base)
	if err != nil {
		return found
	}
	return append(found, observedLimits(report)...)
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

// observedLimits says which limits are near, and whether scrapes were refused for coming too fast.
func observedLimits(r *status.Report) []cli.Finding {
	var found []cli.Finding
	for _, l := range r.Limits {
		if l.Near() {
			found = append(found, cli.Warn("raise "+l.Variable, "limits: %s: %s", l.What, l))
		}
	}
	for _, refused := range r.Refusals {
		if refused.Limiter == status.LimiterIdentity {
			found = append(found, cli.Warn("raise "+config.Prefix+"RATE_LIMIT and "+config.Prefix+
				"RATE_BURST, or scrape less often", "limits: %d requests of known callers came too fast",
				refused.Times))
		}
	}
	if len(found) == 0 {
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
