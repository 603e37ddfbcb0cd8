package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
)

// running asks the gate that runs, if one does, on its admin listener: whether it is
// ready, and whether its limits leave room for the scrapes that it sees.
func (d *doctor) running(ctx context.Context) []finding {
	base := d.admin()
	if base == "" {
		return nil
	}
	response, body, err := fetch(ctx, plainClient(doctorTimeout), base+"/readyz", 1<<10)
	if err != nil {
		return []finding{warn("start the gate, or set "+prefix+"ADMIN_ADDRESS as it is set there", "admin listener %s: no answer", base)}
	}
	found := []finding{ok("admin listener %s: ready", base)}
	if response.StatusCode != http.StatusOK {
		found[0] = fail("see the gate's log", "admin listener %s: not ready: %s", base, strings.TrimSpace(string(body)))
	}
	report, err := d.status(ctx, base)
	if err != nil {
		return found
	}
	return append(found, observedLimits(report)...)
}

// admin is the base URL of the admin listener; empty if it is off.
func (d *doctor) admin() string {
	host, port, err := net.SplitHostPort(d.config.Process.AdminAddress)
	if err != nil {
		return ""
	}
	if ip := net.ParseIP(host); host == "" || host == "localhost" || (ip != nil && ip.IsUnspecified()) {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// status reads the status page as JSON; there is none beyond loopback.
func (d *doctor) status(ctx context.Context, base string) (*statusReport, error) {
	client := plainClient(doctorTimeout)
	client.Transport = acceptJSON{client.Transport}
	response, body, err := fetch(ctx, client, base+"/", 1<<20)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", base, response.Status)
	}
	var report statusReport
	return &report, json.Unmarshal(body, &report)
}

type acceptJSON struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t acceptJSON) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Accept", "application/json")
	return t.RoundTripper.RoundTrip(r)
}

// observedLimits says which limits are near, and whether scrapes were refused for coming too fast.
func observedLimits(r *statusReport) []finding {
	var found []finding
	for _, l := range r.Limits {
		if l.Near() {
			found = append(found, warn("raise "+l.Variable, "limits: %s: %s of %s", l.What, l.Now, l.Most))
		}
	}
	for _, refused := range r.Refusals {
		if strings.HasPrefix(refused.What, "429 identity") {
			found = append(found, warn("raise "+prefix+"RATE_LIMIT and "+prefix+"RATE_BURST, or scrape less often", "limits: %d requests of known callers came too fast", refused.Times))
		}
	}
	if len(found) == 0 {
		found = append(found, ok("limits: %s", seen(r)))
	}
	return found
}

// seen says how often the callers come.
func seen(r *statusReport) string {
	if len(r.Scrapes) < 2 {
		return "none is near (too few scrapes yet to tell the interval)"
	}
	took := r.Scrapes[0].At.Sub(r.Scrapes[len(r.Scrapes)-1].At) / time.Duration(len(r.Scrapes)-1)
	return "none is near; a scrape every " + span(took)
}
