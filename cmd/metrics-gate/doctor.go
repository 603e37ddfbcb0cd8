package main

import (
	"cmp"
	"context"
	"flag"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"github.com/metrics-gate/metrics-gate/proxy/upstream"
)

// doctorTimeout bounds each look at something that may not answer.
const doctorTimeout = 3 * time.Second

// doctor looks at the live surroundings of a gate.
type doctor struct {
	environ []string
	config  *config
	gate    *gate       // nil when the configuration does not hold one
	client  credentials // what to try a scrape with
	url     string      // of the gate, for that scrape; empty: found by the configuration
	host    host
	now     func() time.Time
}

// host is what doctor sees of the machine; tests put another in its place.
type host struct {
	proc      string   // where /proc is
	toml      []string // where a runner's config.toml may be
	environ   []string // files with the environment of a runner's service
	addresses func() []netip.Addr
}

// doctorReport is what --json prints.
type doctorReport struct {
	OK       bool      `json:"ok"`
	Findings []finding `json:"findings"`
}

// doctor looks around, prints a line a finding, and exits 1 if one of them is a failure.
func (p *process) doctor(ctx context.Context, args []string) error {
	d := &doctor{environ: p.environ, host: thisHost(p.environ), now: time.Now}
	set := flag.NewFlagSet("doctor", flag.ContinueOnError)
	d.client.flags(set)
	set.StringVar(&d.url, "url", "", "`URL` of the gate to try (default: the one on this machine)")
	asJSON := set.Bool("json", false, "print JSON")
	if _, err := p.parse(set, args, 0); err != nil {
		return err
	}
	if err := d.client.validate("doctor"); err != nil {
		return err
	}
	all := d.examine(ctx)
	report := doctorReport{OK: worst(all) != levelFail, Findings: all}
	if *asJSON {
		if err := writeJSON(p.stdout, report); err != nil {
			return err
		}
	} else {
		for _, f := range all {
			if err := f.print(p.stdout); err != nil {
				return err
			}
		}
	}
	if !report.OK {
		return exitCode(1)
	}
	return nil
}

// examine looks at everything, whatever it found before.
func (d *doctor) examine(ctx context.Context) []finding {
	var all []finding
	all = append(all, d.configuration()...)
	all = append(all, d.files()...)
	all = append(all, d.label()...)
	all = append(all, d.runner(ctx)...)
	all = append(all, d.exposure(ctx)...)
	all = append(all, d.sockets()...)
	all = append(all, d.runnerConfig()...)
	all = append(all, d.issuers(ctx)...)
	all = append(all, d.apiServer()...)
	all = append(all, d.running(ctx)...)
	return append(all, d.scrape(ctx)...)
}

// configuration loads the environment and its files as serve would.
func (d *doctor) configuration() []finding {
	c, err := load(d.environ)
	d.config = c
	var found []finding
	if err == nil {
		var heard warnings
		d.gate, err = newGate(c, slog.New(&heard), newMetrics().registry)
		found = append(found, heard.list...)
	}
	if err != nil {
		for _, e := range checkErrors(err) {
			m := &mistake{Thing: e.Thing, Value: e.Value, Wrong: e.Wrong}
			if e.Thing == "" {
				m = &mistake{Thing: "configuration", Wrong: e.Wrong}
			}
			found = append(found, fail(cmp.Or(e.Advice, "correct it: metrics-gate help explains each variable"), "%s", m))
		}
		d.bound()
		return found
	}
	found = append(found, c.policyFindings()...)
	if len(found) == 0 {
		found = append(found, ok("configuration: loads, and every pattern can match"))
	}
	return found
}

// bound gives a configuration that does not load the limits that looking around needs.
func (d *doctor) bound() {
	u := &d.config.Upstream
	if u.Timeout <= 0 {
		u.Timeout = doctorTimeout
	}
	if u.MaxBytes <= 0 {
		u.MaxBytes = 64 << 20
	}
	if u.MaxLineBytes <= 0 {
		u.MaxLineBytes = u.MaxBytes
	}
}

// upstream is the runner's address, host:port.
func (d *doctor) upstream() string {
	address, err := upstream.ParseAddress(d.config.Upstream.URL, d.config.Upstream.AllowRemote)
	if err != nil {
		return "127.0.0.1:9252"
	}
	return address.String()
}

// runnerPort is the port of the runner's listener.
func (d *doctor) runnerPort() string {
	_, port, err := net.SplitHostPort(d.upstream())
	if err != nil {
		return "9252"
	}
	return port
}
